using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>One rule of the specification: when it applies, what the system does.</summary>
public sealed class Rule
{
    /// <summary>Stable name, for instance <c>shmget.einval.size-below-shmmin</c>: family, errno
    /// (or <c>ok</c>), what it is about.</summary>
    public required string Id { get; init; }

    /// <summary>The call or part of the subsystem it belongs to, for instance <c>shmget</c>.
    /// </summary>
    public required string Family { get; init; }

    /// <summary>The errno it answers with; none for a rule about an effect.</summary>
    public Errno Errno { get; init; }

    /// <summary>The signal it raises; none for most.</summary>
    public Signal Signal { get; init; }

    /// <summary>The rule in a sentence, with units.</summary>
    public required string Statement { get; init; }

    /// <summary>Where it comes from: manual page, or kernel file and function.</summary>
    public required string Source { get; init; }

    /// <summary>The profiles that it holds for.</summary>
    public ImmutableArray<KernelProfile> Profiles { get; init; } = SystemCapabilities.AllProfiles;

    /// <summary>Position in <see cref="RuleCatalogue.Rules"/>.</summary>
    public int Ordinal { get; internal set; } = -1;

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>A predicate that holds in every state.</summary>
public sealed class Invariant
{
    /// <summary>Stable name, for instance <c>nattch-def</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The predicate in a sentence.</summary>
    public required string Statement { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>An invariant that does not hold in a state.</summary>
/// <param name="Invariant">Which.</param>
/// <param name="Detail">The figures that contradict each other, with units.</param>
public sealed record Violation(Invariant Invariant, string Detail);
