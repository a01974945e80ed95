using System.Collections.Immutable;
using System.CommandLine;
using ShmCheck.Cli.Presentation;
using ShmCheck.Faults;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Faults.Statistics;

namespace ShmCheck.Cli.Commands;

/// <summary><c>faults</c>: hunts the seeded faults.</summary>
internal static class FaultsCommand
{
    private const int MostSeeds = 1000;

    public static Command Create()
    {
        var id = new Option<string[]>("--id") { Description = "only this fault; repeatable" };
        var list = new Option<bool>("--list") { Description = "list the faults and hunt none" };
        Option<long?> within = NumberOption.Optional<long>(
            "--within", $"steps for each campaign (default {HuntOptions.DefaultWithin:N0})", 1,
            int.MaxValue);
        Option<int?> seeds = NumberOption.Optional(
            "--seeds", $"campaigns for each fault (default {HuntOptions.DefaultCampaigns})", 1,
            MostSeeds);
        var seed = new Option<ulong>("--seed")
        {
            Description = "the seed of the first campaign; each other one has the next",
            DefaultValueFactory = _ => HuntOptions.FirstSeed,
        };
        Option<int?> jobs = NumberOption.Optional(
            "--jobs", "faults hunted at a time (one for each processor)", 1, int.MaxValue);
        var record = new Option<string?>("--record")
        {
            Description = "write the patches, brought up to the present sources, the matrix and "
                + "the shrunk traces into this repository",
            HelpName = "ROOT",
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("faults", "Hunts the seeded faults and prints the kill matrix.")
        {
            id, list, within, seeds, seed, jobs, record, json,
        };
        command.SetAction(parsed => Run(
            Chosen(parsed.GetValue(id) ?? []), parsed.GetValue(list),
            new HuntOptions(
                parsed.GetValue(seed), parsed.GetValue(seeds) ?? HuntOptions.DefaultCampaigns,
                parsed.GetValue(within) ?? HuntOptions.DefaultWithin),
            parsed.GetValue(jobs) ?? Environment.ProcessorCount, parsed.GetValue(record),
            parsed.GetValue(json)));
        return command;
    }

    private static ImmutableArray<Fault> Chosen(string[] ids)
    {
        if (ids.Length == 0)
        {
            return FaultCatalogue.All;
        }

        return [.. ids.Select(FaultOption.Find)];
    }

    private static int Run(
        ImmutableArray<Fault> faults, bool list, HuntOptions options, int jobs, string? record,
        bool json)
    {
        if (list)
        {
            FaultsReport.List(faults, json);
            return ExitCode.Conforms;
        }

        if (record is not null && !FaultRecorder.CanRecord(record))
        {
            throw new BadInputException(
                $"--record {record}: expected the root of the repository, where faults/ is");
        }

        using var interruption = new Interruption();
        ImmutableArray<HuntResult> results;
        using (var progress = new StatusLine())
        {
            results = Hunt(faults, options, jobs, progress, interruption.Token);
        }

        HuntComparison comparison = KillMatrix.Compare(results);
        FaultsReport.Print(results, comparison, json, interruption.Token.IsCancellationRequested);
        if (record is not null)
        {
            FaultRecorder.Record(record, results);
        }

        return interruption.Token.IsCancellationRequested ? ExitCode.Interrupted
            : record is not null || (results.All(FaultsReport.IsAsRecorded)
                && comparison is { AllAreSlower: false, Slower.IsEmpty: true }) ? ExitCode.Conforms
            : ExitCode.Diverges;
    }

    /// <summary>Hunts faults side by side; what is done by the time of an interruption counts.
    /// </summary>
    private static ImmutableArray<HuntResult> Hunt(
        ImmutableArray<Fault> faults, HuntOptions options, int jobs, StatusLine progress,
        CancellationToken interrupted)
    {
        var results = new HuntResult?[faults.Length];
        int done = 0;
        try
        {
            var threads = new ParallelOptions { MaxDegreeOfParallelism = jobs };
            Parallel.For(0, faults.Length, threads, i =>
            {
                if (!interrupted.IsCancellationRequested)
                {
                    results[i] = FaultHunt.Hunt(faults[i], options, interrupted);
                    progress.Show($"faults: {Interlocked.Increment(ref done)} of "
                        + $"{faults.Length}, {faults[i].Id}");
                }
            });
        }
        catch (AggregateException problem)
            when (problem.InnerExceptions.All(e => e is OperationCanceledException))
        {
            // Interrupted: what has been hunted is the result.
        }
        catch (AggregateException problem)
            when (problem.InnerExceptions.FirstOrDefault(e => e is FaultException) is { } fault)
        {
            throw new BadInputException(fault.Message);
        }

        return [.. results.OfType<HuntResult>()];
    }
}
