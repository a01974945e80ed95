using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Ledgers;
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
        Option<bool> noLedger = LedgerOption.Create();
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "replay", "Runs traces and compares with the specification and with their replies.")
        {
            files, system, noLedger, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(files)!, SystemRegistry.Find(parsed.GetValue(system)!),
            LedgerOption.LedgerOf(parsed.GetValue(system)!, parsed.GetValue(noLedger)),
            parsed.GetValue(json)));
        return command;
    }

    private static int Run(string[] files, ISystemFactory system, Ledger? ledger, bool json)
    {
        List<ReplayJson> results = [.. files.Select(file => Replay(file, system, ledger))];
        if (json)
        {
            Json.Print(new { Version = Json.Version, System = system.Name, Files = results });
        }
        else
        {
            results.ForEach(Print);
        }

        return results.Any(r => r.Verdict == ReplayJson.Unreadable) ? ExitCode.BadInput
            : results.All(r => r.Verdict == ReplayJson.Conforms) ? ExitCode.Conforms
            : ExitCode.Diverges;
    }

    private static ReplayJson Replay(string file, ISystemFactory system, Ledger? ledger)
    {
        Trace trace;
        try
        {
            trace = Inputs.ReadTrace(file);
        }
        catch (BadInputException problem)
        {
            return new ReplayJson(file, ReplayJson.Unreadable, 0, [problem.Message], []);
        }

        ReplayResult result = TraceReplay.Run(trace, system, ledger);
        List<string> problems =
            [.. result.Mismatches.Select(m => $"{file}:{m.Line}: {m.Text}: {m.Problem}")];
        if (result.Record.Divergence is { } divergence)
        {
            problems.Add(DivergenceText.Explain(divergence));
        }

        return new ReplayJson(
            file, result.Conforms ? ReplayJson.Conforms : ReplayJson.Diverges,
            result.Record.Compared, [.. problems], KnownJson.Of(result.Record.Allowances));
    }

    private static void Print(ReplayJson result)
    {
        Console.WriteLine($"{result.File}: {result.Verdict} ({result.Calls} calls)");
        foreach (KnownJson known in result.Known)
        {
            Console.WriteLine($"  known divergence {known.Row}: {known.Count} calls");
        }

        foreach (string problem in result.Problems)
        {
            Console.WriteLine($"  {problem.Replace("\n", "\n  ", StringComparison.Ordinal)}");
        }
    }
}
