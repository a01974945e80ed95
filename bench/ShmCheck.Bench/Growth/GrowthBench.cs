using ShmCheck.Abi;
using ShmCheck.Bench.Reporting;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Growth;

/// <summary>What each call costs as there is more of everything, and what may grow with it.
/// </summary>
internal sealed class GrowthBench(BenchOptions options)
{
    private const int First = ShmMachine.FirstPid;
    private const int WarmUp = 60;
    private const int BatchesBetweenPauses = 20;

    /// <summary>Milliseconds, in which the compiler makes what is called often fast.</summary>
    private const int CompilationPause = 200;

    public void Run(TextWriter output)
    {
        Of(output, "segments in the namespace", [16, 1024, 32700], Crowd.OfSegments,
        [
            new Probe("shmget IPC_PRIVATE + IPC_RMID", "O(log n)",
                crowd => crowd.Remove(crowd.Get(0))),
            new Probe("shmget of a key that exists", "O(1)", crowd => crowd.GetKey(crowd.Any)),
            new Probe("shmat + shmdt", "O(log n)", crowd => crowd.Detach(crowd.Attach())),
            new Probe("IPC_STAT", "O(log n)", crowd => crowd.Stat()),
            new Probe("SHM_INFO", "O(log n)", crowd => crowd.Info()),
            new Probe("touch of a new page, MADV_REMOVE", "O(log n)",
                crowd => crowd.TouchAndPunch()),
            new Probe("kernel.shm_rmid_forced = 1", "O(n): tests every segment", crowd =>
                crowd.Machine.SetSysctl(Sysctl.ShmRmidForced, 1), Slow: true),
        ]);
        Of(output, "mappings of the process", [16, 1024, 65536], Crowd.OfMappings,
        [
            new Probe("shmat + shmdt", "O(log n)", crowd => crowd.Detach(crowd.Attach())),
            new Probe("write to a page that is present", "O(log n)", crowd => crowd.Store()),
            new Probe("touch of a new page, MADV_REMOVE", "O(n): visits mappings of the page",
                crowd => crowd.TouchAndPunch()),
            new Probe("mprotect that splits, then joins", "O(log n)", crowd => crowd.Protect()),
            new Probe("shmat where the lowest gap is too short", "O(log n)",
                crowd => crowd.AttachLong()),
            new Probe("fork + exit", "O(n): copies and unmaps mappings",
                crowd => crowd.ForkAndExit(), Slow: true),
            new Probe("shmdt of an address that is no attach", "O(n): looks at all above it",
                crowd => crowd.Machine.ShmDt(First, 4096), Slow: true),
        ]);
        Of(output, "frames of the machine", [1 << 18, 1 << 24, 1 << 28], Crowd.OfFrames,
        [
            new Probe("start of a machine", "O(1)", crowd => crowd.Restart(), Slow: true),
            new Probe("touch of a new page, MADV_REMOVE", "O(log n)",
                crowd => crowd.TouchAndPunch()),
            new Probe("shmget + shmat + touch + shmdt + IPC_RMID", "O(log n)",
                crowd => crowd.Cycle()),
            new Probe("fork + exit", "O(1)", crowd => crowd.ForkAndExit()),
            new Probe("nr_hugepages up and down by one", "O(log n)", crowd => crowd.Resize()),
        ]);
        Of(output, "swap slots and huge pages, half of them in use", [1 << 10, 1 << 14, 1 << 17],
            Crowd.OfPools,
        [
            new Probe("write, MADV_PAGEOUT, read", "O(log n)", crowd => crowd.SwapOutAndIn()),
            new Probe("shmget SHM_HUGETLB ... IPC_RMID", "O(log n)", crowd => crowd.HugeCycle()),
            new Probe("nr_hugepages down and up by one", "O(log n)", crowd => crowd.Shrink()),
            new Probe("swapoff, swapon, reads, MADV_PAGEOUT", "O(n): moves all pages in swap",
                crowd => crowd.SwapOffAndOn(), Slow: true),
        ]);
        Of(output, "supplementary groups", [16, 1024, 65536], Crowd.OfGroups,
        [
            new Probe("IPC_STAT that a group permits", "O(log n)", crowd => crowd.StatAsMember()),
            new Probe("setresuid there and back", "O(1)", crowd => crowd.ChangeUser()),
            new Probe("fork + exit", "O(1)", crowd => crowd.ForkAndExit()),
            new Probe("setgroups of them all", "O(n): takes n groups", crowd =>
                crowd.SetGroups(), Slow: true),
        ]);
        Of(output, "processes", [1, 100, 10000], Crowd.OfProcesses,
        [
            new Probe("fork + exit", "O(log n)", crowd => crowd.ForkAndExit()),
            new Probe("shmat + shmdt", "O(log n)", crowd => crowd.Detach(crowd.Attach())),
            new Probe("touch of a new page, MADV_REMOVE", "O(n): visits mappings of the page",
                crowd => crowd.TouchAndPunch()),
            new Probe("IPC_STAT", "O(log n)", crowd => crowd.Stat()),
        ]);
    }

    private void Of(
        TextWriter output, string what, int[] counts, Func<int, Crowd> make, Probe[] probes)
    {
        var table = new Table(
            ["call", .. counts.Select(count => $"n = {count}"), "growth", "may grow"]);
        Crowd[] crowds = [.. counts.Select(make)];
        foreach (Probe probe in probes)
        {
            double[] nanoseconds = Time(probe, crowds);
            table.Add([probe.Name, .. nanoseconds.Select(ns => $"{ns:0} ns"),
                $"{nanoseconds[^1] / nanoseconds[0]:0.0}x", probe.Bound]);
        }

        output.WriteLine($"By {what}:\n");
        output.WriteLine(table);
    }

    /// <summary>Times a probe on all crowds by turns.</summary>
    private double[] Time(Probe probe, Crowd[] crowds)
    {
        int repeats = probe.Slow ? 3 : 500;
        int batches = options.Rounds * (probe.Slow ? 3 : 9);
        double[][] times = [.. crowds.Select(_ => new double[batches])];
        for (int batch = probe.Slow ? 0 : -WarmUp; batch < batches; batch++)
        {
            if (batch <= 0 && batch % BatchesBetweenPauses == 0)
            {
                Thread.Sleep(CompilationPause);
            }

            for (int which = 0; which < crowds.Length; which++)
            {
                Crowd crowd = crowds[which];
                times[which][Math.Max(batch, 0)] =
                    SideBySide.Time(repeats, () => Repeat(probe, crowd, repeats));
            }
        }

        return [.. times.Select(SideBySide.Median)];
    }

    private static void Repeat(Probe probe, Crowd crowd, int repeats)
    {
        for (int i = 0; i < repeats; i++)
        {
            probe.Make(crowd);
        }
    }

    /// <summary>Calls that leave things as they were.</summary>
    private sealed record Probe(string Name, string Bound, Action<Crowd> Make, bool Slow = false);
}
