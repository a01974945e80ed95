using System.Collections.Immutable;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>The kill matrix for a person or a program to read.</summary>
internal static class FaultsReport
{
    public static void List(ImmutableArray<Fault> faults, bool json)
    {
        if (json)
        {
            Json.Print(new
            {
                Json.Version,
                Faults = faults.Select(f => new
                {
                    f.Id, f.Title, f.Recreates, f.Versions, f.CaughtBy, f.Shows,
                    Kind = f.Kind.ToString(),
                }),
            });
            return;
        }

        foreach (Fault fault in faults)
        {
            Terminal.Out.MarkupLineInterpolated($"[bold]{fault.Id}[/]  {fault.Title}");
            Terminal.Out.MarkupLineInterpolated($"  [grey]{fault.Recreates}; {fault.Versions}[/]");
        }
    }

    /// <summary>Whether a hunt ended as the recorded matrix says.</summary>
    public static bool IsAsRecorded(HuntResult result) => result.IsCaught
        && Recorded(result) is { } row && row.Rule == result.Finding!.Fingerprint.Rule
        && result.Finding.Calls.Length <= row.Calls;

    public static void Print(ImmutableArray<HuntResult> results, bool json, bool interrupted)
    {
        if (json)
        {
            Json.Print(new
            {
                Json.Version,
                Faults = results.Select(FaultJson.Of),
                Interrupted = interrupted ? true : (bool?)null,
            });
            return;
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("fault", "caught by", "steps", "seconds", "calls", "certificate", "");
        foreach (HuntResult result in results)
        {
            table.AddRow(Row(result));
        }

        Terminal.Out.Write(table);
        int caught = results.Count(r => r.IsCaught);
        Terminal.Out.MarkupLineInterpolated($"{caught} of {results.Length} caught");
    }

    private static string[] Row(HuntResult result) =>
    [
        result.Fault.Id,
        Markup.Escape(result.Finding?.Fingerprint.ToString() ?? "survived"),
        $"{result.Steps:N0}",
        $"{result.Seconds:N1}",
        $"{result.Finding?.Calls.Length}",
        result.Finding is { } finding ? FindingText.Certificate(finding) : "",
        IsAsRecorded(result) ? "" : $"[red]recorded: {Recorded(result)}[/]",
    ];

    private static KillRow? Recorded(HuntResult result) =>
        KillMatrix.Recorded.GetValueOrDefault(result.Fault.Id);
}

/// <summary>The JSON of one hunt.</summary>
internal sealed record FaultJson(
    string Id, bool Caught, string? CaughtBy, long Steps, double Seconds, int? ShrunkTo,
    string? Certificate, int? LowerBound, ImmutableArray<string> Others)
{
    public static FaultJson Of(HuntResult result) => new(
        result.Fault.Id, result.IsCaught, result.Finding?.Fingerprint.Rule, result.Steps,
        Math.Round(result.Seconds, 3), result.Finding?.Calls.Length,
        result.Finding is { } finding ? FindingText.Certificate(finding) : null,
        result.Finding?.LowerBound,
        [.. result.Others.Select(o => o.ToString())]);
}
