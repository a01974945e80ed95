using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;

namespace ShmCheck.Harness.Results;

/// <summary>What a campaign leaves behind, as numbers and names: what <c>check --json</c> prints,
/// what its output directory keeps, and what shards are merged from (docs/json.md).</summary>
public sealed record CampaignResult
{
    /// <summary>Version of the format.</summary>
    public int Version { get; init; } = JsonForm.Version;

    /// <summary>Name of the system.</summary>
    public required string System { get; init; }

    /// <summary>What everything random depended on.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Which part of the seeds was taken.</summary>
    public required string Shard { get; init; }

    /// <summary>Calls in a sequence.</summary>
    public required int Length { get; init; }

    /// <summary>Kernel profiles that were drawn.</summary>
    public required ImmutableArray<string> Profiles { get; init; }

    /// <summary>Whether known divergences were counted instead of found.</summary>
    public required bool Ledger { get; init; }

    /// <summary>When the campaign was to end.</summary>
    public required LimitResult Limit { get; init; }

    /// <summary>Blocks of runs completed.</summary>
    public required long Blocks { get; init; }

    /// <summary>Sequences run.</summary>
    public required long Runs { get; init; }

    /// <summary>Those that began with a plan.</summary>
    public required long Planned { get; init; }

    /// <summary>Calls compared, shrinking not counted.</summary>
    public required long Steps { get; init; }

    /// <summary>Calls drawn that could not be made.</summary>
    public required long Skipped { get; init; }

    /// <summary>Calls behind which every figure was compared.</summary>
    public required long Observed { get; init; }

    /// <summary>Time that the system took to show its figures, in seconds.</summary>
    public required double ObservationSeconds { get; init; }

    /// <summary>Time it took, in seconds; of shards merged, that of all together.</summary>
    public required double Seconds { get; init; }

    /// <summary>Steps in a second.</summary>
    public required double StepsPerSecond { get; init; }

    /// <summary>Rules.</summary>
    public required RulesResult Rules { get; init; }

    /// <summary>Calls with errnos.</summary>
    public required ExercisedResult Errnos { get; init; }

    /// <summary>Changes of page states.</summary>
    public required ExercisedResult PageStates { get; init; }

    /// <summary>How often each call ended in each way.</summary>
    public required ImmutableArray<NamedCount> Outcomes { get; init; }

    /// <summary>Steps in which pages changed their state.</summary>
    public required ImmutableArray<NamedCount> Transitions { get; init; }

    /// <summary>The bugs found, one for each fingerprint, in the order of these.</summary>
    public required ImmutableArray<DivergenceResult> Divergences { get; init; }

    /// <summary>Rows of the ledger that were met.</summary>
    public required ImmutableArray<KnownResult> Known { get; init; }

    /// <summary>Tolerances of the system.</summary>
    public required ImmutableArray<ToleranceResult> Tolerances { get; init; }

    /// <summary>Fields that the system does not show.</summary>
    public required ImmutableArray<HiddenFieldResult> NotShown { get; init; }

    /// <summary>True when it was interrupted.</summary>
    public bool? Interrupted { get; init; }

    /// <summary>True when a call that did not come back ended it.</summary>
    public bool? Hung { get; init; }

    /// <summary>Why the system could not be started any more, if that ended it.</summary>
    public string? Error { get; init; }

    /// <summary>Of shards merged, those that are not there or did not come to their end; none
    /// when all did.</summary>
    public IReadOnlyList<string>? Problems { get; init; }

    /// <summary>The result of a campaign.</summary>
    /// <param name="report">What it did.</param>
    /// <param name="coverage">What it exercised.</param>
    /// <param name="capabilities">What the system can show.</param>
    public static CampaignResult Of(
        CampaignReport report, CoverageReport coverage, SystemCapabilities capabilities) => new()
    {
        System = report.System,
        Seed = report.Options.Seed,
        Shard = $"{report.Options.Shard}/{report.Options.Shards}",
        Length = report.Options.Length,
        Profiles = [.. report.Options.Profiles.Select(KernelProfileText.Of)],
        Ledger = report.Options.Ledger is not null,
        Limit = LimitResult.Of(report.Options),
        Blocks = report.Blocks,
        Runs = report.Runs,
        Planned = report.Planned,
        Steps = report.Steps,
        Skipped = report.Skipped,
        Observed = report.Observed,
        ObservationSeconds = Math.Round(report.ObservationTime.TotalSeconds, 3),
        Seconds = Math.Round(report.Elapsed.TotalSeconds, 3),
        StepsPerSecond = Math.Round(report.Steps / report.Elapsed.TotalSeconds),
        Rules = RulesResult.Of(coverage),
        Errnos = ExercisedResult.Of(coverage.Errnos),
        PageStates = ExercisedResult.Of(coverage.Transitions),
        Outcomes = NamedCount.Sorted(report.Coverage.Outcomes.Select(
            o => new NamedCount($"{o.Key.Call} {o.Key.Outcome}", o.Value))),
        Transitions = NamedCount.Sorted(report.Coverage.Transitions.Select(
            t => new NamedCount(CoverageReport.Name(t.Key), t.Value))),
        Divergences = DivergenceResult.Sorted(report.Findings.Select(DivergenceResult.Of)),
        Known = KnownResult.Of(report.Allowances),
        Tolerances = ToleranceResult.Of(capabilities, report.Allowances),
        NotShown = HiddenFieldResult.Of(capabilities),
        Interrupted = report.Interrupted ? true : null,
        Hung = report.Hung ? true : null,
        Error = report.Lost,
    };

    /// <summary>Part K of N of the seeds.</summary>
    [JsonIgnore]
    public (int Number, int Of) Part
    {
        get
        {
            string[] parts = Shard.Split('/');
            return parts.Length == 2 && int.TryParse(parts[0], out int number)
                && int.TryParse(parts[1], out int of) && number >= 1 && number <= of
                    ? (number, of)
                    : throw new FormatException($"shard: expected K/N, not '{Shard}'");
        }
    }

    /// <summary>Whether the campaign was ended before its limit.</summary>
    [JsonIgnore]
    public bool IsCut => Interrupted == true || Hung == true || Error is not null
        || Problems is not null;
}

/// <summary>When a campaign ends.</summary>
/// <param name="Blocks">Behind this many blocks of all shards together.</param>
/// <param name="Steps">When this many calls have been compared.</param>
/// <param name="Seconds">After this time.</param>
public sealed record LimitResult(
    long? Blocks = null, long? Steps = null, double? Seconds = null)
{
    /// <summary>The limits of a campaign.</summary>
    public static LimitResult Of(CampaignOptions options) =>
        new(options.Blocks, options.Steps, options.Time?.TotalSeconds);
}

/// <summary>A bug.</summary>
/// <param name="Fingerprint">Rule or invariant, fields that differ, call.</param>
/// <param name="Rule">Rule or invariant.</param>
/// <param name="Trace">The file of its trace.</param>
/// <param name="Steps">Calls of the trace.</param>
/// <param name="Certificate">How short it is known to be.</param>
/// <param name="LowerBound">No sequence of calls like these with fewer calls has the fingerprint.
/// </param>
/// <param name="Block">Block of runs that it was found in.</param>
public sealed record DivergenceResult(
    string Fingerprint, string Rule, string? Trace, int Steps, string Certificate,
    int LowerBound, long Block)
{
    /// <summary>The trace itself.</summary>
    [JsonIgnore]
    public string Text { get; init; } = "";

    /// <summary>A finding.</summary>
    public static DivergenceResult Of(Finding finding) => new(
        finding.Fingerprint.ToString(), finding.Fingerprint.Rule, finding.Path,
        finding.Calls.Length, Shrinking.CertificateText.Of(finding.Certificate),
        finding.LowerBound, finding.Block)
    {
        Text = finding.Text,
    };

    /// <summary>In the order of fingerprints.</summary>
    public static ImmutableArray<DivergenceResult> Sorted(IEnumerable<DivergenceResult> all) =>
        [.. all.OrderBy(divergence => divergence.Fingerprint, StringComparer.Ordinal)];
}
