using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Faults.Hunting;

/// <summary>What a hunt for a fault brought.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="Finding">The counterexample by which it is caught, shrunk; null when it survived.
/// </param>
/// <param name="Steps">Calls compared until it was caught: the median of the campaigns, or the
/// most that one of them compared when it survived.</param>
/// <param name="Seconds">Time until it was caught, likewise.</param>
/// <param name="Others">Other fingerprints under which it was seen.</param>
public sealed record HuntResult(
    Fault Fault, Finding? Finding, long Steps, double Seconds,
    IReadOnlyList<Fingerprint> Others)
{
    /// <summary>Whether it was caught by a rule that must catch it.</summary>
    public bool IsCaught => Finding is not null;
}
