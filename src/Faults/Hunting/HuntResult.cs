using System.Collections.Immutable;
using ShmCheck.Faults.Patches;
using ShmCheck.Faults.Statistics;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Faults.Hunting;

/// <summary>What a hunt for a fault brought.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="Options">How it was hunted.</param>
/// <param name="Finding">The counterexample by which it is caught, shrunk; null when it survived.
/// </param>
/// <param name="Steps">Calls compared until it was caught, for each campaign;
/// <see cref="NotCaught"/> where it was not.</param>
/// <param name="Seconds">Time until it was caught or the campaign gave up: the median.</param>
/// <param name="Others">Other fingerprints under which it was seen.</param>
public sealed record HuntResult(
    Fault Fault, HuntOptions Options, Finding? Finding, ImmutableArray<long> Steps,
    double Seconds, IReadOnlyList<Fingerprint> Others)
{
    /// <summary>The steps of a campaign that did not catch the fault: more than any that did.
    /// </summary>
    public const long NotCaught = long.MaxValue;

    /// <summary>Whether it was caught by a rule that must catch it.</summary>
    public bool IsCaught => Finding is not null;

    /// <summary>Campaigns that caught it.</summary>
    public Proportion Caught => new(Steps.Count(s => s != NotCaught), Steps.Length);

    /// <summary>The median of the steps; <see cref="NotCaught"/> when that is of a campaign that
    /// did not catch it.</summary>
    public long MedianSteps => Steps.Sort()[Steps.Length / 2];
}
