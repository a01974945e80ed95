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
        CampaignReport report, CoverageReport coverage, SystemCapabilities capabilities)
    {
        PrintFigures(report, coverage);
        PrintNever(coverage);
        PrintAllowances(report, capabilities);
        foreach (Finding finding in report.Findings)
        {
            PrintFinding(finding);
        }

        Terminal.Out.MarkupLine(Verdict(report));
    }

    private static void PrintFigures(CampaignReport report, CoverageReport coverage)
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
        table.AddRow("time", $"{seconds:N1} s, {report.Steps / seconds:N0} steps/s");
        RuleCoverage rules = coverage.Rules;
        TransitionCoverage pages = coverage.Transitions;
        table.AddRow("rules", $"{rules.Fired} of {rules.Total} fired"
            + (rules.CannotFire.Length == 0 ? ""
                : $", {rules.CannotFire.Length} that {report.System} cannot show"));
        table.AddRow(
            "errnos", $"{coverage.Errnos.Seen} of {coverage.Errnos.Total} calls with errnos seen");
        table.AddRow("page states", $"{pages.Driven.Length} of {
            pages.Driven.Length + pages.NeverDriven.Length} changes driven");
        Terminal.Out.Write(table);
    }

    private static void PrintNever(CoverageReport coverage)
    {
        PrintNever("never fired, and so not checked:", coverage.Rules.NeverFired);
        PrintNever(
            "never seen:", [.. coverage.Errnos.NeverSeen.Select(outcome => outcome.ToString())]);
        PrintNever(
            "never driven:", [.. coverage.Transitions.NeverDriven.Select(CoverageReport.Name)]);
        foreach (IGrouping<string, (string Rule, string Reason)> group in
            coverage.Rules.CannotFire.GroupBy(r => r.Reason))
        {
            Terminal.Out.MarkupLineInterpolated(
                $"[grey]{group.Key}:[/] {Names([.. group.Select(r => r.Rule)])}");
        }
    }

    private static void PrintNever(string what, IReadOnlyCollection<string> names)
    {
        if (names.Count > 0)
        {
            Terminal.Out.MarkupLineInterpolated($"[yellow]{what}[/] {Names(names)}");
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
        + (rules.Count > MostNamed ? $" and {rules.Count - MostNamed} more (--coverage FILE)" : "");

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
