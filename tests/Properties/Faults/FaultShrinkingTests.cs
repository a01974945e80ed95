using ShmCheck.Faults.Building;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Faults;

/// <summary>Numbers that mean the same thing are simplified together.</summary>
public sealed class FaultShrinkingTests
{
    [Theory]
    [InlineData("shmall-off-by-one", "frames=4096 shmall=6", """
        p1 shmget(IPC_PRIVATE, 24576, 0600) = s1
        """, "frames=4096 shmall=1", """
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
        """)]
    [InlineData("shmall-off-by-one", "frames=4096", """
        sysctl kernel.shmall = 4 = 0
        p1 shmget(IPC_PRIVATE, 16284, 0600) = s1
        """, "frames=4096", """
        sysctl kernel.shmall = 1 = 0
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
        """)]
    [InlineData("beyond-the-segment-allocates", "frames=4096", """
        p1 shmget(IPC_PRIVATE, 40959, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mremap(a1+36864, 4096, 8192, 0) = a2
        p1 mremap(a2+4096, 4096, 4096, 0) = a3
        p1 store(a3, page 0, 0x1) = SIGBUS
        """, "frames=4096", """
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mremap(a1, 4096, 8192, 0) = a2
        p1 store(a1, page 1, 0x1) = SIGBUS
        """)]
    [InlineData(
        "failed-gather-keeps-its-pages", "frames=64 hugepage=8192 overcommit_hugepages=2", """
        p1 shmget(IPC_PRIVATE, 16384, SHM_HUGETLB|0600) !huge#1 = -1 ENOMEM
        """, "frames=4096 overcommit_hugepages=2", """
        p1 shmget(IPC_PRIVATE, 4194304, SHM_HUGETLB|0600) !huge#1 = -1 ENOMEM
        """)]
    [InlineData("failed-fork-keeps-the-copy", "frames=64 overcommit=2", """
        p1 shmget(IPC_PRIVATE, 8192, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a2
        p1 shmget(IPC_PRIVATE, 16384, 0600) = s2
        p1 shmget(IPC_PRIVATE, 45056, 0600) = s3
        p1 shmget(IPC_PRIVATE, 16384, 0600) = s4
        p1 shmget(IPC_PRIVATE, 16384, 0600) = s5
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s6
        p1 shmget(IPC_PRIVATE, 16384, 0600) = s7
        p1 fork() = -1 ENOMEM
        """, "frames=64 overcommit=2", """
        p1 shmget(IPC_PRIVATE, 122880, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS) = a2
        p1 fork() = -1 ENOMEM
        """)]
    [InlineData("fork-maps-huge-pages-twice", "frames=4096 hugepages=1", """
        p1 shmget(IPC_PRIVATE, 2097152, SHM_HUGETLB|0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 mlock(a1, 4096) = 0
        p1 fork() = p2
        p1 exit(0) = 0
        """, "frames=4096 hugepages=1", """
        p1 shmget(IPC_PRIVATE, 2097152, SHM_HUGETLB|0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 load(a1, page 0) = 0x0
        p1 fork() = p2
        p1 exit(0) = 0
        """, "5.14")]
    public void Numbers_that_belong_together_shrink_together(
        string fault, string machine, string calls, string plainMachine, string plainCalls,
        string profile = "6.18")
    {
        Trace Parse(string config, string text) => TraceParser.Parse(
            fault, $"# shmcheck trace 1\nmachine profile={profile} page=4096 {config}\n{text}\n");
        using FaultySystem system =
            FaultySystem.Of(FaultCatalogue.All.Single(f => f.Id == fault));
        RunRecord found = TraceReplay.Run(Parse(machine, calls), system).Record;

        ShrinkResult? shrunk = Shrinker.Shrink(new SequenceRunner(system), found);

        Assert.NotNull(shrunk);
        Trace wanted = Parse(plainMachine, plainCalls);
        Assert.Equal(
            TracePrinter.Print(Trace.Of(wanted.Machine, [.. wanted.Calls])),
            TracePrinter.Print(Trace.Of(shrunk.Machine, shrunk.Calls)));
    }
}
