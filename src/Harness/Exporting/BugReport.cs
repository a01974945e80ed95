using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>A trace as a bug report in Markdown: what is expected, with its source, what was seen,
/// the trace, a program that shows it, and versions.</summary>
public static class BugReport
{
    private const string Diverges = " diverges: ";
    private const string Rule = " rule ";
    private const string Picture = " state";

    /// <summary>Writes a report.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="program">The trace as a program.</param>
    /// <param name="system">A system to run the trace on; without one, what was seen is what the
    /// trace tells.</param>
    public static string Of(Trace trace, string program, ISystemFactory? system)
    {
        string[] told = Told(trace, system);
        var text = new StringBuilder();
        string? fingerprint = told
            .Where(line => line.StartsWith(Diverges, StringComparison.Ordinal))
            .Select(line => line[Diverges.Length..]).FirstOrDefault();
        text.Append(fingerprint is null ? "# Shared memory accounting\n"
            : $"# Shared memory accounting: {fingerprint}\n");
        Section(text, "Expected", told
            .SkipWhile(line => !line.StartsWith(Rule, StringComparison.Ordinal))
            .TakeWhile(line => !line.StartsWith(Picture, StringComparison.Ordinal))
            .DefaultIfEmpty("The replies and figures that the trace has."));
        Section(text, "Seen", told
            .SkipWhile(line => !line.StartsWith(Diverges, StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.StartsWith(Rule, StringComparison.Ordinal))
            .DefaultIfEmpty(system is null ? "The trace does not tell; run the program below."
                : $"{system.Name} does as expected."));
        Block(text, "Steps", "", TracePrinter.Print(trace with
        {
            Lines = [.. trace.Lines.Where(line => line is not TraceComment)],
        }));
        Block(text, "State", "", string.Concat(told
            .SkipWhile(line => !line.StartsWith(Picture, StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith(Picture, StringComparison.Ordinal)
                || line.StartsWith("  ", StringComparison.Ordinal))
            .Select(line => $"{line[1..]}\n")));
        Block(text, "Program", "c", program);
        Section(text, "Versions",
        [
            $"- expected of Linux {KernelProfileText.Of(trace.Machine.Profile)}",
            $"- system: {system?.Capabilities.KernelRelease ?? system?.Name ?? "see above"}",
            $"- report written on {RuntimeInformation.OSDescription}",
            $"- ShmCheck {typeof(BugReport).Assembly.GetCustomAttribute<
                AssemblyInformationalVersionAttribute>()?.InformationalVersion}",
        ]);
        return text.ToString();
    }

    /// <summary>What differs, the rule and the state, in the words of a divergence.</summary>
    private static string[] Told(Trace trace, ISystemFactory? system)
    {
        if (system is not null)
        {
            ReplayResult replay = TraceReplay.Run(trace, system);
            trace = TraceParser.Parse("", DivergenceText.Trace(replay.Record));
        }

        return [.. trace.Lines.OfType<TraceComment>().Select(line => line.Text ?? "")];
    }

    private static void Section(StringBuilder text, string title, IEnumerable<string> lines) =>
        text.Append($"\n## {title}\n\n{string.Join('\n', lines.Select(line => line.Trim()))}\n");

    private static void Block(StringBuilder text, string title, string language, string content)
    {
        if (content.Length > 0)
        {
            text.Append($"\n## {title}\n\n```{language}\n{content}```\n");
        }
    }
}
