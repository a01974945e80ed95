namespace ShmCheck.Bench.Harness;

/// <summary>A state machine whose states are words other than 0.</summary>
internal interface IPackedModel
{
    /// <summary>The first state.</summary>
    ulong Start { get; }

    /// <summary>Writes the states that one step leads to.</summary>
    /// <returns>How many.</returns>
    int Successors(ulong state, Span<ulong> successors);
}

/// <summary>What a search found.</summary>
/// <param name="States">States.</param>
/// <param name="Transitions">Steps from all of them.</param>
/// <param name="Bytes">Memory of states and frontier at its greatest.</param>
internal readonly record struct SearchResult(long States, long Transitions, long Bytes);

/// <summary>Breadth-first search over packed states. Nothing is lost: the states themselves are
/// kept.</summary>
internal static class PackedSearch
{
    /// <summary>Successors that are collected before they are looked up: their places come from
    /// memory together.</summary>
    private const int Batch = 256;

    private const int MostSuccessors = 64;

    public static SearchResult Run<TModel>(TModel model)
        where TModel : struct, IPackedModel
    {
        var known = new WordSet();
        var level = new List<ulong> { model.Start };
        var next = new List<ulong>();
        known.Add(model.Start);
        long transitions = 0;
        long bytes = 0;
        var states = new ulong[Batch];
        while (level.Count > 0)
        {
            int count = 0;
            foreach (ulong state in level)
            {
                int made = model.Successors(state, states.AsSpan(count));
                known.Fetch(states.AsSpan(count, made));
                transitions += made;
                count += made;
                if (count > Batch - MostSuccessors)
                {
                    Add(known, states.AsSpan(0, count), next);
                    count = 0;
                }
            }

            Add(known, states.AsSpan(0, count), next);
            bytes = Math.Max(bytes, known.MostBytes
                + (level.Capacity + next.Capacity) * (long)sizeof(ulong));
            (level, next) = (next, level);
            next.Clear();
        }

        return new SearchResult(known.Count, transitions, bytes);
    }

    private static void Add(WordSet known, ReadOnlySpan<ulong> states, List<ulong> next)
    {
        foreach (ulong state in states)
        {
            if (known.Add(state))
            {
                next.Add(state);
            }
        }
    }
}
