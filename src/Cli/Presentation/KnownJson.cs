using System.Collections.Immutable;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Cli.Presentation;

/// <summary>A row of the ledger that was met.</summary>
/// <param name="Fingerprint">Its fingerprint.</param>
/// <param name="Row">Its name.</param>
/// <param name="Status">What has been decided about it.</param>
/// <param name="Count">Calls after which the system showed it.</param>
internal sealed record KnownJson(string Fingerprint, string Row, string Status, long Count)
{
    public static ImmutableArray<KnownJson> Of(Allowances allowances) =>
    [
        .. allowances.Known.Select(known => new KnownJson(
            known.Row.Fingerprint.ToString(), known.Row.Name, known.Row.Status.ToString(),
            known.Count)),
    ];
}
