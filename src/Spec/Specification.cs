using System.Buffers;
using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>The executable specification: pure functions over immutable states.</summary>
public static class Specification
{
    /// <summary>The state of a machine at its start.</summary>
    /// <param name="config">The machine.</param>
    /// <param name="firstPid">Pid of <c>p1</c>.</param>
    public static SpecState Start(MachineConfig config, int firstPid)
    {
        var ns = new IpcNamespace
        {
            Number = 0,
            ShmMax = config.ShmMax,
            ShmAll = config.ShmAll,
            ShmMni = config.ShmMni,
            RmidForced = config.ShmRmidForced,
        };
        var first = new KernelTask
        {
            Tid = firstPid,
            Tgid = firstPid,
            Space = 0,
            Namespace = 0,
            Credentials = new Credentials(),
        };
        return new SpecState
        {
            Config = config,
            Namespaces = Table.Empty<IpcNamespace>().Set(0, ns),
            Spaces = Table.Empty<AddressSpace>().Set(0, new AddressSpace()),
            Groups = Table.Empty<ThreadGroup>().Set((ulong)firstPid, new() { Tgid = firstPid }),
            Tasks = Table.Empty<KernelTask>().Set((ulong)firstPid, first),
            Pool = new(config.HugePages, config.HugePages, 0, 0),
            SwapInUse = config.SwapSlots > 0,
            NrOvercommitHugePages = config.NrOvercommitHugePages,
            HugetlbShmGroup = config.HugetlbShmGroup,
            Overcommit = config.Overcommit,
            OvercommitRatio = config.OvercommitRatio,
            LastPid = firstPid,
            NextNamespace = 1,
            NextSpace = 1,
        };
    }

    /// <summary>Whether a call all of whose handles are bound can be made: its caller is alive
    /// and not waiting for a vfork child, the process that it kills or whose namespace it enters
    /// or changes is alive, and there is such a namespace. A call that cannot is skipped on every
    /// side.</summary>
    public static bool CanExecute(SpecState state, Call call, Bindings bindings) => call switch
    {
        SetNs join => IsFree(state, join.Caller, bindings)
            && Find(state, join.Target, bindings) is not null,
        ProcessCall made => IsFree(state, made.Caller, bindings),
        Kill kill => Find(state, kill.Victim, bindings) is not null,
        SetSysctl set => set.InNamespaceOf.Number != 0
            ? Find(state, set.InNamespaceOf, bindings) is not null
            : !SysctlText.IsOfNamespace(set.Name) || Lifetime.IsInhabited(state, 0),
        _ => true,
    };

    /// <summary>Executes one call.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="call">The call; see <see cref="CanExecute"/>.</param>
    /// <param name="context">What it runs in.</param>
    /// <returns>The state after, the reply, and the rule that decided it.</returns>
    public static StepResult Step(SpecState state, Call call, StepContext context)
    {
        context.Log.Clear();
        var run = new Run(state, call, context);
        StepResult result = Dispatch(run, call);
        run.State = result.State;
        Lifetime.ReleaseNamespaces(run);
        return result with { State = run.State };
    }

    /// <summary>The state after reclaim has taken a page that is in memory, as it may at any time
    /// take one that nobody maps.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="segment">A segment of base pages.</param>
    /// <param name="page">Index of the page.</param>
    /// <param name="context">What it runs in.</param>
    public static SpecState Reclaim(
        SpecState state, SegmentKey segment, ulong page, StepContext context)
    {
        var run = new Run(state, new Reclaim(default, new PageRange(page, page)), context);
        SwapOut.Evict(run, segment, page);
        return run.State;
    }

    /// <summary>Every figure that can be read from outside. A field for which the specification
    /// admits a span (time stamps) has its least value in the one observation and its greatest
    /// in the other; all others are equal.</summary>
    public static void Observe(SpecState state, Observation least, Observation most) =>
        Spec.Observe.Fill(state, least, most);

    /// <summary>Adds the page frames of all mappings to an observation of a state.</summary>
    public static void ObserveFrames(SpecState state, Observation seen) =>
        Spec.Observe.FillFrames(state, seen.Frames);

    /// <summary>The invariants that do not hold: none, unless the specification is wrong.
    /// </summary>
    public static IReadOnlyList<Violation> FindViolations(SpecState state) =>
        new InvariantWatch().FindViolations(state);

    /// <summary>Appends bytes that are equal for equal states. Numbers that nobody sees (of
    /// address spaces, attaches, histories of private memory) count from the order in which they
    /// come up, not from what has been.</summary>
    public static void WriteCanonical(SpecState state, IBufferWriter<byte> bytes) =>
        Canonical.Write(state, bytes);

    private static KernelTask? Find(SpecState state, ProcessHandle handle, Bindings bindings) =>
        bindings.TryResolve(handle, out int tid)
        && state.Tasks.TryGet((ulong)tid, out KernelTask? task) ? task : null;

    private static bool IsFree(SpecState state, ProcessHandle handle, Bindings bindings) =>
        Find(state, handle, bindings) is { WaitsFor: 0 };

    private static StepResult Dispatch(Run run, Call call) => call switch
    {
        Abi.ShmGet made => ShmGet.Execute(run, made),
        Abi.ShmAt made => ShmAt.Execute(run, made),
        ShmDt made => ShmAt.Execute(run, made),
        ShmCtlStat made => ShmCtl.Execute(run, made),
        ShmCtlSet made => ShmCtl.Execute(run, made),
        ShmCtlRmid made => ShmCtl.Execute(run, made),
        ShmCtlLock made => ShmCtl.Execute(run, made),
        ShmCtlUnlock made => ShmCtl.Execute(run, made),
        ShmCtlIpcInfo made => ShmCtl.Execute(run, made),
        ShmCtlShmInfo made => ShmCtl.Execute(run, made),
        ShmCtlStatIndex made => ShmCtl.Execute(run, made),
        ShmCtlOther made => ShmCtl.Execute(run, made),
        Fork => Processes.Spawn(run, CloneFlags.None),
        VFork => Processes.Spawn(run, CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK),
        Clone made => Processes.Spawn(run, made.Flags),
        Exec made => Processes.Execute(run, made),
        Exit made => Processes.Execute(run, made),
        ExitGroup made => Processes.Execute(run, made),
        Kill made => Processes.Execute(run, made),
        Unshare made => Namespaces.Execute(run, made),
        SetNs made => Namespaces.Execute(run, made),
        Abi.MMap made => MMap.Execute(run, made),
        MUnmap made => MMap.Execute(run, made),
        MProtect made => Attributes.Execute(run, made),
        Abi.MRemap made => MRemap.Execute(run, made),
        MLock made => Attributes.Execute(run, made),
        MUnlock made => Attributes.Execute(run, made),
        MLockAll made => Attributes.Execute(run, made),
        MUnlockAll made => Attributes.Execute(run, made),
        Abi.MAdvise made => MAdvise.Execute(run, made),
        MBind made => Attributes.Execute(run, made),
        Load made => Faults.Execute(run, made),
        Store made => Faults.Execute(run, made),
        SwapOn made => Swap.Execute(run, made),
        SwapOff made => Swap.Execute(run, made),
        SetUid made => Capabilities.Execute(run, made),
        SetGid made => Capabilities.Execute(run, made),
        SetResUid made => Capabilities.Execute(run, made),
        SetResGid made => Capabilities.Execute(run, made),
        SetGroups made => Capabilities.Execute(run, made),
        CapSet made => Capabilities.Execute(run, made),
        KeepCaps made => Capabilities.Execute(run, made),
        SetRLimit made => Capabilities.Execute(run, made),
        SetSysctl made => Sysctls.Execute(run, made),
        Reclaim made => SwapOut.Execute(run, made),
        _ => throw new ArgumentOutOfRangeException(nameof(call), call, "unknown call"),
    };
}

/// <summary>What a step runs in.</summary>
/// <param name="Bindings">What handles stand for.</param>
/// <param name="Choices">Who chooses where Linux may.</param>
/// <param name="Log">What fired; cleared at the start of the step.</param>
public sealed record StepContext(Bindings Bindings, IChoices Choices, StepLog Log)
{
    /// <summary>The clock around the step: time stamps that it sets lie in this span.</summary>
    public Stamp Now { get; set; }
}

/// <summary>The outcome of a step.</summary>
/// <param name="State">The state after.</param>
/// <param name="Reply">The reply.</param>
/// <param name="Rule">The rule that decided the reply.</param>
public readonly record struct StepResult(SpecState State, Reply Reply, Rule Rule);
