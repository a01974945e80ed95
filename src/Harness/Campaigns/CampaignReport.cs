using System.Collections.Immutable;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;

namespace ShmCheck.Harness.Campaigns;

/// <summary>How far a campaign has come.</summary>
/// <param name="Runs">Sequences run.</param>
/// <param name="Steps">Calls compared.</param>
/// <param name="Elapsed">Time since the start.</param>
/// <param name="RulesFired">Rules that have fired.</param>
/// <param name="Findings">Bugs found.</param>
/// <param name="Shrinking">Whether a counterexample is being shrunk.</param>
public readonly record struct CampaignProgress(
    long Runs, long Steps, TimeSpan Elapsed, int RulesFired, int Findings, bool Shrinking);

/// <summary>What a campaign did and found.</summary>
public sealed record CampaignReport
{
    /// <summary>Name of the system.</summary>
    public required string System { get; init; }

    /// <summary>What the campaign was to do.</summary>
    public required CampaignOptions Options { get; init; }

    /// <summary>Blocks of runs that were completed.</summary>
    public required long Blocks { get; init; }

    /// <summary>Sequences run.</summary>
    public required long Runs { get; init; }

    /// <summary>Sequences that began with a plan.</summary>
    public required long Planned { get; init; }

    /// <summary>Calls compared, shrinking not counted.</summary>
    public required long Steps { get; init; }

    /// <summary>Calls that were drawn but could not be made.</summary>
    public required long Skipped { get; init; }

    /// <summary>Calls behind which every figure was looked at.</summary>
    public required long Observed { get; init; }

    /// <summary>Time that the system took to show its figures.</summary>
    public required TimeSpan ObservationTime { get; init; }

    /// <summary>Time it took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>What was exercised.</summary>
    public required CoverageMap Coverage { get; init; }

    /// <summary>What the system showed otherwise and was let pass.</summary>
    public required Allowances Allowances { get; init; }

    /// <summary>The bugs found, one for each fingerprint.</summary>
    public required ImmutableArray<Finding> Findings { get; init; }

    /// <summary>Whether it was interrupted.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Whether a call that did not come back ended it: what hangs goes on until the
    /// process ends.</summary>
    public bool Hung { get; init; }

    /// <summary>Why the system could not be started any more, if that ended the campaign.
    /// </summary>
    public string? Lost { get; init; }
}
