using System.Diagnostics;
using ShmCheck.LiveTests;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>A harness that is killed in the middle of its work.</summary>
[Collection(LiveKernel.Name)]
public sealed class KilledHarnessTests(LiveKernel kernel)
{
    private static readonly string[] Knobs =
    [
        Knob.HugePages, Knob.OvercommitHugePages, Knob.HugetlbGroup, Knob.Overcommit,
        Knob.OvercommitRatio, Knob.LowestAddress, Knob.PageCluster,
    ];

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap, LiveNeed.CCompiler)]
    public void What_a_killed_harness_has_turned_is_turned_back_by_the_next()
    {
        kernel.Release();
        string journal = Path.Combine(new LinuxOptions().StateDirectory, "journal");
        DirectoryInfo findings = Directory.CreateTempSubdirectory("shmcheck-killed-");
        using (var repair = new LinuxFactory(new LinuxOptions { LockPatience = LiveKernel.Patience }))
        {
            Assert.NotNull(repair.Repaired);
        }

        string[] before = [.. Knobs.Select(knob => Knob.Read(knob)!)];
        IReadOnlyList<string> swaps = SwapDevice.InUse;
        KillInTheMiddle(journal, findings.FullName);
        Assert.True(File.Exists(journal));
        using (var next = new LinuxFactory(new LinuxOptions { LockPatience = LiveKernel.Patience }))
        {
            Assert.Contains(
                next.Repaired, text => text.StartsWith("write ", StringComparison.Ordinal));
        }

        Assert.Equal(before, Knobs.Select(knob => Knob.Read(knob)!));
        Assert.Equal(swaps, SwapDevice.InUse);
        Assert.False(File.Exists(journal));
        findings.Delete(recursive: true);
    }

    private static void KillInTheMiddle(string journal, string findings)
    {
        var start = new ProcessStartInfo(
            "dotnet", [CommandPath, "check", "--system", "linux", "--time", "60s", "--out", findings])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process harness = Process.Start(start)!;
        long deadline = Environment.TickCount64 + 60_000;
        while (!File.Exists(journal))
        {
            Assert.True(Environment.TickCount64 < deadline && !harness.HasExited);
            Thread.Sleep(10);
        }

        Thread.Sleep(1000);
        harness.Kill();
        harness.WaitForExit();
    }

    private static string CommandPath => Path.Combine(AppContext.BaseDirectory, "shmcheck.dll");
}
