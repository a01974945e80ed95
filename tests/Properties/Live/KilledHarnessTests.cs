using System.Diagnostics;
using ShmCheck.LiveTests;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>A harness that is killed in the middle of its work.</summary>
[Collection(LiveKernel.Name)]
public sealed class KilledHarnessTests(LiveKernel kernel)
{
    private static readonly LinuxOptions Patient = new() { LockPatience = LiveKernel.Patience };

    private static readonly string LockPath = Path.Combine(Patient.StateDirectory, "lock");

    private static readonly string Journal = Path.Combine(Patient.StateDirectory, "journal");

    /// <summary>Every knob that a harness turns, and a value that it turns it to in no run, or
    /// not in all of them.</summary>
    private static readonly (string Knob, string Value)[] Unusual =
    [
        (Knob.HugePages, "0"), (Knob.OvercommitHugePages, "33"), (Knob.HugetlbGroup, "4242"),
        (Knob.Overcommit, "1"), (Knob.OvercommitRatio, "57"), (Knob.LowestAddress, "8192"),
        (Knob.PageCluster, "2"), (Knob.TransparentShmem, "advise"),
        (Knob.HurriedGracePeriods, "0"),
    ];

    [LiveTheory(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap, LiveNeed.CCompiler)]
    [InlineData("linux", "reset-zram ")]
    [InlineData("linux:swapfile", "delete ")]
    public void What_a_killed_harness_has_turned_is_turned_back_by_the_next(
        string system, string undo)
    {
        kernel.Release();
        RepairWhatIsLeft();
        DirectoryInfo findings = Directory.CreateTempSubdirectory("shmcheck-killed-");
        (string Knob, string Value)[] found = Alone(() => Turn(Unusual));
        try
        {
            string[] before = Alone(Look);
            UndoAction.EndProcess[] agents = KillInTheMiddle(system, findings.FullName, undo);
            RepairWhatIsLeft();
            Assert.Equal(before, Alone(Look));
            Assert.True(
                SpinWait.SpinUntil(() => !Array.Exists(agents, IsRunning), 5000),
                $"still there: {string.Join(", ", agents.Where(IsRunning))}");
        }
        finally
        {
            RepairWhatIsLeft();
            Alone(() => Turn(found));
            findings.Delete(recursive: true);
        }
    }

    /// <summary>The next start of a harness.</summary>
    private static void RepairWhatIsLeft()
    {
        using var next = new LinuxFactory(Patient);
        Assert.NotNull(next.Repaired);
    }

    /// <summary>Does something while no other process has the machine.</summary>
    private static T Alone<T>(Func<T> work)
    {
        using MachineLock taken = MachineLock.Take(LockPath, LiveKernel.Patience);
        return work();
    }

    /// <summary>Turns the knobs that can be turned.</summary>
    /// <returns>Their values before.</returns>
    private static (string Knob, string Value)[] Turn((string Knob, string Value)[] knobs)
    {
        (string Knob, string Value)[] turned =
            [.. knobs.Where(knob => Knob.IsWritable(knob.Knob))];
        (string Knob, string Value)[] before =
            [.. turned.Select(knob => (knob.Knob, Knob.Read(knob.Knob)!))];
        foreach ((string knob, string value) in turned)
        {
            File.WriteAllText(knob, value);
        }

        return before;
    }

    /// <summary>All of the machine that a run changes, a line each.</summary>
    private static string[] Look() =>
    [
        .. Unusual.Select(knob => $"{knob.Knob} {Knob.Read(knob.Knob)}"),
        .. SwapDevice.InUse.Select(device => $"swap {device}"),
        .. Directory.EnumerateDirectories("/sys/block", "zram*").Order()
            .Select(device => $"{device} {Knob.Read(Path.Combine(device, "disksize"))}"),
        .. Directory.EnumerateFiles(Patient.SwapFileDirectory, "shmcheck-swap-*"),
        .. File.ReadLines("/proc/sysvipc/shm").Skip(1).Select(line => $"segment {line[..21]}"),
        .. File.Exists(Journal) ? [Journal] : (string[])[],
    ];

    /// <summary>Kills a harness, and stops its agent before, as if that hung.</summary>
    /// <returns>The processes of the agent.</returns>
    private static UndoAction.EndProcess[] KillInTheMiddle(
        string system, string findings, string undo)
    {
        long deadline = Environment.TickCount64 + (long)LiveKernel.Patience.TotalMilliseconds;
        while (true)
        {
            using Process harness = Start(system, findings);
            while (!harness.HasExited)
            {
                Assert.True(Environment.TickCount64 < deadline, "all was never turned at once");
                Thread.Sleep(20);
                if (IsInTheMiddle(harness.Id, undo))
                {
                    return Kill(harness);
                }

                ProcessTree.Signal(harness.Id, "CONT");
            }
        }
    }

    private static Process Start(string system, string findings) => Process.Start(
        new ProcessStartInfo(
            "dotnet",
            [CommandPath, "check", "--system", system, "--time", "60s", "--out", findings])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    /// <summary>Stops a harness, if it has the machine, and says whether all is turned.</summary>
    private static bool IsInTheMiddle(int harness, string undo)
    {
        if (MachineLock.HolderOf(LockPath) != $"{harness}")
        {
            return false;
        }

        ProcessTree.Signal(harness, "STOP");
        return Array.TrueForAll(Unusual, knob => Knob.Read(knob.Knob) != knob.Value)
            && SwapDevice.InUse.Count > 0
            && File.Exists(Journal)
            && File.ReadAllText(Journal).Contains($"\n{undo}", StringComparison.Ordinal)
            && ProcessTree.AgentsBelow(harness).Count() > 1;
    }

    private static UndoAction.EndProcess[] Kill(Process harness)
    {
        foreach ((int pid, _) in ProcessTree.AgentsBelow(harness.Id))
        {
            ProcessTree.Signal(pid, "STOP");
        }

        UndoAction.EndProcess[] agents =
        [
            .. ProcessTree.AgentsBelow(harness.Id)
                .Select(agent => UndoAction.EndProcess.Of(agent.Pid)),
        ];
        string[] journal = File.ReadAllLines(Journal);
        harness.Kill();
        harness.WaitForExit();
        Assert.Contains(agents, agent => journal.Contains($"{agent}") && IsRunning(agent));
        return agents;
    }

    /// <summary>Whether it is that process which runs, and it waits for nobody to take note of
    /// its end.</summary>
    private static bool IsRunning(UndoAction.EndProcess process) =>
        UndoAction.EndProcess.Of(process.Pid) == process
        && Knob.Read($"/proc/{process.Pid}/status")?.Contains("State:\tZ", StringComparison.Ordinal)
            == false;

    private static string CommandPath => Path.Combine(AppContext.BaseDirectory, "shmcheck.dll");
}
