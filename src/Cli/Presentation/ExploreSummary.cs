using ShmCheck.Harness.Exploring;
using ShmCheck.Harness.Reporting;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>The result of <c>explore</c> for a person to read.</summary>
internal static class ExploreSummary
{
    private const double BytesPerMebibyte = 1 << 20;

    /// <summary>Writes the trace of each violation.</summary>
    /// <returns>Their paths.</returns>
    public static IReadOnlyList<string> WriteTraces(ExplorationReport report, string directory)
    {
        var paths = new List<string>();
        foreach (ExplorationViolation found in report.Violations)
        {
            string path = Path.Combine(directory, $"{found.Fingerprint.ToFileName()}.shm");
            File.WriteAllText(path, DivergenceText.Trace(found.Record));
            paths.Add(path);
        }

        return paths;
    }

    public static void Print(
        ExplorationReport report, IReadOnlyList<string> traces, string? unfinished)
    {
        PrintFigures(report);
        for (int at = 0; at < traces.Count; at++)
        {
            ExplorationViolation found = report.Violations[at];
            Terminal.Out.WriteLine();
            Terminal.Out.MarkupLineInterpolated($"[red]{found.Fingerprint}[/]");
            int calls = found.Record.Calls.Count;
            bool hangs = report.End == ExplorationEnd.Hung && at == traces.Count - 1;
            string fewest = hangs ? "" : ", the fewest in this scope";
            Terminal.Out.MarkupLineInterpolated(
                $"[grey]{calls} calls{fewest}, {traces[at]}[/]");
            Terminal.Out.WriteLine();
            Console.Out.Write(DivergenceText.Trace(found.Record));
            Terminal.Out.WriteLine();
        }

        Terminal.Out.MarkupLine(Verdict(report));
        if (unfinished is not null)
        {
            Terminal.Out.MarkupLineInterpolated($"[grey]kept for --resume: {unfinished}[/]");
        }
    }

    private static void PrintFigures(ExplorationReport report)
    {
        double seconds = report.Elapsed.TotalSeconds;
        ScopeBounds bounds = report.Scope.Bounds;
        var table = new Table { Border = TableBorder.None, ShowHeaders = false };
        table.AddColumns("", "");
        table.AddRow("system", report.System);
        table.AddRow("scope", $"{report.Scope.Name}: {bounds.Processes} processes, "
            + $"{bounds.Segments} segments, {bounds.Attaches} attaches of each process, "
            + $"{report.Scope.Calls.Count()} calls (docs/exploring.md)");
        table.AddRow("states", $"{report.States:N0}, {report.Bytes / BytesPerMebibyte:N1} MiB");
        table.AddRow("transitions",
            $"{report.Transitions:N0} checked, {report.Pruned:N0} pruned");
        table.AddRow("depth", $"{report.Depth}");
        table.AddRow("time", $"{seconds:N1} s, {report.States / seconds:N0} states/s, "
            + $"{report.Transitions / seconds:N0} transitions/s");
        table.AddRow("rules", $"{report.RulesFired.Length} fired");
        Terminal.Out.Write(table);
    }

    private static string Verdict(ExplorationReport report)
    {
        string ended = report.End switch
        {
            ExplorationEnd.Closed => "[green]closed:[/] nothing is left to explore",
            ExplorationEnd.Depth => "[yellow]not closed:[/] longer sequences were not asked for",
            ExplorationEnd.Memory => "[yellow]not closed: the memory bound is reached;[/] "
                + $"{report.Frontier:N0} states were not expanded; give more with --memory and "
                + "--resume, or less to do with --depth",
            ExplorationEnd.Interrupted => $"[yellow]interrupted:[/] {report.Frontier:N0} states "
                + "were not expanded; go on with --resume",
            ExplorationEnd.Hung => "[red]not closed: a call does not come back;[/] "
                + $"{report.Frontier:N0} states were not expanded",
            _ => throw new InvalidOperationException($"unknown end {report.End}"),
        };
        return report.Violations.IsEmpty
            ? $"{ended}; [green]no divergence from the specification[/]"
            : $"{ended}; [red]{report.Violations.Length} distinct "
                + (report.Violations.Length == 1 ? "bug[/]" : "bugs[/]");
    }
}
