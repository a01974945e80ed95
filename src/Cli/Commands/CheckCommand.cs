using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Faults.Building;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Results;

namespace ShmCheck.Cli.Commands;

/// <summary><c>check</c>: random sequences against a system.</summary>
internal static class CheckCommand
{
    /// <summary>Where findings go unless told otherwise; git ignores it.</summary>
    private const string DefaultOutput = "findings";

    /// <summary>More calls than this are no sequence that anybody shrinks.</summary>
    private const int MostLength = 1_000_000;

    /// <summary>More threads than this help no machine.</summary>
    private const int MostJobs = 1024;

    public static Command Create(SystemRegistry systems)
    {
        var system = new Option<string>("--system")
        {
            Description = $"the system to check: {systems.Names}",
            DefaultValueFactory = _ => systems.Default,
        };
        Option<string[]> fault = FaultOption.Create();
        var profile = new Option<string?>("--profile")
        {
            Description = "check only this kernel's behaviour, for instance 6.18",
        };
        Option<long?> blocks = NumberOption.Optional<long>(
            "--blocks", "stop behind this many blocks of 64 runs, counted over all shards: then "
            + "shards find together what one process finds", 1, long.MaxValue);
        Option<long?> steps = NumberOption.Optional<long>(
            "--steps", "stop when this many calls have been compared", 1, long.MaxValue);
        var time = new Option<string?>("--time")
        {
            Description = "stop after this time, for instance 40s or 10m (the default is about "
                + "40s, and never under 100,000 steps)",
        };
        Option<int?> length = NumberOption.Optional<int>(
            "--length", "calls in a sequence; 100 when not given", 1, MostLength);
        Option<ulong?> seed = NumberOption.Optional<ulong>(
            "--seed", "what everything random depends on; drawn when not given", 0,
            ulong.MaxValue);
        var observe = new Option<string>("--observe")
        {
            Description = "compare all figures behind all calls, behind every N-th, or only at "
                + "the end of each sequence; replies always are",
            DefaultValueFactory = _ => "all",
            HelpName = "all|N|end",
        };
        Option<int?> jobs = NumberOption.Optional<int>(
            "--jobs", "threads; one for each processor when not given", 1, MostJobs);
        var shard = new Option<string>("--shard")
        {
            Description = "take part K of N of the seeds",
            DefaultValueFactory = _ => "1/1",
            HelpName = "K/N",
        };
        var output = new Option<string>("--out")
        {
            Description = "directory for findings",
            DefaultValueFactory = _ => DefaultOutput,
        };
        var coverage = new Option<string?>("--coverage")
        {
            Description = "write all that was and was not exercised to this file",
            HelpName = "FILE",
        };
        Option<bool> noLedger = LedgerOption.Create();
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("check", "Checks a system with random system-call sequences.")
        {
            system, fault, profile, blocks, steps, time, length, observe, seed, jobs, shard,
            noLedger, coverage, output, json,
        };
        command.SetAction(parsed =>
        {
            using FaultySystem? faulty = FaultOption.Plant(parsed, fault, system);
            CampaignOptions options = Options(
                parsed.GetValue(profile),
                new Limits(
                    parsed.GetValue(blocks), parsed.GetValue(steps), parsed.GetValue(time)),
                parsed.GetValue(shard)!) with
            {
                Length = parsed.GetValue(length) ?? CampaignOptions.DefaultLength,
                Jobs = parsed.GetValue(jobs) ?? Environment.ProcessorCount,
                ObserveEvery = Inputs.ObserveEvery(parsed.GetValue(observe)!),
                Seed = parsed.GetValue(seed) ?? BitConverter.ToUInt32(
                    RandomNumberGenerator.GetBytes(sizeof(uint))),
                OutputDirectory = parsed.GetValue(output),
                Ledger = LedgerOption.LedgerOf(
                    parsed.GetValue(system)!, parsed.GetValue(noLedger)),
            };
            ISystemFactory chosen = faulty ?? systems.Find(parsed.GetValue(system)!);
            return Run(
                chosen, options with { Bounded = Hanging.BoundedFormOf(chosen) },
                parsed.GetValue(coverage), parsed.GetValue(json));
        });
        return command;
    }

    /// <summary>What ends a campaign.</summary>
    private sealed record Limits(long? Blocks, long? Steps, string? Time);

    private static CampaignOptions Options(string? profile, Limits limits, string shard)
    {
        (int part, int parts) = Inputs.Shard(shard);
        (long? blocks, long? steps, string? time) = limits;
        if (blocks is not null && (steps is not null || time is not null))
        {
            throw new BadInputException("expected either --blocks or --steps and --time: shards "
                + "that end earlier do not add up to all blocks");
        }

        bool limited = limits != new Limits(null, null, null);
        return new CampaignOptions
        {
            Profiles = profile is null ? SystemCapabilities.AllProfiles : [Profile(profile)],
            Blocks = blocks,
            Steps = steps,
            Time = time is not null ? Inputs.Time(time)
                : limited ? null : CampaignOptions.DefaultTime,
            LeastSteps = limited ? 0 : CampaignOptions.DefaultLeastSteps,
            Shard = part,
            Shards = parts,
        };
    }

    private static KernelProfile Profile(string name)
    {
        ImmutableArray<KernelProfile> all = SystemCapabilities.AllProfiles;
        foreach (KernelProfile profile in all)
        {
            if (KernelProfileText.Of(profile) == name)
            {
                return profile;
            }
        }

        throw new BadInputException($"--profile: there is no profile '{name}'; expected one of "
            + string.Join(", ", all.Select(KernelProfileText.Of)));
    }

    private static int Run(
        ISystemFactory system, CampaignOptions options, string? coverageFile, bool json)
    {
        options = options with
        {
            Profiles = [.. options.Profiles.Intersect(system.Capabilities.Profiles)],
        };
        if (options.Profiles.IsEmpty)
        {
            throw new BadInputException($"{system.Name} does not follow that profile; expected "
                + $"one of {string.Join(", ", system.Capabilities.Profiles
                    .Select(KernelProfileText.Of))}");
        }

        Outputs.Prepare(options.OutputDirectory!);
        Outputs.RemoveResult(options.OutputDirectory!);
        using var interruption = new Interruption();
        CampaignReport report;
        using (var progress = new ProgressLine())
        {
            report = Campaign.Run(system, options, progress.For(options), interruption.Token);
        }

        var coverage = CoverageReport.Of(
            report.Coverage, system.Capabilities, options.Profiles);
        if (coverageFile is not null)
        {
            Outputs.Write(coverageFile, coverage.ToText());
        }

        var result = CampaignResult.Of(report, coverage, system.Capabilities);
        Outputs.WriteResult(options.OutputDirectory!, result);
        if (json)
        {
            Json.Print(result);
        }
        else
        {
            CheckSummary.Print(result);
        }

        if (report.Lost is not null)
        {
            Console.Error.WriteLine($"shmcheck: {report.Lost}");
        }

        return report.Lost is not null ? ExitCode.SystemLost
            : report.Interrupted ? ExitCode.Interrupted
            : report.Findings.IsEmpty ? ExitCode.Conforms : ExitCode.Diverges;
    }
}
