using System.Text;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Snapshots.Reports;

/// <summary>What is said of a file that is not a trace.</summary>
public sealed class BadInputTests
{
    private static readonly string[] Lines =
    [
        "p1 shmgett(IPC_PRIVATE, 4096, 0600) = s1",
        "p1 shmget(IPC_PRIVATE, 4096) = s1",
        "p1 shmget(IPC_PRIVATE, 18446744073709551616, 0600) = s1",
        "p1 shmget(IPC_PRIVATE, 4096, IPC_CREATE|0600) = s1",
        "p1 shmat(a1, NULL, 0) = a1",
        "p1 shmat(s1, 4096, 0) = a1",
        "p1 shmctl(s1, IPC_STATS)",
        "p1 shmctl(s1, IPC_STAT) = 0 {attaches=1}",
        "p1 madvise(a1, 4096, MADV_PAGEIN)",
        "p1 store(a1, page 0, 256)",
        "p1 load(a1, 0)",
        "p1 shmdt(a1) = -1 EWHAT",
        "p1 shmdt(a1) !frames#1",
        "process 1 exits",
        "sysctl vm.nr_hugepage = 1",
        "env reclaim(s1, 3-1)",
        "observe s1 nattch=1",
        "observe",
    ];

    private static readonly string[] Heads =
    [
        "", "# shmcheck trace 2\nmachine frames=64\n", "# shmcheck trace 1\n",
        "# shmcheck trace 1\np1 fork() = p2\n", "# shmcheck trace 1\nmachine frames=64 pages=4\n",
        "# shmcheck trace 1\nmachine page=5000\n", "# shmcheck trace 1\nmachine profile=6.2\n",
        "# shmcheck trace 1\nmachine frames=1 frames=2\n",
    ];

    [Fact]
    public async Task A_line_that_cannot_be_read_is_refused_with_its_place()
    {
        var text = new StringBuilder();
        foreach (string line in Lines)
        {
            text.Append(line).Append('\n').Append("    ")
                .Append(Refusal($"# shmcheck trace 1\nmachine frames=64\n{line}\n")).Append('\n');
        }

        await Snapshot.Text(text.ToString());
    }

    [Fact]
    public async Task A_head_that_is_not_that_of_a_trace_is_refused_with_its_place()
    {
        var text = new StringBuilder();
        foreach (string head in Heads)
        {
            text.Append('"').Append(head.Replace("\n", "\\n", StringComparison.Ordinal))
                .Append("\"\n    ").Append(Refusal(head)).Append('\n');
        }

        await Snapshot.Text(text.ToString());
    }

    private static string Refusal(string text) =>
        Assert.Throws<TraceFormatException>(() => TraceParser.Parse("a.shm", text)).Message;
}
