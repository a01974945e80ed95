namespace ShmCheck.Bench.Harness;

/// <summary>One of the states of <see cref="ShmModel"/> that differ only in which process or
/// segment is which.</summary>
internal static class ModelSymmetry
{
    /// <summary>New places of none to three, by how their marks compare, so that marks ascend.
    /// </summary>
    private static readonly int[][][] _ascending = Ascending();

    /// <summary>Of the orders in which what can be told without names ascends, the one whose word
    /// is the least.</summary>
    public static ModelState Canonical(ModelState state)
    {
        Span<ulong> marks = stackalloc ulong[ModelState.Most];
        marks = marks[..state.Processes];
        for (int p = 0; p < marks.Length; p++)
        {
            marks[p] = state.ProcessMark(p);
        }

        var least = new ModelState(ulong.MaxValue);
        foreach (int[] places in _ascending[Comparison(marks)])
        {
            ModelState renamed = state.Renamed(places);
            least = renamed.Word < least.Word ? renamed : least;
        }

        return least;
    }

    private static int Comparison(ReadOnlySpan<ulong> marks)
    {
        int comparison = marks.Length;
        for (int at = 1; at < marks.Length; at++)
        {
            for (int before = 0; before < at; before++)
            {
                comparison = comparison * 3 + marks[before].CompareTo(marks[at]) + 1;
            }
        }

        return comparison;
    }

    private static int[][][] Ascending()
    {
        int[][][] orders =
        [
            [[]], [[0]], [[0, 1], [1, 0]],
            [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]],
        ];
        var ascending = new int[(ModelState.Most + 1) * 27][][];
        for (int number = 0; number < 64; number++)
        {
            ulong[] all = [(ulong)number & 3, (ulong)number >> 2 & 3, (ulong)number >> 4];
            for (int count = 0; count <= ModelState.Most; count++)
            {
                ulong[] marks = all[..count];
                ascending[Comparison(marks)] =
                    [.. orders[count].Where(order => Ascends(marks, order))];
            }
        }

        return ascending;
    }

    private static bool Ascends(ulong[] marks, int[] order)
    {
        var placed = new ulong[marks.Length];
        for (int at = 0; at < marks.Length; at++)
        {
            placed[order[at]] = marks[at];
        }

        return placed.SequenceEqual(placed.Order());
    }
}
