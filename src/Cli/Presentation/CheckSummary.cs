using ShmCheck.Harness.Results;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>The result of <c>check</c> for a person to read.</summary>
internal static class CheckSummary
{
    /// <summary>Rules that are named one by one; more are only counted.</summary>
    private const int MostNamed = 20;

    public static void Print(CampaignResult result)
    {
        PrintFigures(result);
        PrintNever(result);
        PrintAllowances(result);
        foreach (DivergenceResult found in result.Divergences)
        {
            PrintFinding(found);
        }

        Terminal.Out.MarkupLine(Verdict(result));
    }

    private static void PrintFigures(CampaignResult result)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumns("", "");
        table.AddRow("system", result.System);
        table.AddRow("seed", $"{result.Seed}"
            + (result.Part.Of > 1 ? $" (shard {result.Shard})" : ""));
        table.AddRow("runs", $"{result.Runs:N0}, {result.Planned:N0} of them planned");
        table.AddRow("steps", $"{result.Steps:N0} compared, {result.Skipped:N0} skipped");
        table.AddRow("time", $"{result.Seconds:N1} s, {result.StepsPerSecond:N0} steps/s");
        table.AddRow("observed", $"{result.Observed:N0} times, all figures, "
            + $"{1e6 * result.ObservationSeconds / Math.Max(result.Observed, 1):N1} us each");
        RulesResult rules = result.Rules;
        table.AddRow("rules", $"{rules.Fired} of {rules.Total} fired"
            + (rules.CannotFire.Length == 0 ? ""
                : $", {rules.CannotFire.Length} that {result.System} cannot show"));
        table.AddRow(
            "errnos", $"{result.Errnos.Seen} of {result.Errnos.Total} calls with errnos seen");
        table.AddRow(
            "page states",
            $"{result.PageStates.Seen} of {result.PageStates.Total} changes driven");
        Terminal.Out.Write(table);
    }

    private static void PrintNever(CampaignResult result)
    {
        PrintNever("never fired, and so not checked:", result.Rules.NeverFired);
        PrintNever("never seen:", result.Errnos.NeverSeen);
        PrintNever("never driven:", result.PageStates.NeverSeen);
        foreach (IGrouping<string, RuleReason> group in
            result.Rules.CannotFire.GroupBy(r => r.Reason))
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

    private static void PrintAllowances(CampaignResult result)
    {
        foreach (KnownResult known in result.Known)
        {
            string row = $"{known.Row} ({known.Status})";
            Terminal.Out.MarkupLineInterpolated(
                $"[yellow]known divergence[/] {row}: {known.Count:N0} calls");
        }

        foreach (ToleranceResult tolerance in result.Tolerances)
        {
            Terminal.Out.MarkupLineInterpolated($"[grey]tolerance[/] {tolerance.Id} ({
                string.Join(", ", tolerance.Fields)} off {tolerance.Extent}): {
                tolerance.Count:N0} figures; {tolerance.Reason}");
        }

        foreach (IGrouping<string, HiddenFieldResult> hidden in
            result.NotShown.GroupBy(field => field.Reason))
        {
            Terminal.Out.MarkupLineInterpolated($"[grey]not shown, {hidden.Key}:[/] {
                Names([.. hidden.Select(field => field.Field)])}");
        }
    }

    private static string Names(IReadOnlyCollection<string> rules) =>
        string.Join(", ", rules.Take(MostNamed))
        + (rules.Count > MostNamed ? $" and {rules.Count - MostNamed} more (--coverage FILE)" : "");

    private static void PrintFinding(DivergenceResult found)
    {
        Terminal.Out.WriteLine();
        Terminal.Out.MarkupLineInterpolated($"[red]{found.Fingerprint}[/]");
        Terminal.Out.MarkupLineInterpolated(
            $"[grey]{found.Steps} calls, certificate {found.Certificate}, {found.Trace}[/]");
        Terminal.Out.WriteLine();
        Console.Out.Write(found.Text);
        Terminal.Out.WriteLine();
    }

    private static string Verdict(CampaignResult result)
    {
        string interrupted = result.Error is not null ? "[red]the system is lost;[/] "
            : result.Interrupted == true ? "[yellow]interrupted;[/] "
            : result.Hung == true
                ? "[red]a call does not come back, and the rest was not run;[/] "
            : result.Problems is not null ? "[yellow]incomplete;[/] " : "";
        return result.Divergences.IsEmpty && result.Steps == 0
            ? $"{interrupted}[yellow]nothing was compared[/]"
            : result.Divergences.IsEmpty
            ? $"{interrupted}[green]conforms:[/] no divergence from the specification"
            : $"{interrupted}[red]diverges:[/] {result.Divergences.Length} distinct "
                + (result.Divergences.Length == 1 ? "bug" : "bugs");
    }
}
