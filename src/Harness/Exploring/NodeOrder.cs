using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>The order in which processes and segments are written into the bytes of a node: their
/// places in it are their names.</summary>
internal sealed class NodeOrder
{
    private readonly List<ulong> _processes = [];
    private readonly List<ulong> _segments = [];

    /// <summary>Thread group ids.</summary>
    public List<ulong> Processes => _processes;

    /// <summary>Keys of <see cref="SpecState.Segments"/>.</summary>
    public List<ulong> Segments => _segments;

    /// <summary>Becomes the order of pids and of table indices.</summary>
    public void FillFrom(SpecState state)
    {
        _processes.Clear();
        _segments.Clear();
        foreach (ulong tgid in state.Groups.Keys)
        {
            _processes.Add(tgid);
        }

        foreach (ulong key in state.Segments.Keys)
        {
            _segments.Add(key);
        }
    }

    /// <summary>0 for no process, 1 for a dead one, and else 2 and its place.</summary>
    public int ProcessName(int pid) => pid == 0 ? 0 : _processes.IndexOf((ulong)pid) + 2;

    /// <summary>The place of a segment.</summary>
    public int SegmentName(ulong key) => _segments.IndexOf(key);
}
