using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Impl;
using ShmCheck.PlantedFaults;
using ShmCheck.Properties.Checking;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Campaigns;

/// <summary>What a campaign reports depends on its seed and on nothing else.</summary>
public sealed class CampaignTests
{
    private const int Shards = 3;

    private static readonly CampaignOptions Options = new() { Seed = 9, Steps = 15_000 };

    private static readonly FaultyFactory TwoBugs =
        new(() => new NothingIsTooMuch(), () => new StatSeesNoAttach());

    [Fact]
    public void The_same_seed_gives_the_same_result_and_the_same_files()
    {
        using var one = new TemporaryFolder();
        using var other = new TemporaryFolder();
        CampaignReport first =
            Campaign.Run(TwoBugs, Options with { OutputDirectory = one.Path });
        CampaignReport second =
            Campaign.Run(TwoBugs, Options with { OutputDirectory = other.Path });
        Assert.Equal(2, first.Findings.Length);
        Assert.Equal(Text(first), Text(second));
        Assert.Equal(one.Contents(), other.Contents());
        Assert.Equal(4, one.Contents().Count);
    }

    /// <summary>A block of a slow system may take longer than the campaign.</summary>
    [Fact]
    public void The_first_block_counts_when_time_is_up_before_it_ends()
    {
        CampaignReport report = Campaign.Run(
            TwoBugs, new CampaignOptions { Seed = 9, Time = TimeSpan.FromTicks(1) });
        Assert.True(report.Blocks > 0 && report.Steps > 0);
    }

    [Fact]
    public void What_others_have_found_is_shrunk_when_time_is_up()
    {
        using var folder = new TemporaryFolder();
        var factory = new LateBug(folder.Path);
        CampaignReport report = Campaign.Run(factory, new CampaignOptions
        {
            Seed = 9, Time = TimeSpan.FromTicks(1), Jobs = 2, OutputDirectory = folder.Path,
        });

        Assert.Equal(1, report.Blocks);
        Finding found = Assert.Single(report.Findings);
        Assert.Equal(3, found.Calls.Length);
        Assert.NotEqual(Certificate.None, found.Certificate);
    }

    /// <summary>Has a bug for all threads but the first, which waits until others have found it.
    /// </summary>
    private sealed class LateBug(string folder) : ISystemFactory
    {
        private static readonly FaultyFactory Faulty = new(() => new StatSeesNoAttach());

        public string Name => Faulty.Name;

        public SystemCapabilities Capabilities => Faulty.Capabilities;

        public ISystemUnderTest Start(MachineConfig config)
        {
            if (Thread.CurrentThread.Name != "check 1")
            {
                return Faulty.Start(config);
            }

            SpinWait.SpinUntil(
                () => Directory.EnumerateFiles(folder, "*.raw.shm").Any(), 10_000);
            return SpecSystem.Factory.Start(config);
        }
    }

    [Fact]
    public void A_system_lost_ahead_of_another_finding_is_reported_beside_it()
    {
        var factory = new PipelinedSpecification.Factory(CallKind.ShmGet)
        {
            Lost = (CallKind.ShmGet, 1),
        };
        CampaignReport report = Campaign.Run(
            factory, Options with { Jobs = 1, Blocks = 1, Steps = long.MaxValue });
        Assert.Contains(report.Findings, found => found.Fingerprint.Rule == "system.lost-once");
        Assert.Contains(report.Findings, found => found.Fingerprint.Rule == "shmget.ok.create");
    }

    [Fact]
    public void Another_seed_gives_another_result() =>
        Assert.NotEqual(
            Text(Campaign.Run(TwoBugs, Options)),
            Text(Campaign.Run(TwoBugs, Options with { Seed = 10 })));

    [Fact]
    public void Two_threads_report_what_one_does()
    {
        using var one = new TemporaryFolder();
        using var two = new TemporaryFolder();
        CampaignReport alone =
            Campaign.Run(TwoBugs, Options with { OutputDirectory = one.Path });
        CampaignReport together =
            Campaign.Run(TwoBugs, Options with { Jobs = 2, OutputDirectory = two.Path });
        Assert.Equal(Text(alone), Text(together));
        Assert.Equal(one.Contents(), two.Contents());
    }

    /// <summary>Shards are told how many blocks to take by their steps; each stops behind the
    /// block in which it reaches them.</summary>
    [Fact]
    public void Shards_add_up_to_what_one_process_does()
    {
        CampaignReport[] parts =
        [
            .. Enumerable.Range(1, Shards).Select(shard =>
                RunBlocks(Options with { Shard = shard, Shards = Shards }, blocks: 2)),
        ];
        CampaignReport whole = RunBlocks(Options, blocks: 2 * Shards);
        Assert.Equal(whole.Runs, parts.Sum(part => part.Runs));
        Assert.Equal(whole.Steps, parts.Sum(part => part.Steps));
        Assert.Equal(whole.Skipped, parts.Sum(part => part.Skipped));
        var sum = new CoverageMap();
        foreach (CampaignReport part in parts)
        {
            sum.Add(part.Coverage);
        }

        Assert.Equal(Text(whole.Coverage), Text(sum));
        Assert.Equal(
            Fingerprints([whole]), Fingerprints(parts).Distinct());
    }

    [Fact]
    public void Coverage_counts_what_was_compared()
    {
        CampaignReport report = Campaign.Run(new ImplFactory(), Options);
        Assert.Equal(report.Steps, report.Coverage.Outcomes.Values.Sum());
        Assert.True(report.Steps >= Options.Steps);
        Assert.Equal(report.Blocks * 64, report.Runs);
        var rules = RuleCoverage.Of(
            report.Coverage, new ImplFactory().Capabilities, Options.Profiles);
        Assert.Equal(rules.Fired, report.Coverage.RulesFired);
        Assert.Equal(
            Spec.RuleCatalogue.Rules.Length, rules.Total + rules.CannotFire.Length);
        Assert.Empty(rules.NeverFired.Intersect(rules.CannotFire.Select(r => r.Rule)));
        Assert.All(rules.NeverFired, id => Assert.Equal(0, TimesFired(report, id)));
    }

    [Fact]
    public void A_profile_that_is_not_drawn_is_not_counted()
    {
        CampaignOptions options = Options with { Profiles = [KernelProfile.Linux5_14] };
        CampaignReport report = Campaign.Run(new ImplFactory(), options);
        var rules = RuleCoverage.Of(
            report.Coverage, new ImplFactory().Capabilities, options.Profiles);
        string[] newer =
        [
            .. Spec.RuleCatalogue.Rules
                .Where(rule => !rule.Profiles.Contains(KernelProfile.Linux5_14))
                .Select(rule => rule.Id),
        ];
        Assert.NotEmpty(newer);
        Assert.Superset(newer.ToHashSet(), rules.CannotFire.Select(r => r.Rule).ToHashSet());
    }

    private static long TimesFired(CampaignReport report, string id) =>
        report.Coverage.Rules[Spec.RuleCatalogue.Rules.Single(r => r.Id == id).Ordinal];

    /// <summary>As many steps as it takes to end with a block.</summary>
    private static CampaignReport RunBlocks(CampaignOptions options, int blocks)
    {
        long steps = 1;
        CampaignReport report;
        do
        {
            report = Campaign.Run(TwoBugs, options with { Steps = steps });
            steps = report.Steps + 1;
        }
        while (report.Blocks < blocks);
        Assert.Equal(blocks, report.Blocks);
        return report;
    }

    private static IEnumerable<string> Fingerprints(IEnumerable<CampaignReport> reports) =>
        reports.SelectMany(report => report.Findings)
            .Select(finding => finding.Fingerprint.ToString()).Order(StringComparer.Ordinal);

    /// <summary>Everything but the time it took and where it was written.</summary>
    private static string Text(CampaignReport report)
    {
        var text = new StringBuilder(
            $"{report.Blocks} blocks, {report.Runs} runs, {report.Steps} steps, "
            + $"{report.Skipped} skipped\n{Text(report.Coverage)}");
        foreach (Finding finding in report.Findings)
        {
            text.Append($"\n{finding.Executions} {finding.Certificate}\n{finding.Text}");
        }

        return text.ToString();
    }

    private static string Text(CoverageMap coverage) => string.Join('\n',
    [
        string.Join(' ', coverage.Rules),
        .. coverage.Outcomes.Select(o => $"{o.Key} {o.Value}").Order(StringComparer.Ordinal),
        .. coverage.Transitions.Select(t => $"{t.Key} {t.Value}").Order(StringComparer.Ordinal),
    ]);
}
