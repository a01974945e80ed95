using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of <c>check</c>.</summary>
internal sealed record CheckJson
{
    public int Version { get; } = Json.Version;

    public required string System { get; init; }

    public required ulong Seed { get; init; }

    public required string Shard { get; init; }

    public required long Blocks { get; init; }

    public required long Runs { get; init; }

    public required long Planned { get; init; }

    public required long Steps { get; init; }

    public required long Skipped { get; init; }

    public required double Seconds { get; init; }

    public required double StepsPerSecond { get; init; }

    public required RulesJson Rules { get; init; }

    public required ExercisedJson Errnos { get; init; }

    public required ExercisedJson PageStates { get; init; }

    public required ImmutableArray<CountJson> Outcomes { get; init; }

    public required ImmutableArray<CountJson> Transitions { get; init; }

    public required ImmutableArray<DivergenceJson> Divergences { get; init; }

    public required ImmutableArray<KnownJson> Known { get; init; }

    public required ImmutableArray<ToleranceJson> Tolerances { get; init; }

    public required ImmutableArray<HiddenFieldJson> NotShown { get; init; }

    public bool? Interrupted { get; init; }

    public string? Error { get; init; }

    public static CheckJson Of(
        CampaignReport report, CoverageReport coverage, SystemCapabilities capabilities) => new()
    {
        System = report.System,
        Seed = report.Options.Seed,
        Shard = $"{report.Options.Shard}/{report.Options.Shards}",
        Blocks = report.Blocks,
        Runs = report.Runs,
        Planned = report.Planned,
        Steps = report.Steps,
        Skipped = report.Skipped,
        Seconds = Math.Round(report.Elapsed.TotalSeconds, 3),
        StepsPerSecond = Math.Round(report.Steps / report.Elapsed.TotalSeconds),
        Rules = new RulesJson(
            coverage.Rules.Total, coverage.Rules.Fired, coverage.Rules.NeverFired,
            [.. coverage.Rules.CannotFire.Select(r => new ReasonJson(r.Rule, r.Reason))]),
        Errnos = new ExercisedJson(
            coverage.Errnos.Total, coverage.Errnos.Seen,
            [.. coverage.Errnos.NeverSeen.Select(o => o.ToString())],
            [.. coverage.Errnos.CannotHappen.Select(
                o => new WhyNotJson(o.Outcome.ToString(), o.Reason))]),
        PageStates = new ExercisedJson(
            coverage.Transitions.Driven.Length + coverage.Transitions.NeverDriven.Length,
            coverage.Transitions.Driven.Length,
            [.. coverage.Transitions.NeverDriven.Select(CoverageReport.Name)],
            [.. coverage.Transitions.CannotHappen.Select(
                t => new WhyNotJson(CoverageReport.Name(t.Transition), t.Reason))]),
        Outcomes = [.. report.Coverage.Outcomes
            .Select(o => new CountJson($"{o.Key.Call} {o.Key.Outcome}", o.Value))
            .OrderBy(o => o.Name, StringComparer.Ordinal)],
        Transitions = [.. report.Coverage.Transitions
            .Select(t => new CountJson($"{t.Key.From}->{t.Key.To}", t.Value))
            .OrderBy(t => t.Name, StringComparer.Ordinal)],
        Divergences = [.. report.Findings.Select(DivergenceJson.Of)],
        Known = KnownJson.Of(report.Allowances),
        Tolerances = ToleranceJson.Of(capabilities, report.Allowances),
        NotShown = HiddenFieldJson.Of(capabilities),
        Interrupted = report.Interrupted ? true : null,
        Error = report.Lost,
    };
}

/// <summary>Rules fired and not fired.</summary>
internal sealed record RulesJson(
    int Total, int Fired, ImmutableArray<string> NeverFired, ImmutableArray<ReasonJson> CannotFire);

/// <summary>Calls with errnos, or changes of page states, seen and not seen.</summary>
internal sealed record ExercisedJson(
    int Total, int Seen, ImmutableArray<string> NeverSeen, ImmutableArray<WhyNotJson> Cannot);

/// <summary>Something that the system cannot show, and why.</summary>
internal sealed record WhyNotJson(string What, string Reason);

/// <summary>A rule that cannot fire, and why.</summary>
internal sealed record ReasonJson(string Rule, string Reason);

/// <summary>A name with a count.</summary>
internal sealed record CountJson(string Name, long Count);

/// <summary>A finding.</summary>
internal sealed record DivergenceJson(
    string Fingerprint, string Rule, string? Trace, int Steps, string Certificate,
    int LowerBound)
{
    public static DivergenceJson Of(Finding finding) => new(
        finding.Fingerprint.ToString(), finding.Fingerprint.Rule, finding.Path,
        finding.Calls.Length,
        FindingText.Certificate(finding), finding.LowerBound);
}
