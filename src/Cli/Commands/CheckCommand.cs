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
    public static Command Create(SystemRegistry systems)
    {
        var options = new CheckOptions(systems);
        var command = new Command("check", "Checks a system with random system-call sequences.");
        foreach (Option option in options.All)
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            string system = parsed.GetValue(options.System)!;
            using FaultySystem? faulty = FaultOption.Plant(parsed, options.Fault, options.System);
            ISystemFactory chosen = faulty ?? systems.Find(system);
            CampaignOptions campaign = CampaignOf(parsed, options) with
            {
                Bounded = Hanging.BoundedFormOf(chosen),
            };
            return Run(
                chosen, campaign, parsed.GetValue(options.Coverage),
                parsed.GetValue(options.Json));
        });
        return command;
    }

    private static CampaignOptions CampaignOf(ParseResult parsed, CheckOptions options) =>
        Options(
            parsed.GetValue(options.Profile),
            new Limits(
                parsed.GetValue(options.Blocks), parsed.GetValue(options.Steps),
                parsed.GetValue(options.Time)),
            parsed.GetValue(options.Shard)!) with
        {
            Length = parsed.GetValue(options.Length) ?? CampaignOptions.DefaultLength,
            Jobs = parsed.GetValue(options.Jobs) ?? Environment.ProcessorCount,
            ObserveEvery = Inputs.ObserveEvery(parsed.GetValue(options.Observe)!),
            Seed = parsed.GetValue(options.Seed) ?? BitConverter.ToUInt32(
                RandomNumberGenerator.GetBytes(sizeof(uint))),
            OutputDirectory = parsed.GetValue(options.Output),
            Ledger = LedgerOption.LedgerOf(
                parsed.GetValue(options.System)!, parsed.GetValue(options.NoLedger)),
        };

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
