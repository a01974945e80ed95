using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Harness.Campaigns;

/// <summary>A bug that a campaign found.</summary>
/// <param name="Fingerprint">Which bug.</param>
/// <param name="Machine">The machine of the counterexample.</param>
/// <param name="Calls">Its calls; the last one diverges.</param>
/// <param name="Divergence">What differs there.</param>
/// <param name="Certificate">How short it is known to be.</param>
/// <param name="LowerBound">No sequence of calls like these with fewer calls than this has the
/// fingerprint; 0 when that was not looked for.</param>
/// <param name="Executions">Runs that shrinking took.</param>
/// <param name="FoundAfter">Calls that the campaign had compared when it was met.</param>
/// <param name="Block">Block of runs in which it was met.</param>
/// <param name="Text">The counterexample as a trace, with replies.</param>
/// <param name="Path">The file that it was written to, if any.</param>
public sealed record Finding(
    Fingerprint Fingerprint, MachineConfig Machine, ImmutableArray<Call> Calls,
    Divergence Divergence, Certificate Certificate, int LowerBound, int Executions,
    long FoundAfter, long Block, string Text, string? Path);
