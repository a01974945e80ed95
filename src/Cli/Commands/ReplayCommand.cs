using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Faults.Building;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Results;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Cli.Commands;

/// <summary><c>replay</c>: runs traces.</summary>
internal static class ReplayCommand
{
    public static Command Create(SystemRegistry systems)
    {
        var files = new Argument<string[]>("file")
        {
            Description = "traces (.shm)",
            Arity = ArgumentArity.OneOrMore,
        };
        var system = new Option<string>("--system")
        {
            Description = $"the system to run them on: {systems.Names}",
            DefaultValueFactory = _ => systems.Default,
        };
        Option<string[]> fault = FaultOption.Create();
        Option<bool> noLedger = LedgerOption.Create();
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "replay", "Runs traces and compares with the specification and with their replies.")
        {
            files, system, fault, noLedger, json,
        };
        command.SetAction(parsed =>
        {
            using FaultySystem? faulty = FaultOption.Plant(parsed, fault, system);
            string name = parsed.GetValue(system)!;
            return Run(
                parsed.GetValue(files)!, faulty ?? systems.Find(name),
                faulty is not null ? null
                    : LedgerOption.LedgerOf(name, parsed.GetValue(noLedger)),
                parsed.GetValue(json));
        });
        return command;
    }

    private static int Run(string[] files, ISystemFactory system, Ledger? ledger, bool json)
    {
        var results = new List<ReplayedFileJson>();
        string? lost = null;
        try
        {
            foreach (string file in files)
            {
                ReplayedFileJson result = Replay(file, system, ledger);
                results.Add(result);
                if (!json)
                {
                    Print(result);
                }
            }
        }
        catch (SystemLostException problem)
        {
            lost = problem.Message;
            Console.Error.WriteLine($"shmcheck: {lost}");
        }

        if (json)
        {
            Json.Print(new ReplayJson(system.Name, [.. results]) { Error = lost });
        }

        return lost is not null ? ExitCode.SystemLost
            : results.Any(r => r.Verdict == ReplayedFileJson.Unreadable) ? ExitCode.BadInput
            : results.Any(r => r.Verdict == ReplayedFileJson.Diverges) ? ExitCode.Diverges
            : ExitCode.Conforms;
    }

    private static ReplayedFileJson Replay(
        string file, ISystemFactory system, Ledger? ledger)
    {
        Trace trace;
        try
        {
            trace = Inputs.ReadTrace(file);
        }
        catch (BadInputException problem)
        {
            return new ReplayedFileJson(
                file, ReplayedFileJson.Unreadable, 0, [problem.Message], []);
        }

        if (TraceReplay.Obstacle(trace, system.Capabilities) is { } obstacle)
        {
            return new ReplayedFileJson(
                file, ReplayedFileJson.NotApplicable, 0, [$"{system.Name} {obstacle}"], []);
        }

        ReplayResult result = Hanging.Guard(
            system, watched => TraceReplay.Run(trace, watched, ledger));
        List<string> problems =
            [.. result.Mismatches.Select(m => $"{file}:{m.Line}: {m.Text}: {m.Problem}")];
        if (result.Record.Divergence is { } divergence)
        {
            problems.Add(DivergenceText.Explain(divergence));
        }

        return new ReplayedFileJson(
            file, result.Conforms ? ReplayedFileJson.Conforms : ReplayedFileJson.Diverges,
            result.Record.Compared, [.. problems], KnownResult.Of(result.Record.Allowances));
    }

    private static void Print(ReplayedFileJson result)
    {
        Console.WriteLine($"{result.File}: {result.Verdict} ({result.Calls} calls)");
        foreach (KnownResult known in result.Known)
        {
            Console.WriteLine($"  known divergence {known.Row}: {known.Count} calls");
        }

        foreach (string problem in result.Problems)
        {
            Console.WriteLine($"  {problem.Replace("\n", "\n  ", StringComparison.Ordinal)}");
        }
    }
}
