using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Properties.Ledgers;

/// <summary>A ledger made for a test.</summary>
internal static class OwnLedger
{
    private const string Fingerprint = "shmat.ok.attach | nattch,rss | ShmAt";

    /// <summary>A ledger of one row, which says what is wrong, and may say by which fingerprint it
    /// is known.</summary>
    public static Ledger Knowing(string wrong, string fingerprint = Fingerprint) =>
        LedgerParser.Parse("own.ledger", WithLines(wrong).Replace(
            Fingerprint, fingerprint, StringComparison.Ordinal));

    /// <summary>A ledger of one row, whose wrong figures are given.</summary>
    public static string WithLines(params string[] wrong) => Of(
    [
        "# shmcheck ledger 1",
        "system linux",
        "",
        "row own",
        $"fingerprint {Fingerprint}",
        "status fixed 7.0 https://example.org/1",
        "kernels 5.14, 6.1..6.18",
        .. wrong,
        "about",
        "  Something is wrong.",
        "trace",
        "  # shmcheck trace 1",
        "  machine profile=6.18 page=4096 frames=64",
        "  p1 fork() = p2",
    ]);

    /// <summary>Lines as a text.</summary>
    public static string Of(IEnumerable<string> lines) =>
        string.Concat(lines.Select(line => line + "\n"));
}
