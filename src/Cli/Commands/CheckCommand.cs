using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;
using ShmCheck.Systems.Live;

namespace ShmCheck.Cli.Commands;

/// <summary><c>check</c>: random sequences against a system.</summary>
internal static class CheckCommand
{
    /// <summary>Where findings go unless told otherwise; git ignores it.</summary>
    private const string DefaultOutput = "findings";

    public static Command Create()
    {
        var system = new Option<string>("--system")
        {
            Description = $"the system to check: {SystemRegistry.Names}",
            DefaultValueFactory = _ => SystemRegistry.Default,
        };
        var profile = new Option<string?>("--profile")
        {
            Description = "check only this kernel's behaviour, for instance 6.18",
        };
        var steps = new Option<long?>("--steps")
        {
            Description = "stop when this many calls have been compared",
        };
        var time = new Option<string?>("--time")
        {
            Description = "stop after this time, for instance 40s or 10m (the default is about "
                + "40s, and never under 100,000 steps)",
        };
        var length = new Option<int>("--length")
        {
            Description = "calls in a sequence",
            DefaultValueFactory = _ => 100,
        };
        var seed = new Option<ulong?>("--seed")
        {
            Description = "what everything random depends on; drawn when not given",
        };
        var jobs = new Option<int>("--jobs")
        {
            Description = "threads",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
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
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("check", "Checks a system with random system-call sequences.")
        {
            system, profile, steps, time, length, seed, jobs, shard, output, json,
        };
        command.SetAction(parsed =>
        {
            CampaignOptions options = Options(
                parsed.GetValue(profile), parsed.GetValue(steps), parsed.GetValue(time),
                parsed.GetValue(shard)!) with
            {
                Length = Positive(parsed.GetValue(length), "--length"),
                Jobs = Positive(parsed.GetValue(jobs), "--jobs"),
                Seed = parsed.GetValue(seed) ?? BitConverter.ToUInt32(
                    RandomNumberGenerator.GetBytes(sizeof(uint))),
                OutputDirectory = parsed.GetValue(output),
            };
            bool asJson = parsed.GetValue(json);
            try
            {
                return Run(SystemRegistry.Find(parsed.GetValue(system)!), options, asJson);
            }
            catch (SystemUnavailableException problem)
            {
                return Lost(problem, asJson);
            }
        });
        return command;
    }

    private static CampaignOptions Options(
        string? profile, long? steps, string? time, string shard)
    {
        if (steps <= 0)
        {
            throw new BadInputException("--steps: expected a number above 0");
        }

        (int part, int parts) = Inputs.Shard(shard);
        bool limited = steps is not null || time is not null;
        return new CampaignOptions
        {
            Profiles = profile is null ? SystemCapabilities.AllProfiles : [Profile(profile)],
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

        throw new BadInputException($"there is no profile '{name}'; expected one of "
            + string.Join(", ", all.Select(KernelProfileText.Of)));
    }

    private static int Positive(int number, string option) => number > 0 ? number
        : throw new BadInputException($"{option}: expected a number above 0");

    private static int Run(ISystemFactory system, CampaignOptions options, bool json)
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

        using var interruption = new Interruption();
        CampaignReport report;
        try
        {
            using var progress = new ProgressLine();
            report = Campaign.Run(system, options, progress.For(options), interruption.Token);
        }
        catch (SystemLostException problem)
        {
            return Lost(problem, json);
        }

        var coverage = RuleCoverage.Of(
            report.Coverage, system.Capabilities, options.Profiles);
        if (json)
        {
            Json.Print(CheckJson.Of(report, coverage));
        }
        else
        {
            CheckSummary.Print(report, coverage);
        }

        return report.Interrupted ? ExitCode.Interrupted
            : report.Findings.IsEmpty ? ExitCode.Conforms : ExitCode.Diverges;
    }

    private static int Lost(Exception problem, bool json)
    {
        if (json)
        {
            Json.Print(new { Version = Json.Version, Error = problem.Message });
        }

        Console.Error.WriteLine($"shmcheck: {problem.Message}");
        return ExitCode.SystemLost;
    }
}
