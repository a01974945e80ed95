using System.Collections.Immutable;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Appends the canonical bytes of the system, with processes and segments in an order.
/// </summary>
internal delegate void SystemBytes(CanonicalBytes bytes, NodeOrder order);

/// <summary>Gives nodes their keys. With symmetry, states that differ in which process or which
/// segment is which have the same key: what can be told apart by itself is put in order, and of
/// the orders of what cannot, the one whose bytes come first is taken.</summary>
internal sealed class NodeNaming
{
    private readonly bool _symmetric;
    private readonly NodeOrder _order = new();
    private readonly CanonicalBytes _bytes = new();
    private readonly CanonicalBytes _first = new();
    private readonly SpecQuotient _quotient;
    private readonly List<NodeKey> _processMarks = [];
    private readonly List<NodeKey> _segmentMarks = [];

    public NodeNaming(bool symmetric)
    {
        _symmetric = symmetric;
        _quotient = new SpecQuotient(_bytes);
    }

    /// <summary>The key of a node.</summary>
    public NodeKey KeyOf(SpecState state, SystemBytes system)
    {
        _order.FillFrom(state);
        if (!_symmetric || (state.Groups.Count < 2 && state.Segments.Count < 2))
        {
            Write(state, system);
            return NodeKey.Of(_bytes.Written);
        }

        Mark(state);
        Sort(_order.Segments, _segmentMarks);
        Sort(_order.Processes, _processMarks);
        ImmutableArray<ImmutableArray<int>> processes = Orders(_order.Processes, _processMarks);
        ImmutableArray<ImmutableArray<int>> segments = Orders(_order.Segments, _segmentMarks);
        bool any = false;
        foreach (ImmutableArray<int> processOrder in processes)
        {
            foreach (ImmutableArray<int> segmentOrder in segments)
            {
                Set(_order.Processes, processOrder);
                Set(_order.Segments, segmentOrder);
                Write(state, system);
                if (!any || _bytes.Written.SequenceCompareTo(_first.Written) < 0)
                {
                    _first.CopyFrom(_bytes);
                    any = true;
                }
            }
        }

        return NodeKey.Of(_first.Written);
    }

    private void Write(SpecState state, SystemBytes system)
    {
        _bytes.Clear();
        _quotient.Write(state, _order);
        system(_bytes, _order);
    }

    /// <summary>Marks each segment and each process with what can be said of it without naming
    /// another; of what a process maps, the marks of the segments.</summary>
    private void Mark(SpecState state)
    {
        _segmentMarks.Clear();
        foreach (Segment segment in state.Segments.Rows)
        {
            _bytes.Clear();
            _quotient.WriteMark(state, segment, _order);
            _segmentMarks.Add(NodeKey.Of(_bytes.Written));
        }

        _processMarks.Clear();
        foreach (ThreadGroup group in state.Groups.Rows)
        {
            _bytes.Clear();
            _quotient.WriteMark(state, group, _segmentMarks);
            _processMarks.Add(NodeKey.Of(_bytes.Written));
        }
    }

    private static void Sort(List<int> rows, List<NodeKey> marks) => rows.Sort((one, other) =>
        (marks[one].High, marks[one].Low).CompareTo((marks[other].High, marks[other].Low)));

    /// <summary>The orders of sorted rows in which those with equal marks are put in every way.
    /// </summary>
    private static ImmutableArray<ImmutableArray<int>> Orders(
        List<int> rows, List<NodeKey> marks)
    {
        ImmutableArray<ImmutableArray<int>> orders = [[]];
        for (int start = 0; start < rows.Count;)
        {
            int end = start + 1;
            while (end < rows.Count && marks[rows[end]] == marks[rows[start]])
            {
                end++;
            }

            ImmutableArray<int> alike = [.. rows[start..end]];
            orders = [.. orders.SelectMany(order => Permutations(alike)
                .Select(permuted => order.AddRange(permuted)))];
            start = end;
        }

        return orders;
    }

    private static IEnumerable<ImmutableArray<int>> Permutations(ImmutableArray<int> rows) =>
        rows.Length < 2 ? [rows] : rows.SelectMany(
            first => Permutations(rows.Remove(first)).Select(rest => rest.Insert(0, first)));

    private static void Set(List<int> rows, ImmutableArray<int> order)
    {
        for (int at = 0; at < order.Length; at++)
        {
            rows[at] = order[at];
        }
    }
}
