using System.Collections.Immutable;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Exploring;

/// <summary>How far an exploration has come.</summary>
/// <param name="States">Nodes found.</param>
/// <param name="Frontier">Nodes still to be expanded.</param>
/// <param name="Depth">Depth of the deepest node.</param>
/// <param name="Transitions">Calls made and compared.</param>
/// <param name="Elapsed">Time since the start.</param>
public readonly record struct ExplorationProgress(
    long States, long Frontier, int Depth, long Transitions, TimeSpan Elapsed);

/// <summary>Why an exploration ended.</summary>
public enum ExplorationEnd
{
    /// <summary>Nothing is left to explore.</summary>
    Closed,
    /// <summary>Longer sequences were not asked for.</summary>
    Depth,
    /// <summary>The memory that was allowed is used up.</summary>
    Memory,
    /// <summary>It was interrupted.</summary>
    Interrupted,
    /// <summary>A call of the system did not come back.</summary>
    Hung,
}

/// <summary>A departure from the specification, with a shortest sequence of the scope's calls that
/// leads to it.</summary>
/// <param name="Fingerprint">Which bug.</param>
/// <param name="Record">The run of that sequence.</param>
public sealed record ExplorationViolation(Fingerprint Fingerprint, RunRecord Record);

/// <summary>What an exploration covered and found.</summary>
public sealed record ExplorationReport
{
    /// <summary>The scope.</summary>
    public required Scope Scope { get; init; }

    /// <summary>Name of the system.</summary>
    public required string System { get; init; }

    /// <summary>How it was explored.</summary>
    public required ExplorationOptions Options { get; init; }

    /// <summary>Why it ended.</summary>
    public required ExplorationEnd End { get; init; }

    /// <summary>Nodes found.</summary>
    public required long States { get; init; }

    /// <summary>Nodes that were not expanded.</summary>
    public required long Frontier { get; init; }

    /// <summary>Calls in the shortest sequence to the deepest node.</summary>
    public required int Depth { get; init; }

    /// <summary>Calls made on both sides and compared.</summary>
    public required long Transitions { get; init; }

    /// <summary>Calls that could have been made and that the reduction left out.</summary>
    public required long Pruned { get; init; }

    /// <summary>Calls made again, without comparing, to come back to nodes.</summary>
    public required long CallsAgain { get; init; }

    /// <summary>Bytes that the nodes took at the end.</summary>
    public required long Bytes { get; init; }

    /// <summary>Time it took, that before a resumption included.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Identifiers of the rules that fired, in the order of the catalogue.</summary>
    public required ImmutableArray<string> RulesFired { get; init; }

    /// <summary>What was found, in the order of the lengths of the sequences.</summary>
    public required ImmutableArray<ExplorationViolation> Violations { get; init; }

    /// <summary>Whether nothing was left to explore.</summary>
    public bool Closed => End == ExplorationEnd.Closed;
}
