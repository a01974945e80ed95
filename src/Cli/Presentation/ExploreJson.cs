using System.Collections.Immutable;
using ShmCheck.Harness.Exploring;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of <c>explore</c>.</summary>
internal sealed record ExploreJson
{
    public int Version { get; } = Json.Version;

    public required string System { get; init; }

    public required string Scope { get; init; }

    public required bool Reduction { get; init; }

    public required int Depth { get; init; }

    public required bool Closed { get; init; }

    public required string End { get; init; }

    public required long States { get; init; }

    public required long Transitions { get; init; }

    public required long Pruned { get; init; }

    public required long CallsAgain { get; init; }

    public required long Frontier { get; init; }

    public required long BytesOfStates { get; init; }

    public required double Seconds { get; init; }

    public required double StatesPerSecond { get; init; }

    public required double TransitionsPerSecond { get; init; }

    public required ImmutableArray<ExploredViolationJson> Violations { get; init; }

    public required ImmutableArray<string> RulesFired { get; init; }

    public string? Unfinished { get; init; }

    public bool? Interrupted { get; init; }

    public static ExploreJson Of(
        ExplorationReport report, IReadOnlyList<string> traces, string? unfinished) => new()
    {
        System = report.System,
        Scope = report.Scope.Name,
        Reduction = report.Options.Symmetry || report.Options.PartialOrder,
        Depth = report.Depth,
        Closed = report.Closed,
        End = report.End.ToString().ToLowerInvariant(),
        States = report.States,
        Transitions = report.Transitions,
        Pruned = report.Pruned,
        CallsAgain = report.CallsAgain,
        Frontier = report.Frontier,
        BytesOfStates = report.Bytes,
        Seconds = Math.Round(report.Elapsed.TotalSeconds, 3),
        StatesPerSecond = Math.Round(report.States / report.Elapsed.TotalSeconds),
        TransitionsPerSecond = Math.Round(report.Transitions / report.Elapsed.TotalSeconds),
        Violations = [.. report.Violations.Zip(traces, (found, trace) => new ExploredViolationJson(
            found.Fingerprint.ToString(), found.Fingerprint.Rule, trace,
            found.Record.Calls.Count))],
        RulesFired = report.RulesFired,
        Unfinished = unfinished,
        Interrupted = report.End == ExplorationEnd.Interrupted ? true : null,
    };
}

/// <summary>A departure from the specification.</summary>
internal sealed record ExploredViolationJson(
    string Fingerprint, string Rule, string Trace, int Steps);
