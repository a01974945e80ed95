using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Properties.Exploring;

/// <summary>What shrinking says of how short its result is.</summary>
public sealed class CertificateTests
{
    private static readonly ProcessHandle P1 = ProcessHandle.First;
    private static readonly SegmentHandle S1 = new(1);
    private static readonly MappingHandle A1 = new(1);
    private static readonly MachineConfig Machine = new() { SwapSlots = 4 };

    private static readonly Call Get = new ShmGet(
        P1, ShmKey.Private, 4096, new(ShmGetFlags.IPC_CREAT | 0x180), S1);

    private static readonly Call Attach = new ShmAt(P1, S1, AddressRef.Null, default, A1);

    [Fact]
    public void A_minimum_that_all_shorter_sequences_miss_is_called_shortest()
    {
        Lie lie = Lie.All[1];
        ShrinkResult result = Shrink(
            lie,
            [
                Get, Attach, new Store(P1, A1, new(0), 1), new ShmCtlRmid(P1, S1),
                new ShmDt(P1, A1),
            ]);
        Assert.Equal(4, result.Calls.Length);
        Assert.Equal(Certificate.Shortest, result.Certificate);
        Assert.Equal(4, result.LowerBound);
    }

    /// <summary>No call of this sequence can be left out, and no two: what is shorter has to make
    /// one call twice.</summary>
    [Fact]
    public void A_shorter_sequence_that_no_removal_leads_to_becomes_the_result()
    {
        var lie = new Lie("three attaches or a fork of one", 4, (_, _, _) => 0, (seen, _) =>
        {
            ulong attaches = 0;
            for (int row = 0; row < seen.Segments.Count; row++)
            {
                attaches += seen.Segments[row][(int)SegmentField.nattch];
            }

            seen.Global[0][(int)GlobalField.Shmem] += attaches == 4 ? 4ul : 0;
        });
        var a2 = new MappingHandle(2);
        ShrinkResult result = Shrink(
            lie,
            [
                Get, new Fork(P1, new(2)), Attach,
                new ShmAt(new(2), S1, AddressRef.Null, default, a2),
                new Fork(P1, new(3)), new Fork(new(2), new(4)),
            ]);
        Assert.Equal(Certificate.Shortest, result.Certificate);
        Assert.Equal(result.Calls.Length, result.LowerBound);
        Assert.Equal(4, result.Calls.Length);
    }

    [Fact]
    public void A_search_that_is_too_large_says_how_far_it_came()
    {
        var lie = new Lie("twelve attaches", 13, (_, _, _) => 0, (seen, _) =>
            seen.Global[0][(int)GlobalField.Shmem] += seen.Mappings.Count == 12 ? 4ul : 0);
        Call[] attaches = [.. Enumerable.Range(1, 12).Select(number => new ShmAt(
            P1, S1, AddressRef.Window((ulong)number), default, new(number)))];
        ShrinkResult result = Shrink(lie, [Get, .. attaches]);
        Assert.Equal(13, result.Calls.Length);
        Assert.Equal(Certificate.OneMinimal, result.Certificate);
        Assert.InRange(result.LowerBound, 3, 12);
        Assert.Equal(result.LowerBound, Shrink(lie, [Get, .. attaches]).LowerBound);
    }

    [Fact]
    public void Shrinking_that_is_interrupted_certifies_nothing()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var runner = new SequenceRunner(new LyingFactory(Lie.All[1]));
        RunRecord found = Run(
            runner, [Get, Attach, new ShmCtlRmid(P1, S1), new ShmDt(P1, A1)]);
        ShrinkResult? result = Shrinker.Shrink(runner, found, null, cancelled: stop.Token);
        Assert.Equal(Certificate.None, result!.Certificate);
    }

    [Fact]
    public void Shrinking_ends_when_slow_runs_have_taken_their_time_and_says_so()
    {
        var slow = new Lie("a segment takes its time", 1, (_, _, _) => 0, (seen, _) =>
        {
            Thread.Sleep(30);
            seen.Global[0][(int)GlobalField.Shmem] += seen.Segments.Count > 0 ? 4ul : 0;
        });
        var runner = new SequenceRunner(new LyingFactory(slow));
        RunRecord found = Run(
            runner, [new Fork(P1, new(2)), new Fork(P1, new(3)), new Fork(P1, new(4)), Get]);
        ShrinkResult? result = Shrinker.Shrink(
            runner, found, patience: TimeSpan.FromMilliseconds(200));
        Assert.Equal(Certificate.None, result!.Certificate);
        Assert.InRange(result.Executions, 1, 5);
        Assert.Contains(
            $"certificate: none; not shrunk further: {result.Executions} executions",
            DivergenceText.Trace(result.Record, result));
    }

    private static ShrinkResult Shrink(Lie lie, Call[] calls)
    {
        var runner = new SequenceRunner(new LyingFactory(lie));
        return Shrinker.Shrink(runner, Run(runner, calls))!;
    }

    private static RunRecord Run(SequenceRunner runner, Call[] calls)
    {
        var record = new RunRecord();
        runner.Run(Machine, new CallList(calls), record, endProcesses: false);
        Assert.NotNull(record.Divergence);
        return record;
    }
}
