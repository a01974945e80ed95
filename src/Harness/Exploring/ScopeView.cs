using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>A state as the calls of a scope see it: which handles stand for something that lives,
/// and what lies where in each address space. Filled again and again.</summary>
internal sealed class ScopeView
{
    private readonly ScopeBounds _bounds;
    private readonly MachineConfig _machine;
    private readonly AddressSpace?[] _spaces;
    private readonly Segment?[] _segments;
    private readonly Segment?[,] _mapped;
    private readonly int[] _kindCounts;
    private readonly int[] _tids;

    public ScopeView(ScopeBounds bounds, MachineConfig machine)
    {
        _bounds = bounds;
        _machine = machine;
        _spaces = new AddressSpace?[bounds.Processes];
        _segments = new Segment?[bounds.Segments];
        _mapped = new Segment?[bounds.Processes, bounds.Attaches];
        _kindCounts = new int[bounds.Kinds.Length];
        _tids = new int[bounds.Processes];
    }

    /// <summary>The first process that is alive, from 0; -1 when none is.</summary>
    public int FirstAlive { get; private set; }

    /// <summary>The first handle of a process that stands for none alive; -1 when each does.
    /// </summary>
    public int FirstDead { get; private set; }

    /// <summary>The first handle of a segment that stands for none; -1 when each does.</summary>
    public int FirstFree { get; private set; }

    /// <summary>What the machine looks like now.</summary>
    public SpecState State { get; private set; } = null!;

    /// <summary>Processes that there may be.</summary>
    public int Processes => _bounds.Processes;

    /// <summary>Attaches that a process may have.</summary>
    public int Attaches => _bounds.Attaches;

    /// <summary>Processes that are alive.</summary>
    public int AliveCount => _spaces.Count(space => space is not null);

    public bool IsAlive(int process) => _spaces[process] is not null;

    /// <summary>Whether a thread is that of a process.</summary>
    public bool IsProcess(int process, int tid) => tid != 0 && _tids[process] == tid;

    /// <summary>The attach address that an address belongs to.</summary>
    public int AttachOf(AddressRef address) =>
        (int)(address.Base / ScopeBounds.AttachPages(_machine));

    /// <summary>The segment that a handle stands for, from 0; null when it has gone.</summary>
    public Segment? SegmentAt(int handle) => _segments[handle];

    /// <summary>Segments of a kind that exist, those marked for destruction included.</summary>
    public int CountOf(int kind) => _kindCounts[kind];

    /// <summary>The segment that a process has at an attach address, if any part of it is mapped
    /// there.</summary>
    public Segment? MappedAt(int process, int attach) => _mapped[process, attach];

    /// <summary>The first attach address at which a process has nothing; -1 when there is none.
    /// </summary>
    public int FirstUnmapped(int process)
    {
        for (int attach = 0; attach < _bounds.Attaches; attach++)
        {
            if (_mapped[process, attach] is null)
            {
                return attach;
            }
        }

        return -1;
    }

    /// <summary>Looks at a state.</summary>
    public void Fill(SpecState state, Bindings bindings)
    {
        State = state;
        FillSegments(state, bindings);
        FirstAlive = -1;
        FirstDead = -1;
        for (int process = _bounds.Processes - 1; process >= 0; process--)
        {
            AddressSpace? space = bindings.TryResolve(new ProcessHandle(process + 1), out int tid)
                && state.Tasks.TryGet((ulong)tid, out KernelTask? task)
                    ? state.Spaces[task.Space] : null;
            _spaces[process] = space;
            _tids[process] = space is null ? 0 : tid;
            (FirstAlive, FirstDead) = space is null
                ? (FirstAlive, process) : (process, FirstDead);
            for (int attach = 0; attach < _bounds.Attaches; attach++)
            {
                _mapped[process, attach] = space is null ? null : Find(state, space, attach);
            }
        }
    }

    private void FillSegments(SpecState state, Bindings bindings)
    {
        FirstFree = -1;
        for (int handle = _bounds.Segments - 1; handle >= 0; handle--)
        {
            _segments[handle] = bindings.TryResolve(new SegmentHandle(handle + 1), out int id)
                && state.Segments.TryGet(
                    SegmentKey.Of(0, new ShmId(id).Index).Value, out Segment? segment)
                && segment.Id.Value == id ? segment : null;
            FirstFree = _segments[handle] is null ? handle : FirstFree;
        }

        for (int kind = 0; kind < _kindCounts.Length; kind++)
        {
            SegmentKind counted = _bounds.Kinds[kind];
            _kindCounts[kind] = _segments.Count(segment => segment is not null
                && segment.Size == counted.Size
                && segment.Object.IsHuge == counted.Flags.HugeTlb);
        }
    }

    private Segment? Find(SpecState state, AddressSpace space, int attach)
    {
        ulong start = ScopeBounds.AttachAddress(_machine, attach);
        return space.FindFrom(start) is { Segment: { } key } mapping
            && mapping.Start < start + ScopeBounds.AttachLength(_machine)
                ? state.Segments[key.Value] : null;
    }
}
