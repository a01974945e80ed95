using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Results;
using ShmCheck.Harness.Tolerances;

namespace ShmCheck.Properties.Checking;

/// <summary>Sequences that are handed over before the replies are known.</summary>
public sealed class CallsAheadTests
{
    private static readonly MachineConfig Machine = new() { Frames = 64, SwapSlots = 8 };

    [Fact]
    public void Calls_handed_over_ahead_are_judged_as_those_made_one_by_one()
    {
        for (ulong seed = 1; seed <= 40; seed++)
        {
            var ahead = new PipelinedSpecification.Factory(null);
            RunRecord one = Run(ahead, seed);
            RunRecord other = Run(new PipelinedSpecification.Factory(null, ahead: 0), seed);
            Assert.Null(one.Divergence);
            Assert.Equal(other.Calls, one.Calls);
            Assert.Equal(other.Replies, one.Replies);
            Assert.Equal(other.Observed, one.Observed);
            Assert.Equal(0, ahead.Single);
            Assert.True(ahead.Pieces >= one.Compared / 7);
        }
    }

    [Fact]
    public void A_wrong_reply_is_found_at_the_same_call_whether_or_not_calls_are_made_ahead()
    {
        int found = 0;
        for (ulong seed = 1; seed <= 40; seed++)
        {
            RunRecord one = Run(new PipelinedSpecification.Factory(CallKind.ShmAt), seed);
            RunRecord other = Run(
                new PipelinedSpecification.Factory(CallKind.ShmAt, ahead: 0), seed);
            Assert.Equal(other.Divergence?.Step, one.Divergence?.Step);
            Assert.Equal(other.Divergence?.Fingerprint, one.Divergence?.Fingerprint);
            found += one.Divergence is null ? 0 : 1;
        }

        Assert.True(found > 5);
    }

    [Fact]
    public void Handles_for_which_there_is_no_register_make_calls_go_one_by_one()
    {
        var factory = new PipelinedSpecification.Factory(null, handles: 2);
        Assert.Null(Run(factory, 3).Divergence);
        Assert.Equal(0, factory.Pieces);
        Assert.True(factory.Single > 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void Figures_are_compared_as_often_as_asked_for_and_at_the_end(int every)
    {
        var factory = new PipelinedSpecification.Factory(null, ahead: 1000);
        RunRecord record = Run(factory, 3, every);
        Assert.Null(record.Divergence);
        Assert.InRange(record.Observed, 1, every == 0 ? 10 : 20);
    }

    [Fact]
    public void A_late_figure_behind_a_call_made_ahead_is_let_pass_and_counted()
    {
        var factory = new PipelinedSpecification.Factory(null) { Late = GlobalField.SwapUsed };
        RunRecord record = Run(factory, 3);

        Assert.Null(record.Divergence);
        Assert.Equal(
            [new("SwapUsed", 0), new(Tolerance.LateAhead, 1)],
            ToleranceResult.Of(factory.Capabilities, record.Allowances)
                .Select(t => KeyValuePair.Create(t.Id, t.Count)));
    }

    private static RunRecord Run(
        PipelinedSpecification.Factory factory, ulong seed, int observeEvery = 1)
    {
        var record = new RunRecord();
        var runner = new SequenceRunner(factory, observeEvery: observeEvery);
        runner.Run(
            Machine, new SequenceGenerator(seed, Machine, factory.Capabilities, 80), record);
        return record;
    }
}
