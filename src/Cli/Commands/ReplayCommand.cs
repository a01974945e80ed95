using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Cli.Commands;

/// <summary><c>replay</c>: runs traces.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "traces (.shm)",
            Arity = ArgumentArity.OneOrMore,
        };
        var system = new Option<string>("--system")
        {
            Description = $"the system to run them on: {SystemRegistry.Names}",
            DefaultValueFactory = _ => SystemRegistry.Default,
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "replay", "Runs traces and compares with the specification and with their replies.")
        {
            files, system, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(files)!, SystemRegistry.Find(parsed.GetValue(system)!),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(string[] files, ISystemFactory system, bool json)
    {
        List<ReplayJson> results = [.. files.Select(file => Replay(file, system))];
        if (json)
        {
            Json.Print(new { Version = Json.Version, System = system.Name, Files = results });
        }
        else
        {
            results.ForEach(Print);
        }

        return results.Any(r => r.Verdict == ReplayJson.Unreadable) ? ExitCode.BadInput
            : results.Any(r => r.Verdict == ReplayJson.Diverges) ? ExitCode.Diverges
            : ExitCode.Conforms;
    }

    private static ReplayJson Replay(string file, ISystemFactory system)
    {
        Trace trace;
        try
        {
            trace = Inputs.ReadTrace(file);
        }
        catch (BadInputException problem)
        {
            return new ReplayJson(file, ReplayJson.Unreadable, 0, [problem.Message]);
        }

        if (TraceReplay.Obstacle(trace, system.Capabilities) is { } obstacle)
        {
            return new ReplayJson(
                file, ReplayJson.NotApplicable, 0, [$"{system.Name} {obstacle}"]);
        }

        ReplayResult result = TraceReplay.Run(trace, system);
        List<string> problems =
            [.. result.Mismatches.Select(m => $"{file}:{m.Line}: {m.Text}: {m.Problem}")];
        if (result.Record.Divergence is { } divergence)
        {
            problems.Add(DivergenceText.Explain(divergence));
        }

        return new ReplayJson(
            file, result.Conforms ? ReplayJson.Conforms : ReplayJson.Diverges,
            result.Record.Compared, [.. problems]);
    }

    private static void Print(ReplayJson result)
    {
        Console.WriteLine($"{result.File}: {result.Verdict} ({result.Calls} calls)");
        foreach (string problem in result.Problems)
        {
            Console.WriteLine($"  {problem.Replace("\n", "\n  ", StringComparison.Ordinal)}");
        }
    }
}
