using System.Collections.Immutable;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Results;

/// <summary>A row of the ledger that was met.</summary>
/// <param name="Fingerprint">Its fingerprint.</param>
/// <param name="Row">Its name.</param>
/// <param name="Status">What has been decided about it.</param>
/// <param name="Count">Calls after which the system showed it.</param>
public sealed record KnownResult(string Fingerprint, string Row, string Status, long Count)
{
    /// <summary>The rows that were met.</summary>
    public static ImmutableArray<KnownResult> Of(Allowances allowances) =>
    [
        .. allowances.Known.Select(known => new KnownResult(
            known.Row.Fingerprint.ToString(), known.Row.Name, known.Row.Status.ToString(),
            known.Count)),
    ];
}
