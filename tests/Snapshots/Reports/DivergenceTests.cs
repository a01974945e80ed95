using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;
using ShmCheck.PlantedFaults;

namespace ShmCheck.Snapshots.Reports;

/// <summary>What a person reads of a bug: the shrunk trace, what differs, and the rule.</summary>
public sealed partial class DivergenceTests
{
    private static readonly ImmutableDictionary<string, (Func<PlantedFault> Plant, string Calls)>
        Bugs = new Dictionary<string, (Func<PlantedFault>, string)>
        {
            ["nothing-is-too-much"] = (() => new NothingIsTooMuch(),
                "p1 shmget(0x5, 0, IPC_CREAT|IPC_EXCL|0666) = s1"),
            ["stat-sees-no-attach"] = (() => new StatSeesNoAttach(), """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, @12, 0) = a1
                p1 fork() = p2
                p2 shmctl(s1, IPC_STAT)
                """),
            ["removed-cannot-be-detached"] = (() => new RemovedCannotBeDetached(), """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, NULL, SHM_RDONLY) = a1
                p1 shmctl(s1, IPC_RMID)
                p1 shmdt(a1)
                """),
            ["third-attach-throws"] = (() => new ThirdAttachThrows(), """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, NULL, 0) = a1
                p1 shmat(s1, NULL, 0) = a2
                p1 shmat(s1, NULL, 0) = a3
                """),
            ["fork-forgets-attaches"] = (() => new ForkForgetsAttaches(), """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, NULL, 0) = a1
                p1 store(a1, page 1, 0x7)
                p1 fork() = p2
                """),
            ["reading-back-keeps-the-slot"] = (() => new ReadingBackKeepsTheSlot(), """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, NULL, 0) = a1
                p1 store(a1, page 1, 0x7)
                p1 madvise(a1, 8192, MADV_PAGEOUT)
                p1 load(a1, page 1)
                """),
            ["removal-keeps-reservation"] = (() => new RemovalKeepsReservation(), """
                p1 shmget(IPC_PRIVATE, 4M, IPC_CREAT|SHM_HUGETLB|0600) = s1
                p1 shmctl(s1, IPC_RMID)
                """),
            ["sharers-pay-in-full"] = (() => new SharersPayInFull(), """
                p1 shmget(IPC_PRIVATE, 8192, IPC_CREAT|0600) = s1
                p1 shmat(s1, NULL, 0) = a1
                p1 shmat(s1, @16, 0) = a2
                p1 store(a1, page 0, 0x7)
                p1 load(a2, page 0)
                """),
        }.ToImmutableDictionary();

    public static TheoryData<string> Names => [.. Bugs.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_planted_bug_is_told_so_that_a_kernel_developer_understands_it(string bug)
    {
        (Func<PlantedFault> plant, string calls) = Bugs[bug];
        var system = new FaultyFactory(plant);
        Trace trace = TraceParser.Parse(
            bug, $"# shmcheck trace 1\nmachine frames=64 hugepages=2 swap=8\n{calls}\n");
        var found = new RunRecord();
        new SequenceRunner(system).Run(trace.Machine, new CallList([.. trace.Calls]), found);
        ShrinkResult? shrunk = Shrinker.Shrink(new SequenceRunner(system), found);
        string text = LineNumber().Replace(DivergenceText.Trace(shrunk!.Record), ".cs");
        await Snapshot.Text(text).UseTextForParameters(bug);
    }

    /// <summary>Lines of the sources of these tests: they are of no interest.</summary>
    [GeneratedRegex(@"\.cs:\d+")]
    private static partial Regex LineNumber();
}
