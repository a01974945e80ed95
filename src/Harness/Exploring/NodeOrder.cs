using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>The order in which processes and segments are written into the bytes of a node: their
/// places in it are their names.</summary>
internal sealed class NodeOrder
{
    private readonly List<int> _processes = [];
    private readonly List<int> _segments = [];
    private SpecState _state = null!;

    /// <summary>For each place, a row of <see cref="SpecState.Groups"/>.</summary>
    public List<int> Processes => _processes;

    /// <summary>For each place, a row of <see cref="SpecState.Segments"/>.</summary>
    public List<int> Segments => _segments;

    /// <summary>Becomes the order of pids and of table indices.</summary>
    public void FillFrom(SpecState state)
    {
        _state = state;
        _processes.Clear();
        _segments.Clear();
        for (int row = 0; row < state.Groups.Count; row++)
        {
            _processes.Add(row);
        }

        for (int row = 0; row < state.Segments.Count; row++)
        {
            _segments.Add(row);
        }
    }

    /// <summary>0 for no process, 1 for a dead one, and else 2 and its place.</summary>
    public int ProcessName(int pid) =>
        pid == 0 ? 0 : RowOf(pid) is >= 0 and int row ? _processes.IndexOf(row) + 2 : 1;

    /// <summary>0 for no process, 1 for a dead one, and 2 for one that is alive.</summary>
    public int ProcessKind(int pid) => pid == 0 ? 0 : RowOf(pid) >= 0 ? 2 : 1;

    /// <summary>The place of a segment.</summary>
    public int SegmentName(ulong key) => _segments.IndexOf(_state.Segments.FirstFrom(key));

    private int RowOf(int pid) => _state.Groups.Keys.AsSpan().BinarySearch((ulong)pid);
}
