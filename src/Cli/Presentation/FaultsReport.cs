using System.Collections.Immutable;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Faults.Statistics;
using ShmCheck.Harness.Campaigns;
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

    public static void Print(
        ImmutableArray<HuntResult> results, HuntComparison comparison, bool json,
        bool interrupted)
    {
        if (json)
        {
            Json.Print(new
            {
                Json.Version,
                Faults = results.Select(
                    r => FaultJson.Of(r, comparison.Slower.Contains(r.Fault.Id))),
                comparison.ChanceOfAll,
                Certificates = Certificates(results),
                Interrupted = interrupted ? true : (bool?)null,
            });
            return;
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns(
            "fault", "caught by", "caught", "95 %", "steps", "seconds", "calls", "certificate", "");
        foreach (HuntResult result in results)
        {
            table.AddRow(Row(result, comparison));
        }

        Terminal.Out.Write(table);
        Sum(results, comparison);
    }

    private static void Sum(ImmutableArray<HuntResult> results, HuntComparison comparison)
    {
        int caught = results.Count(r => r.IsCaught);
        Terminal.Out.MarkupLineInterpolated($"{caught} of {results.Length} caught");
        if (!results.IsEmpty)
        {
            long[] steps = [.. results.Select(r => r.MedianSteps).Order()];
            string median = Steps(steps[steps.Length / 2]);
            Terminal.Out.MarkupLineInterpolated(
                $"steps to the catch: median {median}, most {Steps(steps[^1])}");
        }

        SumCertificates(results);
        if (comparison.AllAreSlower)
        {
            double chance = comparison.ChanceOfAll;
            Terminal.Out.MarkupLineInterpolated(
                $"[red]together they take more steps than recorded (p = {chance:G2})[/]");
        }
    }

    private static void SumCertificates(ImmutableArray<HuntResult> results)
    {
        CertificateSummary sum = Certificates(results);
        Terminal.Out.MarkupLineInterpolated($"certificates: {sum.Shortest} shortest, {
            sum.OneMinimal} 1-minimal, {sum.Uncertified} none");
        if (sum.OneMinimal + sum.Uncertified > 0)
        {
            Terminal.Out.MarkupLineInterpolated($"  those not shortest: all sequences of at least {
                sum.LeastSearched} calls searched, and at most {sum.MostAbove} calls above that");
        }

        if (sum.InTiny > 0)
        {
            Terminal.Out.MarkupLineInterpolated($"  in the tiny scope: {sum.ShortestInTiny} of {
                sum.InTiny} shortest ({100.0 * sum.ShortestInTiny / sum.InTiny:N0} %)");
        }
    }

    private static CertificateSummary Certificates(ImmutableArray<HuntResult> results) =>
        CertificateSummary.Of([.. results.Select(r => r.Finding).OfType<Finding>().Select(
            f => new CertifiedTrace(f.Machine, f.Calls, f.Certificate, f.LowerBound))]);

    private static string Steps(long steps) =>
        steps == HuntResult.NotCaught ? "not caught" : $"{steps:N0}";

    private static string Share(HuntResult result)
    {
        (double low, double high) = result.Caught.Interval();
        return $"{100 * low:N0}-{100 * high:N0} %";
    }

    private static string[] Row(HuntResult result, HuntComparison comparison) =>
    [
        result.Fault.Id,
        Markup.Escape(result.Finding?.Fingerprint.ToString() ?? "survived"),
        $"{result.Caught.Hits}/{result.Caught.Trials}",
        Share(result),
        Steps(result.MedianSteps),
        $"{result.Seconds:N1}",
        $"{result.Finding?.Calls.Length}",
        result.Finding is { } finding ? FindingText.Certificate(finding) : "",
        !IsAsRecorded(result)
            ? $"[red]recorded: {Recorded(result)?.Rule} {Recorded(result)?.Calls}[/]"
            : comparison.Slower.Contains(result.Fault.Id) ? "[red]takes more steps than recorded[/]"
            : "",
    ];

    private static KillRow? Recorded(HuntResult result) =>
        KillMatrix.Recorded.GetValueOrDefault(result.Fault.Id);
}

/// <summary>The JSON of one hunt.</summary>
internal sealed record FaultJson(
    string Id, bool Caught, string? CaughtBy, ImmutableArray<long?> Steps, double CaughtAtLeast,
    double CaughtAtMost, bool Slower, double Seconds, int? ShrunkTo, string? Certificate,
    int? LowerBound, ImmutableArray<string> Others)
{
    public static FaultJson Of(HuntResult result, bool slower) => new(
        result.Fault.Id, result.IsCaught, result.Finding?.Fingerprint.Rule,
        [.. result.Steps.Select(s => s == HuntResult.NotCaught ? (long?)null : s)],
        Math.Round(result.Caught.Interval().Low, 3), Math.Round(result.Caught.Interval().High, 3),
        slower, Math.Round(result.Seconds, 3), result.Finding?.Calls.Length,
        result.Finding is { } finding ? FindingText.Certificate(finding) : null,
        result.Finding?.LowerBound,
        [.. result.Others.Select(o => o.ToString())]);
}
