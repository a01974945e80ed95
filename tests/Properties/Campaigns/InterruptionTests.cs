using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;
using ShmCheck.PlantedFaults;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Campaigns;

/// <summary>However a campaign ends, what it has found is kept.</summary>
public sealed class InterruptionTests
{
    private static readonly CampaignOptions Options = new() { Seed = 3, Steps = 500_000 };

    private static readonly FaultyFactory Faulty = new(() => new StatSeesNoAttach());

    [Fact]
    public void A_divergence_is_on_disk_before_it_is_shrunk()
    {
        using var folder = new TemporaryFolder();
        using var stop = new CancellationTokenSource();
        string[]? files = null;
        var watcher = new Watcher(progress =>
        {
            if (progress.Shrinking)
            {
                files ??= [.. folder.Contents().Keys];
                stop.Cancel();
            }
        });
        Campaign.Run(Faulty, Options with { OutputDirectory = folder.Path }, watcher, stop.Token);
        Assert.EndsWith(".raw.shm", Assert.Single(files!), StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupted_campaign_reports_what_it_has_found()
    {
        using var folder = new TemporaryFolder();
        CampaignReport report = InterruptAtShrinking(folder);
        Assert.True(report.Interrupted);
        Finding finding = Assert.Single(report.Findings);
        Assert.Equal(Certificate.None, finding.Certificate);
        Assert.Equal(finding.Text, File.ReadAllText(finding.Path!));
    }

    [Fact]
    public void What_an_interrupted_campaign_leaves_on_disk_can_be_replayed()
    {
        using var folder = new TemporaryFolder();
        InterruptAtShrinking(folder);
        Assert.Equal(2, folder.Contents().Count);
        Assert.All(folder.Contents(), file =>
        {
            ReplayResult replay = TraceReplay.Run(
                TraceParser.Parse(file.Key, file.Value), Faulty);
            Assert.Equal(CallKind.ShmCtlStat, replay.Record.Divergence!.Fingerprint.Call);
        });
    }

    [Fact]
    public void A_campaign_that_is_interrupted_at_once_has_done_nothing()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        CampaignReport report = Campaign.Run(Faulty, Options, null, stop.Token);
        Assert.True(report.Interrupted);
        Assert.Equal((0, 0), (report.Runs, report.Steps));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_system_that_dies_for_good_ends_the_campaign_and_keeps_its_findings(int jobs)
    {
        using var folder = new TemporaryFolder();
        CampaignReport report = Campaign.Run(
            new Mortal(Faulty, starts: 100),
            Options with { Jobs = jobs, OutputDirectory = folder.Path });
        Assert.Equal("faulty could not be started: no machine left", report.Lost);
        Assert.False(report.Interrupted);
        Finding finding = Assert.Single(report.Findings);
        Assert.True(File.Exists(finding.Path));
    }

    [Fact]
    public void A_system_that_dies_at_any_start_of_a_shrink_is_lost()
    {
        CampaignReport report = Campaign.Run(Faulty, Options with { Steps = 20_000 });
        string text = Assert.Single(report.Findings).Text;
        RunRecord found = TraceReplay.Run(TraceParser.Parse("found", text), Faulty).Record;
        int starts = 0;
        for (ShrinkResult? shrunk = null; shrunk is null; starts++)
        {
            var runner = new SequenceRunner(new Mortal(Faulty, starts));
            Exception? end = Record.Exception(() => shrunk = Shrinker.Shrink(runner, found));
            Assert.True(end is null or SystemLostException, $"{starts} starts: {end}");
        }

        Assert.InRange(starts, 4, int.MaxValue);
    }

    [Fact]
    public void A_system_that_dies_while_a_finding_is_shrunk_keeps_it_as_it_was_found()
    {
        using var folder = new TemporaryFolder();
        Mortal? mortal = null;
        var watcher = new Watcher(progress => mortal!.Left = progress.Shrinking ? 0 : 1_000_000);
        mortal = new Mortal(Faulty, starts: 1_000_000);
        CampaignReport report = Campaign.Run(
            mortal, Options with { OutputDirectory = folder.Path }, watcher);
        Assert.NotNull(report.Lost);
        Finding finding = Assert.Single(report.Findings);
        Assert.Equal(Certificate.None, finding.Certificate);
        Assert.Contains(
            folder.Contents(), file => file.Key.EndsWith(".raw.shm", StringComparison.Ordinal)
                && file.Value == finding.Text);
    }

    [Fact]
    public void A_system_that_cannot_be_started_is_said_to_be_lost() =>
        Assert.Equal(
            "faulty could not be started: no machine left",
            Campaign.Run(new Mortal(Faulty, starts: 0), Options).Lost);

    [Fact]
    public void A_run_of_a_system_that_cannot_be_started_fails() =>
        Assert.Throws<SystemLostException>(() => new SequenceRunner(new Mortal(Faulty, 0)).Run(
            new MachineConfig(), new CallList([]), new RunRecord()));

    private static CampaignReport InterruptAtShrinking(TemporaryFolder folder)
    {
        using var stop = new CancellationTokenSource();
        var watcher = new Watcher(progress =>
        {
            if (progress.Shrinking)
            {
                stop.Cancel();
            }
        });
        return Campaign.Run(
            Faulty, Options with { OutputDirectory = folder.Path }, watcher, stop.Token);
    }

    private sealed class Watcher(Action<CampaignProgress> watch) : IProgress<CampaignProgress>
    {
        public void Report(CampaignProgress value) => watch(value);
    }

    /// <summary>A system that can be started so many times.</summary>
    private sealed class Mortal(ISystemFactory system, int starts) : ISystemFactory
    {
        private int _left = starts;

        public int Left
        {
            set => _left = value;
        }

        public string Name => system.Name;

        public SystemCapabilities Capabilities => system.Capabilities;

        public ISystemUnderTest Start(MachineConfig config) =>
            Interlocked.Decrement(ref _left) >= 0 ? system.Start(config)
                : throw new IOException("no machine left");
    }
}
