using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;
using ShmCheck.LiveTests;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>The running kernel and the specification say the same.</summary>
[Collection(LiveKernel.Name)]
public sealed class LiveKernelTests(LiveKernel kernel)
{
    /// <summary>Rules, of those that a live kernel can show, that a short campaign fires at least,
    /// in percent.</summary>
    private const int LeastRules = 80;

    private const string GibibytePages =
        "SHM_HUGETLB|SHM_NORESERVE|30<<SHM_HUGE_SHIFT|0600";

    private static readonly Ledger Known = KnownLedgers.Of("linux");

    private static readonly string[] TraceFolders = ["behaviour", "kernel", "regressions"];

    public static TheoryData<string> Traces =>
    [
        .. TraceFolders.SelectMany(folder => Directory.EnumerateFiles(
            Path.Combine(TraceDirectory, folder), "*.shm"))
            .Select(path => Path.GetRelativePath(TraceDirectory, path)).Order(),
    ];

    private static string TraceDirectory { get; } = Path.Combine(Repository.Root, "traces");

    [LiveTheory(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap, LiveNeed.CCompiler)]
    [MemberData(nameof(Traces))]
    public void A_trace_is_what_the_kernel_does(string file)
    {
        Trace trace = TraceParser.ParseFile(Path.Combine(TraceDirectory, file));
        SystemCapabilities linux = kernel.Linux.Capabilities;
        if (TraceReplay.Obstacle(trace, linux) is { } obstacle)
        {
            Assert.True(
                trace.Machine.SwapKind == SwapKind.Asynchronous
                || !linux.Profiles.Contains(trace.Machine.Profile)
                || trace.Machine.OvercommitRatio != linux.Adapt(trace.Machine).OvercommitRatio,
                obstacle);
        }
        else if (trace.Calls.All(linux.Has))
        {
            AssertConforms(trace, kernel.Linux);
        }
        else
        {
            Assert.Contains(trace.Calls, call => call.Injection is not null || call is Reclaim);
        }
    }

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.Swap, LiveNeed.CCompiler)]
    public void A_random_campaign_finds_nothing_but_what_the_ledger_knows()
    {
        CampaignReport report = Campaign.Run(kernel.Linux, new CampaignOptions
        {
            Seed = 1,
            Time = TimeSpan.FromSeconds(20),
            Profiles = kernel.Linux.Capabilities.Profiles,
            Ledger = Known,
        });
        Assert.All(
            report.Findings, f => Assert.Fail($"seed {report.Options.Seed}:\n{f.Text}"));
        RuleCoverage rules = RuleCoverage.Of(
            report.Coverage, kernel.Linux.Capabilities, kernel.Linux.Capabilities.Profiles);
        Assert.True(
            rules.Fired * 100 >= rules.Total * LeastRules,
            $"{rules.Fired} of {rules.Total} rules in {report.Steps} steps; never fired: "
            + string.Join(", ", rules.NeverFired));
    }

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.CCompiler)]
    public void Every_row_of_the_ledger_holds() => Assert.All(
        LedgerVerification.Run(Known, kernel.Linux),
        row => Assert.True(row.Passes, $"{row.Row.Name}: {row.Verdict}, {row.Detail}"));

    /// <summary>An agent between which and us the number of entries that map a page is made 1.
    /// </summary>
    [LiveTheory(LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    [InlineData("", true)]
    [InlineData(@" | sed -uE 's/( f [0-9]+ [0-9]+ ([0-9]+)) [0-9]+/\1 \2/g'", false)]
    public void An_agent_that_lies_about_page_frames_is_found_out(string lie, bool conforms)
    {
        kernel.Release();
        string agent = AgentBinary.Get(new LinuxOptions().CacheDirectory, AgentBuild.Usual);
        using var factory = new AgentFactory("liar", ["sh", "-c", agent + lie]);
        Trace trace = TraceParser.Parse("twice", """
            # shmcheck trace 1
            machine profile=6.18 page=4096
            p1 shmget(IPC_PRIVATE, 8192, 0600) = s1
            p1 shmat(s1, NULL, 0) = a1
            p1 store(a1, page 0, 1) = 0
            p1 shmat(s1, NULL, 0) = a2
            p1 load(a2, page 0) = 1

            """);
        ReplayResult result = TraceReplay.Run(
            trace with { Machine = factory.Capabilities.Adapt(trace.Machine) }, factory, Known);
        Assert.True(factory.Capabilities.ShowsFrames);
        Assert.Equal(conforms, result.Conforms);
        Assert.Equal(
            conforms ? null : "Mapcount",
            result.Record.Divergence?.Fingerprint.Fields.Single());
    }

    [LiveFact(LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.CCompiler)]
    public void A_mapping_fixed_at_0_is_not_made_over_the_program_that_makes_it()
    {
        using ISystemUnderTest system = StartSmallest();
        var bindings = new Bindings();
        bindings.Bind(ProcessHandle.First, system.FirstPid);
        Assert.Throws<CallNotPossibleException>(() => system.Execute(
            new MMap(
                ProcessHandle.First, AddressRef.Null, 64ul << 20, Protection.PROT_READ,
                MapFlags.MAP_FIXED, new MappingHandle(1)),
            bindings));
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

    [LiveTheory(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.HugePages,
        LiveNeed.CCompiler)]
    [InlineData("0600", "", false)]
    [InlineData(GibibytePages, "", true)]
    [InlineData(GibibytePages, "p1 shmget(7, 0, 0600) = s1", true)]
    public void An_attach_over_the_agent_is_left_out(string flags, string then, bool isLeftOut)
    {
        Trace trace = TraceParser.Parse("attach.shm", $"""
            # shmcheck trace 1
            machine profile=6.18 page=4096 frames=4096
            p1 shmget(7, 4096, IPC_CREAT|IPC_EXCL|{flags}) = s1
            {then}
            p1 shmat(s1, 0x1, SHM_RND) = a1

            """);
        ReplayResult result = TraceReplay.Run(trace, kernel.Linux, Known);
        Assert.Null(result.Record.Divergence);
        Assert.Equal(isLeftOut, !result.Conforms);
    }

    [LiveFact(
        LiveNeed.Root, LiveNeed.SystemVIpc, LiveNeed.IpcNamespaces, LiveNeed.Swap,
        LiveNeed.CCompiler)]
    public void A_swap_device_that_a_worker_has_put_to_use_is_taken_out_of_use()
    {
        kernel.Release();
        IReadOnlyList<string> before = SwapDevice.InUse;
        var options = new LinuxOptions { LockPatience = LiveKernel.Patience };
        using (var linux = new LinuxFactory(options))
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
        ReplayResult result = TraceReplay.Run(trace, linux, Known);
        Assert.True(
            result.Conforms,
            $"{result.Record.Divergence?.Fingerprint}\n{string.Join("\n", result.Mismatches)}\n"
            + string.Join("\n", result.Record.Divergence?.Differences ?? []));
    }

    /// <summary>Sends a signal to a process of the agent's pid namespace.</summary>
    private static void Signal(int pid, string signal) => ProcessTree.Signal(
        ProcessTree.AgentsBelow(Environment.ProcessId).Single(agent => agent.Status.Split('\n').Any(
            line => line.StartsWith("NSpid:", StringComparison.Ordinal)
                && line.Split('\t') is [_, _, var inner] && inner == $"{pid}")).Pid,
        signal);
}
