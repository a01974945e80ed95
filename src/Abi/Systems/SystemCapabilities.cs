using System.Collections.Immutable;

namespace ShmCheck.Abi;

/// <summary>What a system can be asked, and what it shows. The harness asks only for what is
/// here, and reports what it therefore did not ask.</summary>
public sealed record SystemCapabilities
{
    /// <summary>The calls it executes.</summary>
    public required ImmutableHashSet<CallKind> Calls { get; init; }

    /// <summary>The kernel profiles it follows.</summary>
    public required ImmutableArray<KernelProfile> Profiles { get; init; }

    /// <summary>Allocations that it can make fail.</summary>
    public ImmutableHashSet<AllocationKind> Injections { get; init; } = [];

    /// <summary>Fields it shows less than exactly; all others are exact.</summary>
    public ImmutableDictionary<Enum, Precision> Precisions { get; init; } =
        ImmutableDictionary<Enum, Precision>.Empty;

    /// <summary>Every call there is.</summary>
    public static ImmutableHashSet<CallKind> AllCalls { get; } =
        [.. Enum.GetValues<CallKind>()];

    /// <summary>Every kernel profile there is.</summary>
    public static ImmutableArray<KernelProfile> AllProfiles { get; } =
        [.. Enum.GetValues<KernelProfile>()];

    /// <summary>Precision of a field.</summary>
    public Precision PrecisionOf(Enum field) =>
        Precisions.GetValueOrDefault(field) ?? Precision.Exact;
}
