using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Traces;
using ShmCheck.Properties.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Ledgers;

/// <summary>The row of counters that forget to lose pages.</summary>
public sealed class KeptPagesTests
{
    private const string Rule = "mapping.dontunmap-unlocks";

    private const string Calls =
        """
        p1 mlockall(MCL_FUTURE) = 0
        p1 mmap(@4, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a1
        p1 mremap(a1, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED|MREMAP_DONTUNMAP, @8) = a2
        p1 fork() = p2
        p1 mremap(a2, 8192, 8192, MREMAP_MAYMOVE|MREMAP_FIXED|MREMAP_DONTUNMAP, @12) = a3
        p1 munmap(a3, 8192) = 0
        p1 setrlimit(RLIMIT_MEMLOCK, 20480) = 0
        p1 setuid(1000) = 0
        p1 mlock(@4, 4096) = 0
        p1 mlock(@4, 8192) = -1 ENOMEM
        p1 execve() = 0
        p1 mmap(@4, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a4
        p1 mlock(a4, 8192) = 0
        """;

    private static readonly Ledger Row = LedgerParser.Parse(
        "own", OwnLedger.WithLines($"wrong process VmLck keeps {Rule}"));

    [Fact]
    public void The_error_adds_up_decides_and_ends_with_the_address_space()
    {
        RunRecord record = Run(pages => pages, Row);

        Assert.True(
            record.Divergence is null, string.Join("; ", record.Divergence?.Differences ?? []));
        Assert.Equal(8, record.Allowances.CountOf(Row.Rows[0]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Any_other_error_is_a_divergence(int pages)
    {
        RunRecord record = Run(_ => (ulong)pages, Row);

        Assert.Equal("mremap.ok.dontunmap | VmLck | MRemap", $"{record.Divergence?.Fingerprint}");
        Assert.Equal(0, record.Allowances.CountOf(Row.Rows[0]));
    }

    /// <summary>Behind the fourth call a figure shows it, at the end only the refusal of mlock.
    /// </summary>
    [Theory]
    [InlineData(4, 7)]
    [InlineData(8, 3)]
    [InlineData(0, 1)]
    public void It_is_learnt_behind_calls_that_nobody_looks_at(int every, int shown)
    {
        RunRecord record = Run(pages => pages, Row, observeEvery: every);

        Assert.True(
            record.Divergence is null, string.Join("; ", record.Divergence?.Differences ?? []));
        Assert.Equal(shown, record.Allowances.CountOf(Row.Rows[0]));
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(0, 0)]
    [InlineData(1, 4)]
    [InlineData(3, 4)]
    [InlineData(3, 0)]
    public void What_nobody_has_looked_at_is_as_wrong_as_the_row_says_or_not_at_all(
        int pages, int every)
    {
        RunRecord record = Run(_ => (ulong)pages, Row, observeEvery: every);

        Assert.Equal(pages == 0, record.Divergence is null);
        Assert.Equal(0, record.Allowances.CountOf(Row.Rows[0]));
    }

    /// <summary>What has been seen to be right is not wrong later.</summary>
    [Fact]
    public void What_was_looked_at_is_suspected_no_more() => Assert.NotNull(
        Run(_ => 0, Row, observeEvery: 2, raises: 7).Divergence);

    /// <summary>Behind the first of the kills a figure is late as well.</summary>
    [Fact]
    public void It_is_learnt_beside_a_figure_that_may_be_late()
    {
        RunRecord record = Run(
            pages => pages, Row, observeEvery: 0, prepare: system =>
                new PipelinedSpecification.Factory(null, ahead: 1000)
                {
                    Inner = system,
                    Late = GlobalField.SwapUsed,
                },
            calls: Calls[..Calls.IndexOf("p1 setrlimit", StringComparison.Ordinal)]);

        Assert.Equal("", $"{record.Divergence?.Fingerprint}");
    }

    [Fact]
    public void Without_the_row_it_is_a_divergence() =>
        Assert.NotNull(Run(pages => pages, null).Divergence);

    [Fact]
    public void A_system_without_the_error_needs_no_row()
    {
        RunRecord record = Run(_ => 0, Row);

        Assert.Null(record.Divergence);
        Assert.Empty(record.Allowances.Known);
    }

    /// <summary>An error that ends too early is none of the row's.</summary>
    [Fact]
    public void The_error_must_stay() => Assert.NotNull(Run(pages => pages, Row, forgets: 6)
        .Divergence);

    [Theory]
    [InlineData("wrong process VmLck keeps no.such-rule", "8:27: expected a rule")]
    [InlineData("wrong process VmSwap keeps " + Rule, "expected one of VmSize, VmLck")]
    [InlineData("wrong machine Shmem is 0 while charged above x", "bytes")]
    public void A_line_that_says_nonsense_is_refused(string line, string problem) =>
        Assert.Contains(problem, Assert.Throws<TraceFormatException>(
            () => LedgerParser.Parse("own", OwnLedger.WithLines(line))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("wrong process VmLck keeps " + Rule)]
    [InlineData("wrong machine Committed_AS is 0 while charged above 4096")]
    public void A_line_is_printed_as_it_is_read(string line)
    {
        string text = OwnLedger.WithLines(line);
        Assert.Equal(text, LedgerPrinter.Print(LedgerParser.Parse("own", text)));
    }

    /// <summary>Runs the calls on a system that keeps pages of a rule in VmLck.</summary>
    private static RunRecord Run(
        Func<ulong, ulong> kept, Ledger? ledger, int forgets = -1, int raises = -1,
        int observeEvery = 1, Func<ISystemFactory, ISystemFactory>? prepare = null,
        string calls = Calls)
    {
        ulong sum = 0;
        var meddling = new Meddling
        {
            Before = (at, state) => at == forgets ? Raise(state, 0, unchecked(0 - sum))
                : at == raises ? Raise(state, 0, 2) : state,
            After = (_, state, log) => log.Amounts.Where(a => a.Rule.Id == Rule).Aggregate(
                state, (wrong, a) =>
                {
                    sum += kept(a.Pages);
                    return Raise(wrong, a.Space, kept(a.Pages));
                }),
        };
        Trace trace = TraceParser.Parse(
            "calls", $"# shmcheck trace 1\nmachine profile=6.18 page=4096 frames=64\n{calls}\n");
        var record = new RunRecord();
        ISystemFactory system = MeddledSystem.Factory(meddling);
        new SequenceRunner(prepare?.Invoke(system) ?? system, null, ledger, observeEvery).Run(
            trace.Machine, new CallList([.. trace.Calls]), record);
        return record;
    }

    private static SpecState Raise(SpecState state, ulong space, ulong pages) => state with
    {
        Spaces = state.Spaces.Set(space, state.Spaces[space] with
        {
            LockedPages = state.Spaces[space].LockedPages + pages,
        }),
    };
}
