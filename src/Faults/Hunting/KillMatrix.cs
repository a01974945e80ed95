using System.Collections.Immutable;
using System.Globalization;
using ShmCheck.Faults.Patches;
using ShmCheck.Faults.Statistics;

namespace ShmCheck.Faults.Hunting;

/// <summary>How a fault was caught when the matrix was recorded.</summary>
/// <param name="Fault">Id of the fault.</param>
/// <param name="Rule">The rule or invariant that caught it; <c>-</c> when it survived.</param>
/// <param name="Calls">Calls of the shrunk trace.</param>
/// <param name="Steps">Calls compared until it was caught under the seeds from
/// <see cref="HuntOptions.FirstSeed"/> on; <see cref="HuntResult.NotCaught"/> where it was not
/// within <see cref="HuntOptions.DefaultWithin"/>.</param>
public sealed record KillRow(string Fault, string Rule, int Calls, ImmutableArray<long> Steps)
{
    /// <summary>What a survivor has instead of a rule, and a campaign that did not catch the
    /// fault instead of steps.</summary>
    public const string Survived = "-";

    /// <summary>The row of a hunt.</summary>
    public static KillRow Of(HuntResult result) => new(
        result.Fault.Id, result.Finding?.Fingerprint.Rule ?? Survived,
        result.Finding?.Calls.Length ?? 0, result.Steps);
}

/// <summary>The kill matrix: a line for each fault with its id, the rule or invariant that catches
/// it, the calls of its shrunk trace, and the steps until it was caught under each seed. It stands
/// in <c>faults/matrix.txt</c>.</summary>
public static class KillMatrix
{
    /// <summary>Name of the file in the folder of the faults.</summary>
    public const string FileName = "matrix.txt";

    private const int FixedCells = 3;

    private static readonly string Header = string.Create(
        CultureInfo.InvariantCulture,
        $"# fault, rule or invariant that catches it, calls, steps under seeds 1 to "
        + $"{HuntOptions.DefaultCampaigns} ({KillRow.Survived} where {HuntOptions.DefaultWithin} "
        + $"did not catch it)\n");

    /// <summary>The matrix as it was recorded.</summary>
    /// <exception cref="FaultException">It is malformed.</exception>
    public static ImmutableDictionary<string, KillRow> Recorded { get; } =
        Parse(FaultCatalogue.MatrixText).ToImmutableDictionary(r => r.Fault);

    /// <summary>Compares hunts with the recorded ones. Those that were hunted otherwise than the
    /// matrix was recorded, or are not in it, are left out.</summary>
    public static HuntComparison Compare(IEnumerable<HuntResult> results) => HuntComparison.Of(
    [
        .. results.Where(r => r.Options == new HuntOptions()
                && Recorded.GetValueOrDefault(r.Fault.Id)?.Steps.Length == r.Steps.Length)
            .Select(r => new StepsOfFault(r.Fault.Id, Recorded[r.Fault.Id].Steps, r.Steps)),
    ]);

    /// <summary>Reads a matrix.</summary>
    /// <exception cref="FaultException">It is malformed.</exception>
    public static ImmutableArray<KillRow> Parse(string text)
    {
        string[] lines = text.Split('\n');
        var rows = ImmutableArray.CreateBuilder<KillRow>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length > 0 && lines[i][0] != '#')
            {
                rows.Add(Row(lines[i]) ?? throw new FaultException(
                    $"{FileName}:{i + 1}: expected 'FAULT RULE CALLS STEPS...'"));
            }
        }

        return rows.ToImmutable();
    }

    /// <summary>Writes a matrix, by id.</summary>
    public static string Print(IEnumerable<KillRow> rows) => string.Concat(
        rows.OrderBy(r => r.Fault, StringComparer.Ordinal).Select(Line).Prepend(Header));

    private static KillRow? Row(string line)
    {
        string[] cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (cells.Length < FixedCells || Number(cells[2]) is not { } calls)
        {
            return null;
        }

        long?[] steps = [.. cells.Skip(FixedCells).Select(
            cell => cell == KillRow.Survived ? HuntResult.NotCaught : Number(cell))];
        return steps.Contains(null) ? null
            : new KillRow(cells[0], cells[1], (int)calls, [.. steps.Select(s => s!.Value)]);
    }

    private static long? Number(string cell) => int.TryParse(
        cell, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static string Line(KillRow row) => string.Create(
        CultureInfo.InvariantCulture, $"{row.Fault} {row.Rule} {row.Calls}")
        + string.Concat(row.Steps.Select(s => " " + (s == HuntResult.NotCaught
            ? KillRow.Survived : s.ToString(CultureInfo.InvariantCulture)))) + "\n";
}
