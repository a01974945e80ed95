using System.Collections.Immutable;
using System.Globalization;
using ShmCheck.Faults.Patches;

namespace ShmCheck.Faults.Hunting;

/// <summary>How a fault was caught when the matrix was recorded.</summary>
/// <param name="Fault">Id of the fault.</param>
/// <param name="Rule">The rule or invariant that caught it; <c>-</c> when it survived.</param>
/// <param name="Calls">Calls of the shrunk trace.</param>
public sealed record KillRow(string Fault, string Rule, int Calls)
{
    /// <summary>What a survivor has instead of a rule.</summary>
    public const string Survived = "-";

    /// <summary>The row of a hunt.</summary>
    public static KillRow Of(HuntResult result) => new(
        result.Fault.Id, result.Finding?.Fingerprint.Rule ?? Survived,
        result.Finding?.Calls.Length ?? 0);
}

/// <summary>The kill matrix: a line for each fault with its id, the rule or invariant that catches
/// it, and the calls of its shrunk trace. It stands in <c>faults/matrix.txt</c>.</summary>
public static class KillMatrix
{
    /// <summary>Name of the file in the folder of the faults.</summary>
    public const string FileName = "matrix.txt";

    private const string Header = "# fault, rule or invariant that catches it, calls";

    /// <summary>The matrix as it was recorded.</summary>
    /// <exception cref="FaultException">It is malformed.</exception>
    public static ImmutableDictionary<string, KillRow> Recorded { get; } =
        Parse(FaultCatalogue.MatrixText).ToImmutableDictionary(r => r.Fault);

    /// <summary>Reads a matrix.</summary>
    /// <exception cref="FaultException">It is malformed.</exception>
    public static ImmutableArray<KillRow> Parse(string text)
    {
        string[] lines = text.Split('\n');
        var rows = ImmutableArray.CreateBuilder<KillRow>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0 || lines[i][0] == '#')
            {
                continue;
            }

            string[] cells = lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (cells.Length != 3 || !int.TryParse(
                cells[2], NumberStyles.None, CultureInfo.InvariantCulture, out int calls))
            {
                throw new FaultException($"{FileName}:{i + 1}: expected 'FAULT RULE CALLS'");
            }

            rows.Add(new KillRow(cells[0], cells[1], calls));
        }

        return rows.ToImmutable();
    }

    /// <summary>Writes a matrix, by id.</summary>
    public static string Print(IEnumerable<KillRow> rows) => string.Concat(
        rows.OrderBy(r => r.Fault, StringComparer.Ordinal)
            .Select(r => $"{r.Fault} {r.Rule} {r.Calls}\n").Prepend(Header + "\n"));
}
