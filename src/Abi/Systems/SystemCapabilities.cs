using System.Collections.Immutable;

namespace ShmCheck.Abi;

/// <summary>What a system can be asked, and what it shows. The harness asks only for what is
/// here, and reports what it therefore did not ask.</summary>
public sealed record SystemCapabilities
{
    /// <summary>The calls it executes.</summary>
    public required ImmutableHashSet<CallKind> Calls { get; init; }

    /// <summary>Which calls of these kinds it can be asked; all, unless it says otherwise. A call
    /// that it cannot be asked is skipped and counted.</summary>
    public Func<Call, bool> CanBeAsked { get; init; } = _ => true;

    /// <summary>The machine nearest to a drawn one that the system can be.</summary>
    public Func<MachineConfig, MachineConfig> Adapt { get; init; } = machine => machine;

    /// <summary>The kernel profiles it follows.</summary>
    public required ImmutableArray<KernelProfile> Profiles { get; init; }

    /// <summary>Release of the kernel that it is, as uname shows it, for instance
    /// <c>6.18.44</c>; none where the profile says all there is to say.</summary>
    public string? KernelRelease { get; init; }

    /// <summary>Version of the system itself, where it is not a kernel, for instance
    /// <c>7.2.22</c>.</summary>
    public string? Version { get; init; }

    /// <summary>Allocations that it can make fail.</summary>
    public ImmutableHashSet<AllocationKind> Injections { get; init; } = [];

    /// <summary>Fields it shows less than exactly; all others are exact.</summary>
    public ImmutableDictionary<Enum, Precision> Precisions { get; init; } =
        ImmutableDictionary<Enum, Precision>.Empty;

    /// <summary>Whether it shows the page frames of mappings, at least now and then
    /// (<see cref="Observation.Frames"/>).</summary>
    public bool ShowsFrames { get; init; }

    /// <summary>Who says that pages of segments which nobody maps may leave memory at any time,
    /// and why; empty where they do not.</summary>
    public string ReclaimSource { get; init; } = "";

    /// <summary>Who says that pages of other programs take slots of the swap device
    /// (<see cref="ISharesSwap"/>), and why; empty where none do.</summary>
    public string ForeignSlotSource { get; init; } = "";

    /// <summary>Who says that segments locked in an IPC namespace that has ended may be charged
    /// to their user for a while; empty where they are not.</summary>
    public string LateUnlockSource { get; init; } = "";

    /// <summary>Who says that the pool of huge pages may not grow because other programs have the
    /// memory (<see cref="ISharesMemory"/>); empty where none do.</summary>
    public string HugePageShortageSource { get; init; } = "";

    /// <summary>Rules that it cannot show although it has their calls, by name, with the reason.
    /// </summary>
    public ImmutableDictionary<string, string> CannotShow { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    /// <summary>Whether there can be only one machine at a time: who starts another one waits.
    /// </summary>
    public bool OneAtATime { get; init; }

    /// <summary>Calls that an <see cref="IPipelinedSystem"/> takes at once; 0 where a call is made
    /// when the reply to the one before is known.</summary>
    public int MostCallsAhead { get; init; }

    /// <summary>Numbers of handles that calls made ahead can have are below this.</summary>
    public int MostHandlesAhead { get; init; }

    /// <summary>Length in bytes of the longest mapping that it makes; a call for a longer one is
    /// left out, because filling it could fill the machine.</summary>
    public ulong LongestMapping { get; init; } = ulong.MaxValue;

    /// <summary>Whether it takes the system long to put a swap device to use, or out of use: then
    /// runs with equally many slots follow one another, and calls that do it are drawn seldom.
    /// </summary>
    public bool SwapIsCostly { get; init; }

    /// <summary>Whether identifiers of segments follow a rule of the system's own instead of
    /// Linux's (ipc/util.c:ipc_idr_alloc).</summary>
    public bool ChoosesIdentifiersFreely { get; init; }

    /// <summary>Every call there is.</summary>
    public static ImmutableHashSet<CallKind> AllCalls { get; } =
        [.. Enum.GetValues<CallKind>()];

    /// <summary>Every kernel profile there is.</summary>
    public static ImmutableArray<KernelProfile> AllProfiles { get; } =
        [.. Enum.GetValues<KernelProfile>()];

    /// <summary>Whether the system executes a call.</summary>
    public bool Has(Call call) => Calls.Contains(call.Kind) && CanBeAsked(call);

    /// <summary>Precisions of a system that shows these fields exactly and no others.</summary>
    public static ImmutableDictionary<Enum, Precision> Showing(params Enum[] fields)
    {
        Precision hidden = Precision.NotObservable("the system has no such figure");
        return new[]
        {
            typeof(GlobalField), typeof(NamespaceField), typeof(SegmentField),
            typeof(ProcessField), typeof(MappingField),
        }
            .SelectMany(table => Enum.GetValues(table).Cast<Enum>())
            .Except(fields)
            .ToImmutableDictionary(field => field, _ => hidden);
    }

    /// <summary>Precision of a field.</summary>
    public Precision PrecisionOf(Enum field) =>
        Precisions.GetValueOrDefault(field) ?? Precision.Exact;
}
