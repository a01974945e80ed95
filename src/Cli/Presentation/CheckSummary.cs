using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>The result of <c>check</c> for a person to read.</summary>
internal static class CheckSummary
{
    /// <summary>Rules that are named one by one; more are only counted.</summary>
    private const int MostNamed = 20;

    public static void Print(
        CampaignReport report, RuleCoverage coverage, SystemCapabilities capabilities)
    {
        PrintFigures(report, coverage);
        PrintTransitions(report);
        PrintNeverFired(coverage);
        PrintAllowances(report, capabilities);
        foreach (Finding finding in report.Findings)
        {
            PrintFinding(finding);
        }

        Terminal.Out.MarkupLine(Verdict(report));
    }

    private static void PrintFigures(CampaignReport report, RuleCoverage coverage)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumns("", "");
        double seconds = report.Elapsed.TotalSeconds;
        table.AddRow("system", report.System);
        table.AddRow("seed", $"{report.Options.Seed}"
            + (report.Options.Shards > 1
                ? $" (shard {report.Options.Shard}/{report.Options.Shards})" : ""));
        table.AddRow("runs", $"{report.Runs:N0}, {report.Planned:N0} of them planned");
        table.AddRow("steps", $"{report.Steps:N0} compared, {report.Skipped:N0} skipped");
        if (report.Spontaneous > 0)
        {
            table.AddRow("tolerated", $"{report.Spontaneous:N0} "
                + "changes of figures that change by themselves and did not do so again");
        }

        table.AddRow("time", $"{seconds:N1} s, {report.Steps / seconds:N0} steps/s");
        table.AddRow("rules", $"{coverage.Fired} of {coverage.Total} fired"
            + (coverage.CannotFire.Length == 0 ? ""
                : $", {coverage.CannotFire.Length} that {report.System} cannot show"));
        Terminal.Out.Write(table);
    }

    private static void PrintTransitions(CampaignReport report)
    {
        string text = string.Join(", ", report.Coverage.Transitions
            .OrderBy(t => t.Key.From).ThenBy(t => t.Key.To)
            .Select(t => $"{t.Key.From}->{t.Key.To} {t.Value:N0}"));
        Terminal.Out.MarkupLineInterpolated($"[grey]page states[/] {text}");
    }

    private static void PrintNeverFired(RuleCoverage coverage)
    {
        if (coverage.NeverFired.Length > 0)
        {
            Terminal.Out.MarkupLineInterpolated(
                $"[yellow]never fired, and so not checked:[/] {Names(coverage.NeverFired)}");
        }

        foreach (IGrouping<string, (string Rule, string Reason)> group in
            coverage.CannotFire.GroupBy(r => r.Reason))
        {
            Terminal.Out.MarkupLineInterpolated(
                $"[grey]{group.Key}:[/] {Names([.. group.Select(r => r.Rule)])}");
        }
    }

    private static void PrintAllowances(
        CampaignReport report, SystemCapabilities capabilities)
    {
        foreach (KnownJson known in KnownJson.Of(report.Allowances))
        {
            Terminal.Out.MarkupLineInterpolated(
                $"[yellow]known divergence[/] {known.Row} ({known.Status}): {known.Count:N0} calls");
        }

        foreach (ToleranceJson tolerance in ToleranceJson.Of(capabilities, report.Allowances))
        {
            Terminal.Out.MarkupLineInterpolated($"[grey]tolerance[/] {tolerance.Id} ({
                string.Join(", ", tolerance.Fields)} off {tolerance.Extent}): {
                tolerance.Count:N0} figures; {tolerance.Reason}");
        }

        foreach (IGrouping<string, HiddenFieldJson> hidden in
            HiddenFieldJson.Of(capabilities).GroupBy(field => field.Reason))
        {
            Terminal.Out.MarkupLineInterpolated($"[grey]not shown, {hidden.Key}:[/] {
                Names([.. hidden.Select(field => field.Field)])}");
        }
    }

    private static string Names(IReadOnlyCollection<string> rules) =>
        string.Join(", ", rules.Take(MostNamed))
        + (rules.Count > MostNamed ? $" and {rules.Count - MostNamed} more (--json)" : "");

    private static void PrintFinding(Finding finding)
    {
        Terminal.Out.WriteLine();
        Terminal.Out.MarkupLineInterpolated($"[red]{finding.Fingerprint}[/]");
        Terminal.Out.MarkupLineInterpolated(
            $"[grey]{finding.Calls.Length} calls, certificate {FindingText.Certificate(finding)}, {finding.Path}[/]");
        Terminal.Out.WriteLine();
        Console.Out.Write(finding.Text);
        Terminal.Out.WriteLine();
    }

    private static string Verdict(CampaignReport report)
    {
        string interrupted = report.Lost is not null ? "[red]the system is lost;[/] "
            : report.Interrupted ? "[yellow]interrupted;[/] " : "";
        return report.Findings.IsEmpty
            ? $"{interrupted}[green]conforms:[/] no divergence from the specification"
            : $"{interrupted}[red]diverges:[/] {report.Findings.Length} distinct "
                + (report.Findings.Length == 1 ? "bug" : "bugs");
    }
}
