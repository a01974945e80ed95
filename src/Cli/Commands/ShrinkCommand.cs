using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Faults.Building;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Cli.Commands;

/// <summary><c>shrink</c>: makes a diverging trace as short as it can be.</summary>
internal static class ShrinkCommand
{
    public static Command Create(SystemRegistry systems)
    {
        var file = new Argument<string>("file") { Description = "a trace (.shm) that diverges" };
        var system = new Option<string>("--system")
        {
            Description = $"the system it diverges on: {systems.Names}",
            DefaultValueFactory = _ => systems.Default,
        };
        var output = new Option<string?>("-o")
        {
            Description = "where to write the result; standard output when not given",
        };
        Option<string[]> fault = FaultOption.Create();
        Option<bool> noLedger = LedgerOption.Create();
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("shrink", "Shrinks a trace on which a system diverges.")
        {
            file, system, fault, noLedger, output, json,
        };
        command.SetAction(parsed =>
        {
            using FaultySystem? faulty = FaultOption.Plant(parsed, fault, system);
            string name = parsed.GetValue(system)!;
            return Hanging.Guard(faulty ?? systems.Find(name), watched => Run(
                parsed.GetValue(file)!, watched,
                faulty is not null ? null
                    : LedgerOption.LedgerOf(name, parsed.GetValue(noLedger)),
                parsed.GetValue(output), parsed.GetValue(json)));
        });
        return command;
    }

    private static int Run(
        string file, ISystemFactory system, Ledger? ledger, string? output, bool json)
    {
        RunRecord found = TraceReplay.Run(Inputs.ReadTrace(file), system, ledger).Record;
        if (found.Divergence is null)
        {
            return NothingToShrink(file, system, json);
        }

        using var interruption = new Interruption();
        ShrinkResult? result = Shrinker.Shrink(
            new SequenceRunner(system, null, ledger), found,
            cancelled: interruption.Token);
        RunRecord record = result?.Record ?? found;
        if (output is not null)
        {
            Outputs.Write(output, DivergenceText.Trace(record, result));
        }

        bool interrupted = interruption.Token.IsCancellationRequested;
        if (json)
        {
            Json.Print(ShrinkJson.Of(system.Name, record, result, output) with
            {
                Interrupted = interrupted ? true : null,
            });
        }
        else if (output is null)
        {
            Console.Out.Write(DivergenceText.Trace(record, result));
        }

        return interrupted ? ExitCode.Interrupted : ExitCode.Diverges;
    }

    private static int NothingToShrink(string file, ISystemFactory system, bool json)
    {
        if (json)
        {
            Json.Print(new ShrinkJson(system.Name, ReplayedFileJson.Conforms));
        }

        Console.Error.WriteLine(
            $"{file}: {system.Name} does what the specification says; nothing to shrink");
        return ExitCode.Conforms;
    }
}
