using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Cli.Commands;

/// <summary><c>shrink</c>: makes a diverging trace as short as it can be.</summary>
internal static class ShrinkCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "a trace (.shm) that diverges" };
        var system = new Option<string>("--system")
        {
            Description = $"the system it diverges on: {SystemRegistry.Names}",
            DefaultValueFactory = _ => SystemRegistry.Default,
        };
        var output = new Option<string?>("-o")
        {
            Description = "where to write the result; standard output when not given",
        };
        Option<bool> noLedger = LedgerOption.Create();
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("shrink", "Shrinks a trace on which a system diverges.")
        {
            file, system, noLedger, output, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(file)!, SystemRegistry.Find(parsed.GetValue(system)!),
            LedgerOption.LedgerOf(parsed.GetValue(system)!, parsed.GetValue(noLedger)),
            parsed.GetValue(output), parsed.GetValue(json)));
        return command;
    }

    private static int Run(
        string file, ISystemFactory system, Ledger? ledger, string? output, bool json)
    {
        RunRecord found = TraceReplay.Run(Inputs.ReadTrace(file), system, ledger).Record;
        if (found.Divergence is null)
        {
            Console.Error.WriteLine(
                $"{file}: {system.Name} does what the specification says; nothing to shrink");
            return ExitCode.Conforms;
        }

        using var interruption = new Interruption();
        ShrinkResult? result = Shrinker.Shrink(
            new SequenceRunner(system, null, ledger), found, null, interruption.Token);
        RunRecord record = result?.Record ?? found;
        string text = DivergenceText.Trace(record);
        if (output is not null)
        {
            File.WriteAllText(output, text);
        }

        if (json)
        {
            Json.Print(new
            {
                Version = Json.Version,
                System = system.Name,
                Fingerprint = record.Divergence!.Fingerprint.ToString(),
                Steps = record.Calls.Count,
                Certificate = result is { Minimal: true } ? "1-minimal" : "none",
                Executions = result?.Executions ?? 0,
                Trace = output,
                Text = text,
            });
        }
        else if (output is null)
        {
            Console.Out.Write(text);
        }

        return interruption.Token.IsCancellationRequested
            ? ExitCode.Interrupted : ExitCode.Diverges;
    }
}
