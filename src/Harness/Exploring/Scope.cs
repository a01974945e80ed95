using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Exploring;

/// <summary>A machine, bounds and an alphabet of calls, small enough for all sequences of calls to
/// be covered (docs/exploring.md).</summary>
public sealed class Scope
{
    internal Scope(
        string name, MachineConfig machine, ScopeBounds bounds,
        ImmutableArray<ScopeCall> alphabet)
    {
        Name = name;
        Machine = machine;
        Bounds = bounds;
        Alphabet = alphabet;
    }

    private Scope(
        string name, MachineConfig machine, ScopeBounds bounds,
        Func<ScopeAlphabet, ScopeAlphabet> write)
        : this(name, machine, bounds, write(new ScopeAlphabet(bounds, machine)).Calls)
    {
    }

    /// <summary>Every scope, from the smallest.</summary>
    public static ImmutableArray<Scope> All { get; } = 
        [Model(), Tiny(), Locks(), Small(), Medium()];

    /// <summary>As on the command line.</summary>
    public string Name { get; }

    /// <summary>The machine.</summary>
    public MachineConfig Machine { get; }

    /// <summary>How much there may be.</summary>
    public ScopeBounds Bounds { get; }

    /// <summary>The calls, those of one shape with other handles included.</summary>
    public IEnumerable<Call> Calls => Alphabet.Select(call => call.Call);

    internal ImmutableArray<ScopeCall> Alphabet { get; }

    /// <summary>What bench/promela models once more; change both or none.</summary>
    private static Scope Model() => new(
        "model",
        new MachineConfig { Frames = 8, SwapSlots = 1 },
        new ScopeBounds
        {
            Processes = 2,
            Segments = 2,
            Attaches = 1,
            Kinds = [new SegmentKind(4096, default, 2)],
        },
        calls => calls.Get().Attach(0).Detach().Store().Fork().Exit().Remove().Reclaim());

    private static Scope Tiny() => new(
        "tiny",
        new MachineConfig { Frames = 8, SwapSlots = 1 },
        new ScopeBounds
        {
            Processes = 2,
            Segments = 2,
            Attaches = 1,
            Kinds = [new SegmentKind(4096, default, 2)],
        },
        calls => calls.Get().Attach(0).Detach().Store().Load().Fork().Exit().Remove().Stat()
            .Info().Reclaim());

    private static Scope Locks() => Mixed(
        "locks", segments: 2,
        calls => calls.Get().Attach(0).Detach().Store().UnmapPage().Fork().Exit().Remove()
            .Lock().Info().Reclaim());

    private static Scope Small() => Mixed(
        "small", segments: 3,
        calls => calls.Get().Attach(0).Detach().Store().UnmapPage().Fork().Exit().Remove()
            .Info().Reclaim());

    /// <summary>Two processes and a segment of each kind.</summary>
    private static Scope Mixed(
        string name, int segments, Func<ScopeAlphabet, ScopeAlphabet> write) => new(
        name,
        new MachineConfig { Frames = 16, SwapSlots = 2, HugePages = 2 },
        new ScopeBounds
        {
            Processes = 2,
            Segments = segments,
            Attaches = 1,
            Kinds =
            [
                new SegmentKind(4096, default, 1), new SegmentKind(8192, default, 1),
                new SegmentKind(2ul << 20, new(ShmGetFlags.SHM_HUGETLB), 1),
            ],
        },
        write);

    private static Scope Medium() => new(
        "medium",
        new MachineConfig { Frames = 16, SwapSlots = 2, HugePages = 2 },
        new ScopeBounds
        {
            Processes = 3,
            Segments = 3,
            Attaches = 2,
            Kinds =
            [
                new SegmentKind(4096, default, 2), new SegmentKind(8192, default, 1),
                new SegmentKind(2ul << 20, new(ShmGetFlags.SHM_HUGETLB), 1),
            ],
        },
        calls => calls.Get().Attach(0, ShmAtFlags.SHM_RDONLY).Detach().Store().Load().UnmapPage()
            .Advise(Advice.MADV_REMOVE, Advice.MADV_PAGEOUT, Advice.MADV_WILLNEED)
            .LockPages().Fork().Exit().Remove().Lock().Stat().Info().Reclaim().Swap()
            .Set(Sysctl.NrHugePages, view => view.State.Pool.Persistent, 1, 2)
            .Set(Sysctl.ShmRmidForced, view => view.State.Namespaces.Rows[0].RmidForced ? 1u : 0,
                0, 1));
}
