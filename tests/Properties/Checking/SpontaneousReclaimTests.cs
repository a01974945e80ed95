using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Tolerances;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Checking;

public sealed class SpontaneousReclaimTests
{
    /// <summary>Two dirty pages and two clean ones that nobody maps any more; the meddling is to
    /// happen at the sixth call.</summary>
    private const string Calls =
        """
        p1 shmget(IPC_PRIVATE, 16384, 0600) = s1
        p1 shmat(s1, @4, 0) = a1
        p1 madvise(a1, 8192, MADV_POPULATE_WRITE) = 0
        p1 madvise(a1+8192, 8192, MADV_POPULATE_READ) = 0
        p1 shmdt(a1) = 0
        p1 shmctl(0, SHM_INFO) = 0
        p1 shmat(s1, @4, 0) = a2
        p1 load(a2, page 0) = 0x0
        p1 store(a2, page 1, 0x1) = 0
        p1 load(a2, page 3) = 0x0
        """;

    private const int When = 6;

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(0, 1, 2, 3)]
    public void Pages_that_nobody_maps_may_go_before_or_behind_a_call(params int[] pages)
    {
        AssertExplained(Run(new Meddling { Before = (at, state) => Take(at, state, pages) }));
        AssertExplained(Run(new Meddling { After = (at, state, _) => Take(at, state, pages) }));
    }

    [Fact]
    public void Where_nothing_says_so_no_page_goes() => Assert.NotNull(Run(new Meddling
    {
        After = (at, state, _) => Take(at, state, 0),
        ReclaimSource = "",
    }).Divergence);

    [Fact]
    public void A_page_that_is_mapped_stays() => Assert.NotNull(Run(new Meddling
    {
        After = (at, state, _) => at == 3 ? MeddledSystem.Reclaim(state, 0) : state,
    }).Divergence);

    [Fact]
    public void A_page_that_shm_lock_holds_stays() => Assert.NotNull(Run(
        new Meddling { After = (at, state, _) => Take(at, state, 0) },
        Calls.Replace(
            "p1 shmdt(a1) = 0", "p1 shmctl(s1, SHM_LOCK) = 0\np1 shmdt(a1) = 0",
            StringComparison.Ordinal)).Divergence);

    /// <summary>A dirty page that were dropped would take what was written with it.</summary>
    [Fact]
    public void More_pages_cannot_be_dropped_than_are_clean() => Assert.NotNull(Run(new Meddling
    {
        Figures = (at, seen) =>
        {
            if (at == When)
            {
                seen.Segments[0][(int)SegmentField.rss] -= 3;
                seen.Namespaces[0][(int)NamespaceField.shm_rss] -= 3;
            }
        },
    }).Divergence);

    [Fact]
    public void One_figure_alone_is_not_explained() => Assert.NotNull(Run(new Meddling
    {
        Figures = (at, seen) =>
        {
            if (at == When)
            {
                seen.Segments[0][(int)SegmentField.rss]--;
            }
        },
    }).Divergence);

    [Fact]
    public void Which_of_two_pages_went_shows_when_one_is_touched()
    {
        RunRecord record = Run(new Meddling { After = (at, state, _) => Take(at, state, 1) });

        Assert.Null(record.Divergence);
        Assert.Equal(10, record.Compared);
    }

    [Theory]
    [InlineData(3, 3, true)]
    [InlineData(3, 2, false)]
    public void Other_programs_have_no_more_slots_than_they_have_written(
        int slots, int written, bool passes)
    {
        RunRecord record = Run(new Meddling
        {
            Figures = (at, seen) => seen.Global[0][(int)GlobalField.SwapUsed] +=
                at >= When ? (ulong)slots : 0,
            Written = (ulong)written,
        });

        Assert.Equal(passes, record.Divergence is null);
        Assert.Equal(
            passes ? slots * 5 : 0,
            record.Allowances.Tolerated.GetValueOrDefault(Tolerance.ForeignSlots));
    }

    [Fact]
    public void Slots_of_other_programs_are_not_there_for_segments()
    {
        RunRecord record = Run(new Meddling
        {
            Before = (at, state) => at == When ? state with { SlotsUsed = 8 } : state,
            Written = 8,
        }, Calls + "\np1 madvise(a2, 4096, MADV_PAGEOUT) = 0\n");

        Assert.Null(record.Divergence);
        Assert.Equal(8 * 6, record.Allowances.Tolerated[Tolerance.ForeignSlots]);
    }

    [Fact]
    public void Slots_that_others_have_lost_are_missed() => Assert.NotNull(Run(new Meddling
    {
        Figures = (at, seen) => seen.Global[0][(int)GlobalField.SwapUsed] -=
            at >= When ? 1ul : 0,
        Written = 8,
    }).Divergence);

    private static SpecState Take(int at, SpecState state, params ReadOnlySpan<int> pages)
    {
        foreach (int page in pages)
        {
            state = at == When ? MeddledSystem.Reclaim(state, (ulong)page) : state;
        }

        return state;
    }

    private static void AssertExplained(RunRecord record)
    {
        Assert.True(
            record.Divergence is null, string.Join("; ", record.Divergence?.Differences ?? []));
        Assert.Equal(1, record.Allowances.Tolerated[Tolerance.SpontaneousReclaim]);
    }

    private static RunRecord Run(Meddling meddling, string calls = Calls)
    {
        Trace trace = TraceParser.Parse(
            "calls", "# shmcheck trace 1\nmachine profile=6.18 page=4096 frames=64 swap=8\n"
                + $"{calls}\n");
        var record = new RunRecord();
        new SequenceRunner(MeddledSystem.Factory(meddling)).Run(
            trace.Machine, new CallList([.. trace.Calls]), record, endProcesses: false);
        return record;
    }
}
