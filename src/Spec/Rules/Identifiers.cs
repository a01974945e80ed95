using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Identifiers of new segments (ipc/util.c:ipc_idr_alloc).</summary>
internal static class Identifiers
{
    private const int LeastWindow = 64;
    private const int SequenceLimit = int.MaxValue >> ShmId.IndexBits;

    public static readonly RuleFamily Family = new("identifier");

    private static readonly Rule Cyclic = Family.Effect("identifier.cyclic",
        "The index is the first free one from the cursor on, within a window of "
            + "max(64, 3/2 of the segments that exist), else the first free one from 0 on; the "
            + "cursor goes behind it. Freed indices are not used again at once.",
        "ipc/util.c:ipc_idr_alloc");

    private static readonly Rule NewSequence = Family.Effect("identifier.sequence",
        "When the index does not exceed the one given before, the sequence number of the "
            + "namespace grows by one, from 65534 to 0.",
        "ipc/util.c:ipc_idr_alloc");

    private static readonly Rule Requested = Family.Effect("identifier.next-id",
        "shm_next_id gives the sequence number and the lowest index, once, and leaves the cursor "
            + "alone.",
        "ipc/util.c:ipc_idr_alloc");

    /// <summary>The identifier that the kernel gives next; none when shm_next_id asks for an index
    /// beyond the last free one.</summary>
    public static ShmId? Predict(Run run, IpcNamespace ns)
    {
        if (ns.NextId >= 0)
        {
            var wanted = new ShmId(ns.NextId);
            return FreeIndex(run, ns, wanted.Index, ShmId.IndexLimit) is { } free
                ? ShmId.Of(wanted.Sequence, free) : null;
        }

        int window = int.Min(int.Max(ns.InUse * 3 / 2, LeastWindow), ShmId.IndexLimit);
        int index = FreeIndex(run, ns, ns.Cursor, window)
            ?? FreeIndex(run, ns, 0, window)!.Value;
        int sequence = index <= ns.LastIndex ? (ns.Sequence + 1) % SequenceLimit : ns.Sequence;
        return ShmId.Of(sequence, index);
    }

    /// <summary>Gives an identifier.</summary>
    public static ShmId Take(Run run, IpcNamespace ns)
    {
        ShmId predicted = Predict(run, ns)!.Value;
        var id = new ShmId(run.Context.Choices.Identifier(
            predicted.Value, chosen => IsFree(run, ns, chosen)));
        if (!IsFree(run, ns, id.Value))
        {
            throw new InvalidOperationException($"identifier {id} is not admissible");
        }

        bool asRequested = ns.NextId >= 0 && id == predicted;
        if (asRequested)
        {
            run.Fire(Requested);
        }
        else
        {
            run.Fire(Cyclic);
            if (id.Sequence != ns.Sequence)
            {
                run.Fire(NewSequence);
            }

            ns = ns with
            {
                Sequence = id.Sequence,
                LastIndex = id.Index,
                Cursor = id.Index + 1,
            };
        }

        run.Put(ns with { NextId = -1 });
        return id;
    }

    private static bool IsFree(Run run, IpcNamespace ns, int id) =>
        id >= 0 && !run.State.Segments.Contains(
            SegmentKey.Of(ns.Number, new ShmId(id).Index).Value);

    private static int? FreeIndex(Run run, IpcNamespace ns, int from, int end)
    {
        int index = from;
        while (index < end && !IsFree(run, ns, index))
        {
            index++;
        }

        return index < end ? index : null;
    }
}
