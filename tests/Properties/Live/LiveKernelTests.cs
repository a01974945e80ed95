using System.Diagnostics;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;
using ShmCheck.LiveTests;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;
using Trace = ShmCheck.Harness.Traces.Trace;

namespace ShmCheck.Properties.Live;

/// <summary>The running kernel and the specification say the same.</summary>
[Collection(LiveKernel.Name)]
public sealed class LiveKernelTests(LiveKernel kernel)
{
    /// <summary>Divergences of Linux 6.18 that are known, by the beginning of their fingerprints.
    /// </summary>
    private static readonly string[] Known =
    [
        // locked_vm counts the range that MREMAP_DONTUNMAP leaves behind for ever.
        "mremap.ok.dontunmap | VmLck",

        // A segment of 2^63 - 1 bytes is charged -2^51 pages.
        "shmget.ok.create | Committed_AS",

        // A fixed address in the last 4095 bytes is taken for an error, and returned as one.
        "mmap.enomem.beyond-task-size | reply",

        // The hint of MREMAP_DONTUNMAP is not raised to vm.mmap_min_addr, unlike that of mmap.
        "mremap.ok.dontunmap | value",
    ];

    public static TheoryData<string> Traces =>
        [.. Directory.EnumerateFiles(TraceDirectory, "*.shm")
            .Select(path => Path.GetRelativePath(TraceDirectory, path)).Order()];

    private static string TraceDirectory { get; } =
        Path.Combine(Repository.Root, "traces", "behaviour");

    [LiveTheory(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap, LiveNeed.CCompiler)]
    [MemberData(nameof(Traces))]
    public void A_trace_of_behaviour_is_what_the_kernel_does(string file)
    {
        Trace trace = TraceParser.ParseFile(Path.Combine(TraceDirectory, file));
        if (TraceReplay.Obstacle(trace, kernel.Linux.Capabilities) is not { } obstacle)
        {
            AssertConforms(trace, kernel.Linux);
        }
        else
        {
            Assert.True(
                trace.Machine.SwapKind == SwapKind.Asynchronous
                || !kernel.Linux.Capabilities.Profiles.Contains(trace.Machine.Profile), obstacle);
        }
    }

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap, LiveNeed.CCompiler)]
    public void A_random_campaign_finds_nothing_but_what_is_known()
    {
        var system = new WithoutHugeRssDefect(kernel.Linux);
        CampaignReport report = Campaign.Run(system, new CampaignOptions
        {
            Seed = 1,
            Time = TimeSpan.FromSeconds(20),
            Profiles = system.Capabilities.Profiles,
        });
        Assert.True(report.Steps > 100, $"only {report.Steps} steps");
        Assert.All(report.Findings, finding => Assert.True(
            Known.Any(known => finding.Fingerprint.ToString()
                .StartsWith(known, StringComparison.Ordinal))
            || IsOthersSwapping(finding.Fingerprint),
            $"seed {report.Options.Seed}:\n{finding.Text}"));
    }

    /// <summary>The device is the whole machine's: its own reclaim puts other programs' pages
    /// there, and no figure of a segment or process differs then.</summary>
    private static bool IsOthersSwapping(Fingerprint found) => found.Fields is ["SwapUsed"];

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.CCompiler)]
    public void The_resident_pages_of_a_huge_segment_are_counted_too_high_on_6_18()
    {
        Trace trace = TraceParser.Parse(
            "defect.shm", """
            # shmcheck trace 1
            machine profile=6.18 hugepages=1
            p1 shmget(IPC_PRIVATE, 2097152, IPC_CREAT|SHM_HUGETLB|0600) = s1
            p1 shmat(s1, NULL, 0) = a1
            p1 store(a1, hpage 0, 0x1) = 0

            """);
        if (TraceReplay.Obstacle(trace, kernel.Linux.Capabilities) is { } obstacle)
        {
            Assert.False(
                kernel.Linux.Capabilities.Profiles.Contains(trace.Machine.Profile), obstacle);
            return;
        }

        ReplayResult result = TraceReplay.Run(trace, kernel.Linux);
        Assert.Equal(
            "touch.ok.huge | rss,shm_rss | Store", $"{result.Record.Divergence?.Fingerprint}");
    }

    [LiveFact(LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    public void A_worker_that_is_killed_from_outside_is_a_lost_reply()
    {
        using ISystemUnderTest system = StartSmallest();
        var bindings = new Bindings();
        bindings.Bind(ProcessHandle.First, system.FirstPid);
        Signal(system.FirstPid, "KILL");
        Assert.Equal(
            new Reply.Lost("died sig 9"),
            system.Execute(new Load(ProcessHandle.First, AddressRef.Null, default), bindings));
    }

    [LiveFact(LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    public void A_worker_that_hangs_is_a_lost_reply_and_the_next_run_is_well()
    {
        kernel.Release();
        using var linux = new LinuxFactory(new LinuxOptions
        {
            CallLimit = TimeSpan.FromMilliseconds(500),
            LockPatience = LiveKernel.Patience,
        });
        var bindings = new Bindings();
        MachineConfig machine = linux.Capabilities.Adapt(new MachineConfig());
        using (ISystemUnderTest system = linux.Start(machine))
        {
            bindings.Bind(ProcessHandle.First, system.FirstPid);
            Signal(system.FirstPid, "STOP");
            Assert.Equal(
                new Reply.Lost("hang"),
                system.Execute(new Load(ProcessHandle.First, AddressRef.Null, default), bindings));
        }

        using ISystemUnderTest next = linux.Start(machine);
        bindings.Bind(ProcessHandle.First, next.FirstPid);
        Assert.Equal(
            Reply.Raised.Sigsegv,
            next.Execute(new Load(ProcessHandle.First, AddressRef.Null, default), bindings));
    }

    [LiveFact(LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    public void An_agent_that_dies_ends_the_run_and_the_next_one_has_another()
    {
        var bindings = new Bindings();
        using (ISystemUnderTest system = StartSmallest())
        {
            bindings.Bind(ProcessHandle.First, system.FirstPid);
            Signal(1, "KILL");
            Assert.ThrowsAny<AgentLostException>(() => system.Execute(
                new Load(ProcessHandle.First, AddressRef.Null, default), bindings));
        }

        using ISystemUnderTest next = StartSmallest();
        bindings.Bind(ProcessHandle.First, next.FirstPid);
        Assert.Equal(
            Reply.Raised.Sigsegv,
            next.Execute(new Load(ProcessHandle.First, AddressRef.Null, default), bindings));
    }

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.Swap,
        LiveNeed.CCompiler)]
    public void A_swap_device_that_a_worker_has_put_to_use_is_taken_out_of_use()
    {
        kernel.Release();
        IReadOnlyList<string> before = SwapDevice.InUse;
        using (var linux = new LinuxFactory(new LinuxOptions { LockPatience = LiveKernel.Patience }))
        {
            var bindings = new Bindings();
            MachineConfig machine = linux.Capabilities.Adapt(new MachineConfig { SwapSlots = 8 });
            using ISystemUnderTest system = linux.Start(machine);
            bindings.Bind(ProcessHandle.First, system.FirstPid);
            Assert.Equal(Reply.Zero, system.Execute(new SwapOff(ProcessHandle.First), bindings));
            Assert.Equal(Reply.Zero, system.Execute(new SwapOn(ProcessHandle.First), bindings));
            Assert.NotEqual(before, SwapDevice.InUse);
        }

        Assert.Equal(before, SwapDevice.InUse);
    }

    private ISystemUnderTest StartSmallest() =>
        kernel.Linux.Start(kernel.Linux.Capabilities.Adapt(new MachineConfig()));

    private static void AssertConforms(Trace trace, LinuxFactory linux)
    {
        ReplayResult result = TraceReplay.Run(trace, new WithoutHugeRssDefect(linux));
        Assert.True(
            result.Conforms,
            $"{result.Record.Divergence?.Fingerprint}\n{string.Join("\n", result.Mismatches)}\n"
            + string.Join("\n", result.Record.Divergence?.Differences ?? []));
    }

    /// <summary>Sends a signal to a process of the agent's pid namespace.</summary>
    private static void Signal(int pid, string signal)
    {
        string host = Directory.EnumerateDirectories("/proc")
            .Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0]))
            .Where(directory => IsAgent(directory, pid))
            .Select(directory => Path.GetFileName(directory)!).Single();
        using Process kill = Process.Start("kill", [$"-{signal}", host]);
        kill.WaitForExit();
    }

    private static bool IsAgent(string directory, int pid)
    {
        string? status = Knob.Read(Path.Combine(directory, "status"));
        return status is not null && status.StartsWith("Name:\tagent-", StringComparison.Ordinal)
            && Descends(status, Environment.ProcessId)
            && status.Split('\n').Any(line => line.StartsWith("NSpid:", StringComparison.Ordinal)
                && line.Split('\t') is [_, _, var inner] && inner == $"{pid}");
    }

    private static bool Descends(string status, int ancestor)
    {
        for (int hop = 0; hop < 4; hop++)
        {
            string parent = status.Split('\n').First(
                line => line.StartsWith("PPid:", StringComparison.Ordinal)).Split('\t')[1];
            if (parent == $"{ancestor}")
            {
                return true;
            }

            if (Knob.Read($"/proc/{parent}/status") is not { } next)
            {
                return false;
            }

            status = next;
        }

        return false;
    }
}
