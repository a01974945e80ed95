namespace ShmCheck.Bench.Harness;

/// <summary>bench/promela/shm.pml with each state in one word: a lane for each process and each
/// segment. Change both or none.</summary>
/// <param name="processes">Processes alive at once, at most 3.</param>
/// <param name="segments">Segments that exist at once, at most 3.</param>
/// <param name="symmetric">Whether states that differ in which process or segment is which are
/// one.</param>
internal readonly struct ShmModel(int processes, int segments, bool symmetric) : IPackedModel
{
    public ulong Start => ModelState.Start.Word;

    public int Successors(ulong state, Span<ulong> successors)
    {
        int count = 0;
        var from = new ModelState(state);
        for (int p = 0; p < from.Processes; p++)
        {
            count += Calls(from, p, successors[count..]);
        }

        for (int s = 0; s < from.Segments; s++)
        {
            ModelState to = from;
            to.Remove(s);
            successors[count++] = WordOf(to);
            to = from;
            to.Reclaim(s);
            successors[count++] = WordOf(to);
        }

        return count;
    }

    private int Calls(ModelState from, int p, Span<ulong> successors)
    {
        int count = 0;
        ModelState to = from;
        if (from.Segments < segments)
        {
            to.Get(p);
            successors[count++] = WordOf(to);
        }

        for (int s = 0; from.AttachOf(p) == 0 && s < from.Segments; s++)
        {
            to = from;
            to.Attach(p, s);
            successors[count++] = WordOf(to);
        }

        if (from.AttachOf(p) != 0)
        {
            to = from;
            to.Detach(p);
            successors[count++] = WordOf(to);
            to = from;
            to.Store(p);
            successors[count++] = WordOf(to);
        }

        if (from.Processes < processes)
        {
            to = from;
            to.Fork(p);
            successors[count++] = WordOf(to);
        }

        to = from;
        to.Exit(p);
        successors[count++] = WordOf(to);
        return count;
    }

    private ulong WordOf(ModelState state) =>
        symmetric ? ModelSymmetry.Canonical(state).Word : state.Word;
}
