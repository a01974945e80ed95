using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Results;
using ShmCheck.Harness.Tolerances;
using ShmCheck.Harness.Traces;
using ShmCheck.Properties.Ledgers;

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
                .Where(t => t.Count > 0 || t.Id == "SwapUsed")
                .Select(t => KeyValuePair.Create(t.Id, t.Count)));
    }

    /// <summary>What the namespace had comes back late: figures are looked at until it has.
    /// </summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(0)]
    public void Figures_are_looked_at_behind_a_call_that_ends_a_namespace(int ahead)
    {
        var factory = new PipelinedSpecification.Factory(null, ahead);
        RunRecord record = RunCalls(
            factory,
            """
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s1
            p1 unshare(CLONE_NEWIPC) = 0
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s2
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s3
            """);

        Assert.Null(record.Divergence);
        Assert.Equal(2, record.Observed);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(0)]
    public void A_stamp_may_be_later_than_the_clock_that_was_last_seen(int ahead)
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var factory = new PipelinedSpecification.Factory(null, ahead) { ShowsClockLate = true };
            Assert.Null(Run(factory, seed, observeEvery: 10).Divergence);
        }
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(int.MaxValue, false)]
    public void A_lock_is_refused_as_long_as_an_ended_namespace_is_charged(int times, bool agrees)
    {
        var factory = new PipelinedSpecification.Factory(null)
        {
            Refused = (CallKind.ShmCtlLock, times),
        };
        RunRecord record = RunCalls(
            factory,
            """
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s1
            p1 shmctl(s1, SHM_LOCK) = 0
            """);

        Assert.Equal(
            agrees ? "" : "shmctl.ok.lock | reply | ShmCtlLock",
            $"{record.Divergence?.Fingerprint}");
        Assert.Contains(
            ToleranceResult.Of(factory.Capabilities, record.Allowances),
            t => t is { Id: Tolerance.LateUnlock, Count: 2 });
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "shmget.ok.create | reply | ShmGet")]
    public void The_pool_grows_unless_the_system_says_it_has_no_memory(bool says, string found)
    {
        var factory = new PipelinedSpecification.Factory(null)
        {
            LacksHugePages = says,
            Refused = (CallKind.ShmGet, 9),
        };
        RunRecord record = RunCalls(
            factory,
            """
            sysctl vm.nr_overcommit_hugepages = 2 = 0
            p1 shmget(IPC_PRIVATE, 4M, IPC_CREAT|SHM_HUGETLB|0600) = s1
            p1 shmget(IPC_PRIVATE, 4M, IPC_CREAT|SHM_HUGETLB|0600) = s2
            """);

        Assert.Equal(found, $"{record.Divergence?.Fingerprint}");
    }

    [Theory]
    [InlineData(1, "system.lost-once | AgentDiedException | Fork", true)]
    [InlineData(2, "system.threw | AgentDiedException | Fork", false)]
    public void A_system_lost_in_calls_made_ahead_is_found_also_if_that_does_not_happen_again(
        int times, string found, bool once)
    {
        var factory = new PipelinedSpecification.Factory(null) { Lost = (CallKind.Fork, times) };
        RunRecord record = RunCalls(
            factory,
            """
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s1
            p1 fork() = p2
            p2 shmat(s1, NULL, 0) = a1
            """);

        Assert.Equal(found, $"{record.Divergence?.Fingerprint}");
        string trace = DivergenceText.Trace(record);
        Assert.Contains("it said: Kernel panic", trace, StringComparison.Ordinal);
        Assert.Equal(once, trace.Contains("fork() = p2\np2 shmat(", StringComparison.Ordinal));
        Assert.Equal(once, trace.Contains("; not again when", StringComparison.Ordinal));
    }

    /// <summary>What is known ends the sequence when its calls are made one by one.</summary>
    [Theory]
    [InlineData(
        "shmget.ok.create | rss | ShmGet", "system.lost-once | AgentDiedException | ShmGet")]
    [InlineData("system.threw | AgentDiedException | ShmGet", "")]
    public void A_loss_before_what_is_known_is_found_unless_it_is_known_too(
        string also, string found)
    {
        var factory = new PipelinedSpecification.Factory(CallKind.ShmAt)
        {
            Lost = (CallKind.ShmGet, 1),
        };
        string ledger = OwnLedger.WithLines("wrong fingerprint")
            .Replace("nattch,rss", "reply", StringComparison.Ordinal)
            .Replace("status", $"also {also}\nstatus", StringComparison.Ordinal);
        RunRecord record = RunCalls(
            factory,
            """
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s1
            p1 shmat(s1, NULL, 0) = a1
            """,
            LedgerParser.Parse("own.ledger", ledger));

        Assert.Equal(found, $"{record.Divergence?.Fingerprint}");
    }

    [Theory]
    [InlineData("8192..8192", "", 1)]
    [InlineData("8193..9000", "system.threw | AgentDiedException | ShmGet", 0)]
    public void A_call_that_is_known_to_lose_the_system_is_not_made_and_counted(
        string sizes, string found, int known)
    {
        foreach (int ahead in (int[])[7, 0])
        {
            var factory = new PipelinedSpecification.Factory(null, ahead)
            {
                Lost = (CallKind.ShmGet, 2),
            };
            RunRecord record = RunCalls(
                factory,
                """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, NULL, 0) = a1
                p1 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS) = a2
                """,
                LedgerParser.Parse(
                    "own.ledger", OwnLedger.WithLines($"wrong loss shmget of {sizes} bytes")));

            Assert.Equal(found, $"{record.Divergence?.Fingerprint}");
            Assert.Equal(known, record.Allowances.CountOf(record.Ledger!.Rows[0]));
        }
    }

    /// <summary>What ends the sequence, when its calls are made one by one, before the call in which
    /// the system was lost does not hide that it was.</summary>
    [Fact]
    public void A_loss_behind_another_finding_is_a_finding_too()
    {
        var factory = new PipelinedSpecification.Factory(CallKind.ShmAt)
        {
            Lost = (CallKind.ShmGet, 1),
        };
        RunRecord record = RunCalls(
            factory,
            """
            p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s1
            p1 shmat(s1, NULL, 0) = a1
            """);

        Assert.Equal("shmat.ok.attach | reply | ShmAt", $"{record.Divergence?.Fingerprint}");
        Assert.Equal(
            "system.lost-once | AgentDiedException | ShmGet",
            $"{record.LostAhead?.Divergence?.Fingerprint}");
    }

    [Theory]
    [InlineData(7)]
    [InlineData(0)]
    public void A_system_lost_behind_the_last_call_is_found(int ahead)
    {
        var factory = new PipelinedSpecification.Factory(null, ahead) { IsLostAfterwards = true };
        RunRecord record = RunCalls(factory, "p1 shmget(IPC_PRIVATE, 4096, 0600) = s1");
        Assert.Equal(
            "system.lost-after | AgentDiedException | Kill", $"{record.Divergence?.Fingerprint}");
    }

    private static RunRecord RunCalls(
        PipelinedSpecification.Factory factory, string calls, Ledger? ledger = null)
    {
        Trace trace = TraceParser.Parse(
            "calls", $"# shmcheck trace 1\nmachine page=4096 frames=4096 hugepages=0\n{calls}\n");
        var record = new RunRecord();
        new SequenceRunner(factory, null, ledger, observeEvery: 0).Run(
            trace.Machine, new CallList([.. trace.Calls]), record);
        return record;
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
