using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;
using ShmCheck.PlantedFaults;

namespace ShmCheck.Properties.Shrinking;

/// <summary>Numbers that depend on each other shrink together: none of them could be lowered by
/// itself.</summary>
public sealed class SharedNumberTests
{
    [Fact]
    public void A_segment_that_fills_the_pool_of_huge_pages_becomes_one_page_as_the_pool_does()
    {
        ShrinkResult result = Shrink(() => new LastHugePageIsRefused(), """
            # shmcheck trace 1
            machine profile=6.18 page=4096 hugepages=6 hugepage=2M
            p1 shmget(IPC_PRIVATE, 12582912, SHM_HUGETLB|0600) = s1
            """);
        Assert.Equal(1ul, result.Machine.HugePages);
        AssertCalls("p1 shmget(IPC_PRIVATE, 2097152, SHM_HUGETLB|0600)", result);
    }

    /// <summary>The limit and the sizes are three numbers, of which the first is neither of the
    /// others.</summary>
    [Fact]
    public void Two_segments_that_exceed_a_limit_together_become_single_pages_as_the_limit_does()
    {
        ShrinkResult result = Shrink(() => new LocksAreNotAddedUp(), """
            # shmcheck trace 1
            machine profile=6.18 page=4096
            p1 setrlimit(RLIMIT_MEMLOCK, 49152) = 0
            p1 setuid(1000) = 0
            p1 shmget(IPC_PRIVATE, 32768, 0600) = s1
            p1 shmctl(s1, SHM_LOCK) = 0
            p1 shmget(IPC_PRIVATE, 24576, 0600) = s2
            p1 shmctl(s2, SHM_LOCK) = -1 ENOMEM
            """);
        AssertCalls(
            """
            p1 setrlimit(RLIMIT_MEMLOCK, 4096)
            p1 setuid(1000)
            p1 shmget(IPC_PRIVATE, 4096, 0600)
            p1 shmctl(s1, SHM_LOCK)
            p1 shmget(IPC_PRIVATE, 4096, 0600)
            p1 shmctl(s2, SHM_LOCK)
            """,
            result);
    }

    private static ShrinkResult Shrink(Func<PlantedFault> fault, string text)
    {
        Trace trace = TraceParser.Parse("shared", text);
        var runner = new SequenceRunner(new FaultyFactory(fault));
        var found = new RunRecord();
        runner.Run(trace.Machine, new CallList([.. trace.Calls]), found);
        ShrinkResult result = Shrinker.Shrink(runner, found)!;
        Assert.True(result.Minimal);
        return result;
    }

    private static void AssertCalls(string expected, ShrinkResult result) => Assert.Equal(
        expected, string.Join('\n', result.Calls.Select(call => CallPrinter.Print(call))));
}
