using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Appends the canonical bytes of the system, with processes and segments in an order.
/// </summary>
internal delegate void SystemBytes(CanonicalBytes bytes, NodeOrder order);

/// <summary>Gives nodes their keys. With symmetry, states that differ in which process or which
/// segment is which have the same key: what can be told apart is put in order by marks, and of
/// the orders of what cannot, the one whose bytes come first is taken.</summary>
internal sealed class NodeNaming
{
    private readonly bool _symmetric;
    private readonly NodeOrder _order = new();
    private readonly CanonicalBytes _bytes = new();
    private readonly CanonicalBytes _first = new();
    private readonly SpecQuotient _quotient;
    private readonly List<ulong> _processMarks = [];
    private readonly List<ulong> _segmentMarks = [];
    private readonly List<ulong> _refinedMarks = [];
    private SpecState _state = null!;
    private SystemBytes _system = null!;
    private bool _isFirst;

    public NodeNaming(bool symmetric)
    {
        _symmetric = symmetric;
        _quotient = new SpecQuotient(_bytes);
    }

    /// <summary>Takes note of a node that those to be named come from.</summary>
    public void ComeFrom(SpecState state) => _quotient.ComeFrom(state);

    /// <summary>The key of a node.</summary>
    public NodeKey KeyOf(SpecState state, SystemBytes system)
    {
        _state = state;
        _system = system;
        _order.FillFrom(state);
        if (!_symmetric || (state.Groups.Count < 2 && state.Segments.Count < 2))
        {
            Write();
            return NodeKey.Of(_bytes.Written);
        }

        MarkSegments();
        MarkProcesses();
        RefineSegments();
        Sort(_order.Processes, _processMarks);
        Sort(_order.Segments, _refinedMarks);
        if (!HasTies(_order.Processes, _processMarks) && !HasTies(_order.Segments, _refinedMarks))
        {
            Write();
            return NodeKey.Of(_bytes.Written);
        }

        _isFirst = true;
        PermuteProcesses(0);
        return NodeKey.Of(_first.Written);
    }

    private static bool HasTies(List<int> rows, List<ulong> marks)
    {
        for (int at = 1; at < rows.Count; at++)
        {
            if (marks[rows[at]] == marks[rows[at - 1]])
            {
                return true;
            }
        }

        return false;
    }

    private void Write()
    {
        _bytes.Clear();
        _quotient.Write(_state, _order);
        _system(_bytes, _order);
    }

    /// <summary>Marks each segment with what can be said of it without naming anything else.
    /// </summary>
    private void MarkSegments()
    {
        _segmentMarks.Clear();
        foreach (Segment segment in _state.Segments.Rows)
        {
            _segmentMarks.Add(_quotient.MarkOf(_state, segment, _order));
        }
    }

    /// <summary>Marks each process with what it maps, and with what it is to which segments.
    /// </summary>
    private void MarkProcesses()
    {
        _processMarks.Clear();
        foreach (ThreadGroup group in _state.Groups.Rows)
        {
            ulong mark = _quotient.MarkOf(_state, group, _segmentMarks);
            for (int row = 0; row < _segmentMarks.Count; row++)
            {
                Segment segment = _state.Segments.Rows[row];
                mark += segment.CreatorPid == group.Tgid
                    ? SpecQuotient.Mix(_segmentMarks[row], 1) : 0;
                mark += segment.LastPid == group.Tgid ? SpecQuotient.Mix(_segmentMarks[row], 2) : 0;
                mark += segment.Creator == group.Tgid ? SpecQuotient.Mix(_segmentMarks[row], 3) : 0;
            }

            _processMarks.Add(mark);
        }
    }

    /// <summary>Adds to the marks of segments which processes they have to do with.</summary>
    private void RefineSegments()
    {
        _refinedMarks.Clear();
        _refinedMarks.AddRange(_segmentMarks);
        for (int process = 0; process < _processMarks.Count; process++)
        {
            int tgid = _state.Groups.Rows[process].Tgid;
            ulong mark = _processMarks[process];
            for (int row = 0; row < _refinedMarks.Count; row++)
            {
                Segment segment = _state.Segments.Rows[row];
                _refinedMarks[row] += segment.CreatorPid == tgid ? SpecQuotient.Mix(mark, 1) : 0;
                _refinedMarks[row] += segment.LastPid == tgid ? SpecQuotient.Mix(mark, 2) : 0;
                _refinedMarks[row] += segment.Creator == tgid ? SpecQuotient.Mix(mark, 3) : 0;
            }

            foreach (Mapping mapping in SpaceOf(tgid).Mappings.Rows)
            {
                if (mapping.Segment is { } key)
                {
                    _refinedMarks[_state.Segments.FirstFrom(key.Value)] +=
                        SpecQuotient.Mix(mark, mapping.Start);
                }
            }
        }
    }

    private AddressSpace SpaceOf(int tgid)
    {
        foreach (KernelTask task in _state.Tasks.Rows)
        {
            if (task.Tgid == tgid)
            {
                return _state.Spaces[task.Space];
            }
        }

        throw new InvalidOperationException($"process {tgid} has no thread");
    }

    private static void Sort(List<int> rows, List<ulong> marks)
    {
        for (int sorted = 1; sorted < rows.Count; sorted++)
        {
            for (int at = sorted; at > 0 && marks[rows[at]] < marks[rows[at - 1]]; at--)
            {
                Swap(rows, at, at - 1);
            }
        }
    }

    /// <summary>Goes through the orders in which processes with equal marks may stand, from a
    /// place on, and for each through those of the segments.</summary>
    private void PermuteProcesses(int at)
    {
        List<int> rows = _order.Processes;
        if (at == rows.Count)
        {
            PermuteSegments(0);
            return;
        }

        ulong mark = _processMarks[rows[at]];
        for (int other = at; other < rows.Count && _processMarks[rows[other]] == mark; other++)
        {
            Swap(rows, at, other);
            PermuteProcesses(at + 1);
            Swap(rows, at, other);
        }
    }

    private void PermuteSegments(int at)
    {
        List<int> rows = _order.Segments;
        if (at == rows.Count)
        {
            Write();
            if (_isFirst || _bytes.Written.SequenceCompareTo(_first.Written) < 0)
            {
                _first.CopyFrom(_bytes);
                _isFirst = false;
            }

            return;
        }

        ulong mark = _refinedMarks[rows[at]];
        for (int other = at; other < rows.Count && _refinedMarks[rows[other]] == mark; other++)
        {
            Swap(rows, at, other);
            PermuteSegments(at + 1);
            Swap(rows, at, other);
        }
    }

    private static void Swap(List<int> rows, int one, int other) =>
        (rows[one], rows[other]) = (rows[other], rows[one]);
}
