using System.Text;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Ledgers;

/// <summary>Writes ledgers. <see cref="LedgerParser"/> reads back what it writes.</summary>
public static class LedgerPrinter
{
    /// <summary>The whole ledger, each line ended by LF.</summary>
    public static string Print(Ledger ledger)
    {
        var text = new StringBuilder();
        text.Append($"# shmcheck ledger {Ledger.Version}\nsystem {ledger.System}\n");
        if (!ledger.Versions.IsEmpty)
        {
            text.Append($"versions {string.Join(", ", ledger.Versions)}\n");
        }

        foreach (LedgerRow row in ledger.Rows)
        {
            text.Append('\n').Append(Print(row));
        }

        return text.ToString();
    }

    /// <summary>One row.</summary>
    public static string Print(LedgerRow row)
    {
        var text = new StringBuilder();
        text.Append($"row {row.Name}\n");
        text.Append($"fingerprint {row.Fingerprint}\n");
        foreach (Fingerprint other in row.Others)
        {
            text.Append($"also {other}\n");
        }

        text.Append($"status {row.Status}\n");
        if (!row.Kernels.IsEmpty)
        {
            text.Append($"kernels {string.Join(", ", row.Kernels)}\n");
        }

        foreach (WrongFigure figure in row.Figures)
        {
            text.Append($"wrong {figure}\n");
        }

        text.Append("about\n");
        AppendBlock(text, row.About);
        text.Append("trace\n");
        AppendBlock(text, TracePrinter.Print(row.Trace).TrimEnd('\n').Split('\n'));
        return text.ToString();
    }

    private static void AppendBlock(StringBuilder text, IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            text.Append("  ").Append(line).Append('\n');
        }
    }
}
