using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Shrinking;
using ShmCheck.PlantedFaults;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Checking;

/// <summary>A system in this process that does not come back from a call.</summary>
public sealed class HangingCallTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(0.3);

    private readonly CancellationTokenSource _letGo = new();

    private FaultyFactory Hanging => new(() => new ThirdAttachHangs(_letGo.Token));

    private static CampaignOptions Options => new()
    {
        Seed = 1,
        Blocks = 3,
        Jobs = 2,
        Patience = Patience,
    };

    public void Dispose()
    {
        _letGo.Cancel();
        _letGo.Dispose();
    }

    [Fact]
    public void A_call_that_does_not_come_back_is_a_finding_and_ends_the_campaign()
    {
        using var folder = new TemporaryFolder();

        CampaignReport report = Campaign.Run(
            Hanging, Options with { OutputDirectory = folder.Path });

        Assert.True(report.Hung);
        Finding hang = Assert.Single(report.Findings);
        Assert.Equal("system.hung | reply | ShmAt", hang.Fingerprint.ToString());
        Assert.IsType<ShmAt>(hang.Calls[^1]);
        Assert.Equal(Certificate.None, hang.Certificate);
        Assert.Equal(
            ["ShmAt-system.hung-reply.raw.shm", "ShmAt-system.hung-reply.shm"],
            Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void It_is_shrunk_on_the_same_system_with_bounds_for_its_loops()
    {
        CampaignReport report = Campaign.Run(Hanging, Options with
        {
            Bounded = () => new FaultyFactory(() => new ThirdAttachLoops()),
        });

        Finding hang = Assert.Single(report.Findings);
        Assert.Equal(4, hang.Calls.Length);
        Assert.Equal(CallKind.ShmGet, hang.Calls[0].Kind);
        Assert.Equal(CallKind.ShmAt, hang.Calls[^1].Kind);
        Assert.NotEqual(Certificate.None, hang.Certificate);
    }

    [Fact]
    public void A_system_whose_loops_have_bounds_does_not_end_the_campaign()
    {
        CampaignReport report =
            Campaign.Run(new FaultyFactory(() => new ThirdAttachLoops()), Options);

        Assert.False(report.Hung);
        Assert.Equal(
            "system.hung | reply | ShmAt",
            Assert.Single(report.Findings).Fingerprint.ToString());
        Assert.Equal(3, report.Blocks);
    }

    [Fact]
    public void A_call_hangs_only_if_the_process_has_used_time_meanwhile()
    {
        using var watch = new CallWatch();
        var system = new WatchedSystem(new MachineConfig(), watch);
        using var inCall = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var thread = new Thread(() => system.Start(new Waiting(inCall, goOn)));
        thread.Start();
        inCall.Wait();
        var second = TimeSpan.FromSeconds(1);

        Assert.Null(system.Look(second, 2, 5 * second));
        Assert.Null(system.Look(second, 2, 5 * second));
        Assert.Null(system.Look(2 * second, 2, 5 * second));
        Assert.NotNull(system.Look(6 * second, 2, 5 * second));

        goOn.Set();
        thread.Join();
        Assert.Null(system.Look(60 * second, 2, 5 * second));
    }

    /// <summary>Starts when it is told to.</summary>
    private sealed class Waiting(ManualResetEventSlim inCall, ManualResetEventSlim goOn)
        : ISystemFactory
    {
        public string Name => "waiting";

        public SystemCapabilities Capabilities => SpecSystem.Factory.Capabilities;

        public ISystemUnderTest Start(MachineConfig config)
        {
            inCall.Set();
            goOn.Wait();
            return SpecSystem.Factory.Start(config);
        }
    }
}
