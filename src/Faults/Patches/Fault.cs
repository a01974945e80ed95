using System.Collections.Immutable;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Faults.Patches;

/// <summary>A bug that can be planted in the implementation: a change of its sources, and what
/// must catch it.</summary>
public sealed record Fault
{
    /// <summary>Name: that of its file, without <c>.patch</c>.</summary>
    public required string Id { get; init; }

    /// <summary>One line that says what is wrong.</summary>
    public required string Title { get; init; }

    /// <summary>The real bugs that it re-creates (commit, CVE, advisory), or
    /// <c>generic: REASON</c>.</summary>
    public required string Recreates { get; init; }

    /// <summary>The systems and versions that had it.</summary>
    public required string Versions { get; init; }

    /// <summary>Rules and invariants any of which catches it.</summary>
    public required ImmutableArray<string> CaughtBy { get; init; }

    /// <summary>Figures that differ when it is caught; all of them.</summary>
    public required ImmutableArray<string> Shows { get; init; }

    /// <summary>What it takes to see it.</summary>
    public required FaultKind Kind { get; init; }

    /// <summary>What it changes.</summary>
    public required ImmutableArray<FileDiff> Files { get; init; }

    /// <summary>Whether a divergence is the one that must show this fault.</summary>
    public bool IsShownBy(Fingerprint found) =>
        CaughtBy.Contains(found.Rule) && Shows.All(found.Fields.Contains);
}
