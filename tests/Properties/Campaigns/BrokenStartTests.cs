using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;
using ShmCheck.Properties.CommandLine;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Campaigns;

/// <summary>A system whose own code throws while a machine is made: that is a finding without any
/// call.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class BrokenStartTests
{
    private static readonly Broken Always = new(_ => true);
    private static readonly Broken WithSwap = new(machine => machine.SwapSlots > 0);

    [Fact]
    public void A_system_that_throws_at_its_start_is_found_and_ends_a_check_with_1()
    {
        using var folder = new TemporaryFolder();
        CommandRun run = CommandRun.On(Always, "check", "--out", folder.Path);

        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(
            "system.threw | InvalidOperationException", run.Out, StringComparison.Ordinal);
        Assert.Contains("the books do not add up", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_trace_has_the_plainest_machine_that_cannot_be_made_and_no_call()
    {
        CampaignReport report = Campaign.Run(
            WithSwap, new CampaignOptions { Seed = 3, Steps = 20_000 });
        Finding finding = Assert.Single(report.Findings);
        Trace trace = TraceParser.Parse("found", finding.Text);

        Assert.Null(report.Lost);
        Assert.InRange(report.Steps, 20_000, long.MaxValue);
        Assert.Equal(1ul, trace.Machine.SwapSlots);
        Assert.Empty(trace.Calls);
        Assert.NotNull(TraceReplay.Run(trace, WithSwap).Record.Divergence);
        Assert.Null(TraceReplay.Run(trace, SpecSystem.Factory).Record.Divergence);
    }

    [Fact]
    public void It_ends_an_exploration_with_1_too_and_leaves_its_trace()
    {
        using var folder = new TemporaryFolder();
        CommandRun run = CommandRun.On(
            Always, "explore", "--scope", "tiny", "--out", folder.Path);

        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains("the books do not add up", run.Out, StringComparison.Ordinal);
        Trace trace = TraceParser.ParseFile(
            Assert.Single(Directory.GetFiles(folder.Path, "*.shm")));
        Assert.Empty(trace.Calls);
    }

    private sealed class Broken(Func<MachineConfig, bool> breaks) : ISystemFactory
    {
        public string Name => "broken";

        public SystemCapabilities Capabilities => SpecSystem.Factory.Capabilities;

        public ISystemUnderTest Start(MachineConfig config) =>
            breaks(config) ? throw new InvalidOperationException("the books do not add up")
                : SpecSystem.Factory.Start(config);
    }
}
