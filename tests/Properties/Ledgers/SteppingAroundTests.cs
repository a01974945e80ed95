using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Properties.Ledgers;

/// <summary>What is known does not hide what stands behind it.</summary>
public sealed class SteppingAroundTests
{
    private const string Sequence =
        """
        p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mlock(a1, 4096) = 0
        p1 shmctl(s1, IPC_STAT) = 0 {nattch=1}
        p1 shmdt(a1) = 0
        """;

    [Fact]
    public void A_figure_that_says_nothing_is_passed_over_in_figures_and_in_structures()
    {
        RunRecord run = Judge(
            new Lies { Figures = Lies.OfSegments(SegmentField.lpid, _ => 7) },
            "wrong segment lpid any any");

        Assert.Null(run.Divergence);
        Assert.Equal(5, run.Compared);
    }

    [Fact]
    public void A_refused_call_leaves_everything_as_it_was_and_the_run_goes_on()
    {
        RunRecord run = Judge(
            new Lies { Refused = (CallKind.MLock, Errno.ENOMEM) },
            "wrong refusal mlock.ok.lock ENOMEM");

        Assert.Null(run.Divergence);
        Assert.Equal(5, run.Compared);
        Assert.Equal(1, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Fact]
    public void A_call_that_should_fail_halfway_may_be_known_to_change_nothing()
    {
        RunRecord run = LyingSystem.Judge(
            """
            p1 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS) = a1
            p1 munmap(a1+4096, 4096) = 0
            p1 mlock(a1, 8192) = -1 ENOMEM
            p1 mprotect(a1, 4096, PROT_NONE) = 0
            """,
            new Lies { Refused = (CallKind.MLock, Errno.ENOSYS) },
            OwnLedger.Knowing(
                "wrong refusal mlock.enomem.gap ENOSYS", "mlock.enomem.gap | VmLck | MLock"));

        Assert.Null(run.Divergence);
        Assert.Equal(4, run.Compared);
    }

    /// <summary>The first page has moved on Linux; here not, which the next call shows.</summary>
    [Fact]
    public void A_call_that_fails_as_it_should_may_be_known_to_change_nothing()
    {
        RunRecord run = LyingSystem.Judge(
            """
            p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
            p1 shmat(s1, @3, 0) = a1
            p1 mmap(@1, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a2
            p1 mremap(@1, 12288, 12288, MREMAP_MAYMOVE|MREMAP_FIXED, @6) = -1 EFAULT
            p1 load(a2, page 0) = 0
            """,
            new Lies { Refused = (CallKind.MRemap, Errno.EFAULT) },
            OwnLedger.Knowing(
                "wrong refusal mremap.efault.several EFAULT",
                "mremap.efault.several | VmSize | MRemap"));

        Assert.Null(run.Divergence);
        Assert.Equal(5, run.Compared);
        Assert.Equal(1, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    /// <remarks>The system attaches at a place that is taken, which Linux refuses when it has counted
    /// the attach already (ipc/shm.c:do_shmat).</remarks>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_attach_that_is_known_to_be_refused_may_destroy_what_nobody_has(int forced)
    {
        RunRecord run = LyingSystem.Judge(
            """
            p1 mmap(@1, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a1
            p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
            p1 shmat(s1, NULL, 0) = a2
            p1 shmget(IPC_PRIVATE, 4096, 0600) = s2
            """,
            new Lies
            {
                Instead = call => call is ShmAt at
                    ? at with { Address = AddressRef.Window(1) } : call,
            },
            OwnLedger.Knowing(
                "wrong refusal shmat.ok.attach EINVAL", "shmat.ok.attach | reply | ShmAt"),
            $"frames=64 rmid_forced={forced}");

        Assert.Null(run.Divergence);
        Assert.Equal(4, run.Compared);
    }

    [Fact]
    public void Another_errno_than_the_known_refusal_is_a_divergence()
    {
        RunRecord run = Judge(
            new Lies { Refused = (CallKind.MLock, Errno.EPERM) },
            "wrong refusal mlock.ok.lock ENOMEM");

        Assert.Equal("mlock.ok.lock", run.Divergence?.Fingerprint.Rule);
    }

    [Fact]
    public void A_known_fingerprint_ends_the_sequence_and_is_counted()
    {
        RunRecord run = Judge(
            new Lies { MoreAttaches = 0, Figures = Lies.OfSegments(SegmentField.nattch, _ => 9) },
            "wrong fingerprint", "shmget.ok.create | nattch | ShmGet");

        Assert.Null(run.Divergence);
        Assert.Equal(1, run.Compared);
        Assert.Equal(1, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Theory]
    [InlineData("while huge above 2097151", true)]
    [InlineData("while huge above 2097152", false)]
    [InlineData("while segment above 2097151", true)]
    [InlineData("while segment above 2097152", false)]
    [InlineData("while swap is 0", true)]
    [InlineData("while swap is 1", false)]
    [InlineData("after shmget.ok.create", true)]
    [InlineData("after shmat.ok.attach", false)]
    public void A_fingerprint_may_be_known_under_a_condition_alone(string when, bool isKnown)
    {
        RunRecord run = LyingSystem.Judge(
            "p1 shmget(IPC_PRIVATE, 2M, IPC_CREAT|SHM_HUGETLB|0600) = s1",
            new Lies { Figures = Lies.OfSegments(SegmentField.nattch, _ => 9) },
            OwnLedger.Knowing($"wrong fingerprint {when}", "shmget.ok.create | nattch | ShmGet"),
            "frames=64 hugepages=2");

        Assert.Equal(isKnown, run.Divergence is null);
    }

    [Theory]
    [InlineData(Errno.EPERM, "shmget.ok.create", true)]
    [InlineData(Errno.EPERM, "exec.ok", false)]
    [InlineData(Errno.EINVAL, "shmget.ok.create", false)]
    public void Rights_may_be_known_to_be_wrong_behind_a_rule(
        Errno errno, string rule, bool isKnown)
    {
        RunRecord run = Judge(
            new Lies { Refused = (CallKind.MLock, errno) }, $"wrong rights after {rule}");

        Assert.Equal(isKnown, run.Divergence is null);
        Assert.Equal(3, run.Compared);
    }

    /// <remarks>By RLIMIT_MEMLOCK mlock fails with ENOMEM, and nothing with EINVAL.</remarks>
    [Theory]
    [InlineData(CallKind.MLock, Errno.ENOMEM, "limit after shmget.ok.create", true)]
    [InlineData(CallKind.MLock, Errno.ENOMEM, "rights after shmget.ok.create", true)]
    [InlineData(CallKind.MLock, Errno.ENOMEM, "limit after exec.ok", false)]
    [InlineData(CallKind.MLock, Errno.EINVAL, "limit after shmget.ok.create", false)]
    [InlineData(CallKind.ShmDt, Errno.ENOMEM, "limit after shmget.ok.create", false)]
    public void A_limit_on_locked_memory_may_be_known_to_be_lower_behind_a_rule(
        CallKind call, Errno errno, string wrong, bool isKnown)
    {
        RunRecord run = Judge(new Lies { Refused = (call, errno) }, $"wrong {wrong}");

        Assert.Equal(isKnown, run.Divergence is null);
    }

    [Theory]
    [InlineData("after shmget.ok.create", true)]
    [InlineData("after mlockall.ok.lock", false)]
    [InlineData("at shmctl.ok.stat", true)]
    [InlineData("at shmget.ok.create", false)]
    public void A_process_may_be_known_to_end_in_calls_behind_a_rule_or_of_one(
        string where, bool isKnown)
    {
        RunRecord run = Judge(new Lies { Died = CallKind.ShmCtlStat }, $"wrong death {where}");

        Assert.Equal(isKnown, run.Divergence is null);
        Assert.Equal(4, run.Compared);
        Assert.Equal(isKnown ? 1 : 0, run.Allowances.CountOf(run.Ledger!.Rows[0]));
    }

    [Fact]
    public void A_mapping_longer_than_any_that_is_filled_ends_the_sequence_where_it_would_be()
    {
        RunRecord run = LyingSystem.Judge(
            """
            p1 mlockall(MCL_FUTURE) = 0
            p1 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS) = a1
            p1 mmap(NULL, 12288, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS) = a2
            p1 munmap(a1, 8192) = 0
            """,
            new Lies { Capabilities = honest => honest with { LongestMapping = 8192 } });

        Assert.Null(run.Divergence);
        Assert.Equal(2, run.Compared);
    }

    [Fact]
    public void A_figure_that_is_always_wrong_does_not_hide_others()
    {
        var lies = new Lies
        {
            MoreAttaches = 1,
            Figures = Lies.OfSegments(SegmentField.cpid, _ => 0),
            Capabilities = honest => honest with { OneAtATime = true },
        };
        CampaignReport report = Campaign.Run(
            LyingSystem.Factory(lies), new CampaignOptions { Seed = 3, Steps = 20_000 });

        Assert.Contains(report.Findings, f => f.Fingerprint.Fields.Contains("cpid"));
        Finding hidden = report.Findings.First(
            f => f.Fingerprint.Fields.SequenceEqual(["nattch"]));
        Assert.InRange(hidden.Calls.Length, 2, 4);
        Assert.Contains("# stepped around: ", hidden.Text, StringComparison.Ordinal);
    }

    private static RunRecord Judge(
        Lies lies, string wrong, string fingerprint = "shmat.ok.attach | nattch | ShmAt") =>
        LyingSystem.Judge(Sequence, lies, OwnLedger.Knowing(wrong, fingerprint));
}
