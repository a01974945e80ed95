using System.Text;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Ledgers;

/// <summary>All ledgers side by side.</summary>
public static class LedgerComparison
{
    /// <summary>A table in Markdown: a row for each fingerprint, a column for each system; the
    /// names of rows of ledgers where they meet, and nothing where the system does as Linux
    /// should.</summary>
    public static string ToMarkdown(IReadOnlyList<Ledger> ledgers)
    {
        var text = new StringBuilder();
        AppendLine(text, ledgers.Select(ledger => ledger.System).Prepend("fingerprint"));
        AppendLine(text, Enumerable.Repeat("---", ledgers.Count + 1));
        IEnumerable<Fingerprint> all = ledgers
            .SelectMany(ledger => ledger.Rows.SelectMany(Fingerprints))
            .Distinct().OrderBy(fingerprint => fingerprint.ToString(), StringComparer.Ordinal);
        foreach (Fingerprint fingerprint in all)
        {
            string name = fingerprint.ToString().Replace("|", "\\|", StringComparison.Ordinal);
            AppendLine(text, ledgers.Select(ledger => Cell(ledger, fingerprint))
                .Prepend($"`{name}`"));
        }

        return text.ToString();
    }

    private static string Cell(Ledger ledger, Fingerprint fingerprint) =>
        string.Join(", ", ledger.Rows.Where(row => Fingerprints(row).Contains(fingerprint))
            .Select(row => $"{row.Name} ({row.Status})"));

    private static IEnumerable<Fingerprint> Fingerprints(LedgerRow row) =>
        row.Others.Prepend(row.Fingerprint);

    private static void AppendLine(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
