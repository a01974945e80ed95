using System.Collections.Immutable;
using System.Text;

namespace ShmCheck.Faults.Patches;

/// <summary>Writes faults.</summary>
public static class FaultPrinter
{
    /// <summary>Brings the line numbers of a fault up to the present sources; its own headers and
    /// lines stay as they are.</summary>
    /// <param name="text">The file of the fault.</param>
    /// <param name="fault">The fault that it holds.</param>
    /// <exception cref="FaultException">It does not apply.</exception>
    public static string Rebase(string text, Fault fault)
    {
        int diff = text.IndexOf("--- a/", StringComparison.Ordinal);
        var result = new StringBuilder(text[..diff]);
        ImmutableArray<ImmutableArray<int>> places =
            Patcher.Places(FaultCatalogue.Sources, fault);
        for (int i = 0; i < fault.Files.Length; i++)
        {
            Print(fault.Files[i], places[i], result);
        }

        return result.ToString();
    }

    private static void Print(FileDiff file, ImmutableArray<int> places, StringBuilder result)
    {
        result.Append($"--- a/{file.Path}\n+++ b/{file.Path}\n");
        int shift = 0;
        for (int i = 0; i < file.Hunks.Length; i++)
        {
            Hunk hunk = file.Hunks[i];
            int before = hunk.Before.Count();
            int after = hunk.After.Count();
            result.Append(
                $"@@ -{places[i] + 1},{before} +{places[i] + 1 + shift},{after} @@\n");
            shift += after - before;
            foreach (HunkLine line in hunk.Lines)
            {
                result.Append(line.Kind switch
                {
                    HunkLineKind.Context => ' ',
                    HunkLineKind.Removed => '-',
                    HunkLineKind.Added => '+',
                    _ => throw new ArgumentOutOfRangeException(nameof(file)),
                }).Append(line.Text).Append('\n');
            }
        }
    }
}
