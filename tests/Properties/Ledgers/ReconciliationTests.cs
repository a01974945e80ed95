using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Ledgers;

public sealed class ReconciliationTests
{
    private const string HugeAndNormal =
        """
        # shmcheck trace 1
        machine profile=6.18 page=4096 frames=64 hugepages=2
        p1 shmget(IPC_PRIVATE, 4M, IPC_CREAT|SHM_HUGETLB|0600) = s1
        p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s2
        p1 shmat(s1, NULL, 0) = a1
        p1 shmat(s2, NULL, 0) = a2
        p1 store(a1, hpage 0, 0x1) = 0
        p1 store(a2, page 1, 0x1) = 0
        p1 shmctl(0, SHM_INFO) = 1 {shm_rss=513}
        p1 store(a1, hpage 1, 0x1) = 0
        p1 shmctl(0, SHM_INFO) = 1 {shm_rss=1025}
        p1 shmctl(s2, IPC_STAT) = 0 {nattch=1}

        """;

    private static readonly CampaignOptions Options = new()
    {
        Seed = 7,
        Steps = 3_000,
        Profiles = [KernelProfile.Linux6_18],
    };

    private static Ledger Linux => KnownLedgers.Of("linux");

    [Fact]
    public void A_known_wrong_figure_is_reconciled_and_counted()
    {
        CampaignReport report = Campaign.Run(
            LyingSystem.Factory(new Lies { HugeRssFactor = 512 }),
            Options with { Ledger = Linux });

        Assert.Empty(report.Findings);
        KnownCount known = Assert.Single(report.Allowances.Known);
        Assert.Equal("huge-rss", known.Row.Name);
        Assert.InRange(known.Count, 2, report.Steps);
    }

    [Fact]
    public void Without_the_ledger_the_known_wrong_figure_is_found_and_shrunk_to_a_few_calls()
    {
        CampaignReport report = Campaign.Run(
            LyingSystem.Factory(new Lies { HugeRssFactor = 512 }),
            Options with { Steps = 12_000 });

        Finding found = report.Findings.First(
            f => f.Fingerprint.Equals(Linux.Rows[0].Fingerprint));
        Assert.Equal(3, found.Calls.Length);
        Assert.Equal(Certificate.OneMinimal, found.Certificate);
        Assert.Empty(report.Allowances.Known);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(262144)]
    public void Any_other_factor_is_a_new_divergence(int factor)
    {
        Divergence? divergence = Run(new Lies { HugeRssFactor = (ulong)factor }).Divergence;

        Assert.NotNull(divergence);
        Assert.Equal("rss,shm_rss", FieldsOf(divergence));
    }

    [Fact]
    public void Totals_that_mix_huge_and_normal_segments_are_reconciled_exactly()
    {
        RunRecord run = Run(new Lies { HugeRssFactor = 512 });

        Assert.Null(run.Divergence);
        Assert.Equal(6, run.Allowances.CountOf(Linux.Rows[0]));
    }

    [Fact]
    public void A_total_that_is_wrong_otherwise_is_found_behind_the_known_one()
    {
        var lies = new Lies
        {
            HugeRssFactor = 512,
            Figures = seen =>
            {
                ref ulong rss = ref seen.Namespaces[0][(int)NamespaceField.shm_rss];
                rss += rss > 600_000 || rss == 262_145 ? 1ul : 0;
            },
        };

        Divergence? divergence = Run(lies).Divergence;

        Assert.NotNull(divergence);
        Assert.Equal(5, divergence.Step);
        Assert.Equal("shm_rss", FieldsOf(divergence));
        Assert.Equal("513", divergence.Differences[0].Expected);
        Assert.Equal("262146", divergence.Differences[0].Actual);
    }

    [Fact]
    public void An_unrelated_lie_behind_the_known_one_is_found_with_its_own_fingerprint()
    {
        CampaignReport report = Campaign.Run(
            LyingSystem.Factory(new Lies { HugeRssFactor = 512, MoreAttaches = 1 }),
            Options with { Ledger = Linux, Steps = 12_000 });

        Assert.NotEmpty(report.Findings);
        Assert.All(report.Findings, f => Assert.Equal("nattch", FieldsOf(f.Divergence)));
        Assert.NotEmpty(report.Allowances.Known);
    }

    [Fact]
    public void A_row_does_not_excuse_a_normal_segment()
    {
        var lies = new Lies
        {
            Figures = seen =>
            {
                for (int at = 0; at < seen.Segments.Count; at++)
                {
                    seen.Segments[at][(int)SegmentField.rss] *= 512;
                }
            },
        };

        Assert.Equal("rss", FieldsOf(Run(lies).Divergence!));
    }

    [Fact]
    public void A_row_does_not_excuse_kernels_that_it_is_not_about()
    {
        var lies = new Lies { HugeRssFactor = 512 };
        ISystemFactory other = LyingSystem.Factory(lies with
        {
            Capabilities = c => lies.Capabilities(c) with { KernelRelease = "7.3.4" },
        });

        Assert.NotNull(TraceReplay.Run(
            TraceParser.Parse("mixed.shm", HugeAndNormal), other, Linux).Record.Divergence);
    }

    [Fact]
    public void An_errno_in_place_of_another_is_reconciled_for_its_rule_alone()
    {
        Ledger ledger = LedgerParser.Parse("own.ledger", OwnLedger.WithLines(
            "wrong errno shmctl.einval.id EINVAL is EIDRM"));
        ISystemFactory lying = LyingSystem.Factory(
            new Lies { Errno = (CallKind.ShmCtlStat, Errno.EINVAL, Errno.EIDRM) });

        RunRecord known = Replay("p1 shmctl(7, IPC_STAT) = -1 EINVAL", lying, ledger);
        RunRecord other = Replay("p1 shmctl(-1, IPC_STAT) = -1 EINVAL", lying, ledger);

        Assert.Null(known.Divergence);
        Assert.Equal(1, known.Allowances.CountOf(ledger.Rows[0]));
        Assert.Equal("shmctl.einval.negative-id", other.Divergence?.Fingerprint.Rule);
    }

    [Theory]
    [InlineData(Errno.EFAULT, "shmctl(*)", true)]
    [InlineData(Errno.EFAULT, "shmctl(*, IPC_STAT)", true)]
    [InlineData(Errno.EFAULT, "shmctl(*, IPC_SET*)", false)]
    [InlineData(Errno.EEXIST, "shmctl(*)", false)]
    public void An_order_explains_the_errnos_that_its_calls_can_fail_with(
        Errno errno, string calls, bool isKnown)
    {
        Ledger ledger = LedgerParser.Parse(
            "own.ledger", OwnLedger.WithLines($"wrong order of {calls}"));
        ISystemFactory lying = LyingSystem.Factory(
            new Lies { Errno = (CallKind.ShmCtlStat, Errno.EINVAL, errno) });

        RunRecord run = Replay("p1 shmctl(7, IPC_STAT) = -1 EINVAL", lying, ledger);

        Assert.Equal(isKnown, run.Divergence is null);
        Assert.Equal(isKnown ? 1 : 0, run.Allowances.CountOf(ledger.Rows[0]));
    }

    [Theory]
    [InlineData("plus 3", 4)]
    [InlineData("plus -1", 0)]
    [InlineData("is 9", 9)]
    public void A_figure_that_is_off_or_constant_is_reconciled(string value, int shown)
    {
        Ledger ledger = LedgerParser.Parse("own.ledger", OwnLedger.WithLines(
            $"wrong segment nattch normal {value}"));
        ISystemFactory lying = LyingSystem.Factory(new Lies
        {
            Figures = seen => Set(seen, (ulong)shown),
        });
        const string calls =
            "p1 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = s1\np1 shmat(s1, NULL, 0) = a1";

        Assert.Null(Replay(calls, lying, ledger).Divergence);
        Assert.NotNull(Replay(calls, lying, null).Divergence);
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(3, "used_ids")]
    public void A_figure_that_counts_calls_is_reconciled_only_with_their_number(
        int shown, string? found)
    {
        Ledger ledger = LedgerParser.Parse("own.ledger", OwnLedger.WithLines(
            "wrong ipc used_ids counts shmget.ok.create"));
        ISystemFactory lying = LyingSystem.Factory(new Lies
        {
            Figures = seen =>
            {
                Span<ulong> row = seen.Namespaces[0];
                row[(int)NamespaceField.used_ids] =
                    row[(int)NamespaceField.shm_tot] == 3 ? (ulong)shown
                        : row[(int)NamespaceField.used_ids];
            },
        });
        const string calls = "p1 shmget(IPC_PRIVATE, 4096, 0600) = s1\n"
            + "p1 shmctl(s1, IPC_RMID) = 0\np1 shmget(IPC_PRIVATE, 12288, 0600) = s2";

        Assert.Equal(
            found, Replay(calls, lying, ledger).Divergence?.Fingerprint.Fields.Single());
    }

    [Theory]
    [InlineData("exec.ok", 1000, null)]
    [InlineData("exec.ok", 77, "lpid")]
    [InlineData("exit.ok", 1000, "lpid")]
    public void A_figure_that_misses_a_change_is_reconciled_with_what_it_was_and_behind_its_rule(
        string rule, int shown, string? found)
    {
        Ledger ledger = LedgerParser.Parse("own.ledger", OwnLedger.WithLines(
            $"wrong segment lpid any stays {rule}"));
        ISystemFactory lying = LyingSystem.Factory(new Lies
        {
            Figures = seen =>
            {
                for (int at = 0; at < seen.Segments.Count; at++)
                {
                    ref ulong lpid = ref seen.Segments[at][(int)SegmentField.lpid];
                    lpid = lpid == 1001 ? (ulong)shown : lpid;
                }
            },
        });

        const string calls = "p1 shmget(IPC_PRIVATE, 4096, 0600) = s1\n"
            + "p1 shmat(s1, NULL, 0) = a1\np1 fork() = p2\np2 execve() = 0";

        Divergence? divergence = Replay(calls, lying, ledger).Divergence;
        Assert.Equal(found, divergence is null ? null : FieldsOf(divergence));
    }

    [Theory]
    [InlineData("shm_rss is shm_tot", 2, null)]
    [InlineData("shm_rss is shm_tot", 1, "shm_rss")]
    [InlineData("shm_rss higher", 1, null)]
    public void A_figure_that_is_another_one_or_higher_is_reconciled(
        string value, int shown, string? found)
    {
        Ledger ledger = LedgerParser.Parse(
            "own.ledger", OwnLedger.WithLines($"wrong ipc {value}"));
        ISystemFactory lying = LyingSystem.Factory(new Lies
        {
            Figures = seen => seen.Namespaces[0][(int)NamespaceField.shm_rss] =
                seen.Segments.Count > 0 ? (ulong)shown : 0,
        });
        Divergence? divergence =
            Replay("p1 shmget(IPC_PRIVATE, 8192, 0600) = s1", lying, ledger).Divergence;

        Assert.Equal(found, divergence is null ? null : FieldsOf(divergence));
    }

    private static string FieldsOf(Divergence divergence) =>
        string.Join(",", divergence.Fingerprint.Fields);

    private static void Set(Observation seen, ulong shown)
    {
        if (seen.Segments.Count > 0 && seen.Segments[0][(int)SegmentField.nattch] == 1)
        {
            seen.Segments[0][(int)SegmentField.nattch] = shown;
        }
    }

    private static RunRecord Run(Lies lies) => TraceReplay.Run(
        TraceParser.Parse("mixed.shm", HugeAndNormal), LyingSystem.Factory(lies), Linux).Record;

    private static RunRecord Replay(string calls, ISystemFactory system, Ledger? ledger) =>
        TraceReplay.Run(TraceParser.Parse("calls.shm",
            $"# shmcheck trace 1\nmachine profile=6.18 page=4096 frames=64\n{calls}\n"),
            system, ledger).Record;
}
