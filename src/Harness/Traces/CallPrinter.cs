using System.Globalization;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>Writes calls as traces have them: the way strace would.</summary>
internal static class CallPrinter
{
    /// <summary>The handle that a call binds, or null when it binds none or names none.</summary>
    public static string? ResultOf(Call call) => call switch
    {
        ShmGet { Result.Number: > 0 } get => get.Result.ToString(),
        ShmAt { Result.Number: > 0 } at => at.Result.ToString(),
        MMap { Result.Number: > 0 } map => map.Result.ToString(),
        MRemap { Result.Number: > 0 } remap => remap.Result.ToString(),
        SpawnCall { Result.Number: > 0 } spawn => spawn.Result.ToString(),
        _ => null,
    };

    public static string Print(Call call)
    {
        string text = call switch
        {
            Kill kill => $"env kill({kill.Victim})",
            Reclaim reclaim => $"env reclaim({reclaim.Segment}, {reclaim.Pages})",
            SetSysctl set => PrintSysctl(set),
            ProcessCall made => $"{made.Caller} {PrintBody(made)}",
            _ => throw new InvalidOperationException($"unknown call {call.Kind}"),
        };
        return call.Injection is { } injection ? $"{text} !{injection}" : text;
    }

    private static string PrintSysctl(SetSysctl set)
    {
        string prefix = set.InNamespaceOf.Number == 0 ? "" : $"{set.InNamespaceOf} ";
        return $"{prefix}sysctl {SysctlText.Of(set.Name)} = {SysctlValue(set)}";
    }

    private static string SysctlValue(SetSysctl set) =>
        set.Name is Sysctl.ShmMax or Sysctl.ShmAll
            ? set.Value.ToString(CultureInfo.InvariantCulture)
            : ((long)set.Value).ToString(CultureInfo.InvariantCulture);

    private static string PrintBody(ProcessCall call) => call switch
    {
        ShmGet c => $"shmget({c.Key}, {c.Size}, {c.Flags})",
        ShmAt c => $"shmat({c.Segment}, {c.Address}, {c.Flags})",
        ShmDt c => $"shmdt({c.Address})",
        SegmentCall c => PrintControl(c),
        Fork => "fork()",
        VFork => "vfork()",
        Clone c => $"clone({MemoryFlagText.Of(c.Flags)})",
        Exec => "execve()",
        Exit => "exit(0)",
        ExitGroup => "exit_group(0)",
        Unshare => "unshare(CLONE_NEWIPC)",
        SetNs c => $"setns({c.Target})",
        RangeCall c => PrintRange(c),
        MLockAll c => $"mlockall({MemoryFlagText.Of(c.Flags)})",
        MUnlockAll => "munlockall()",
        Load c => $"load({c.Start}, {c.Page})",
        Store c => $"store({c.Start}, {c.Page}, 0x{c.Value:x})",
        SwapOn => "swapon()",
        SwapOff => "swapoff()",
        _ => PrintCredential(call),
    };

    private static string PrintControl(SegmentCall call)
    {
        (string command, bool bad) = call switch
        {
            ShmCtlStat c => ("IPC_STAT", c.BadBuffer),
            ShmCtlSet { BadBuffer: true } => ("IPC_SET", true),
            ShmCtlSet c => ($"IPC_SET, {{uid={c.Uid}, gid={c.Gid}, mode={Octal(c.Mode)}}}", false),
            ShmCtlRmid => ("IPC_RMID", false),
            ShmCtlLock => ("SHM_LOCK", false),
            ShmCtlUnlock => ("SHM_UNLOCK", false),
            ShmCtlIpcInfo c => ("IPC_INFO", c.BadBuffer),
            ShmCtlShmInfo c => ("SHM_INFO", c.BadBuffer),
            ShmCtlStatIndex c => (c.Any ? "SHM_STAT_ANY" : "SHM_STAT", c.BadBuffer),
            ShmCtlOther c => ($"0x{c.Command:x}", false),
            _ => throw new InvalidOperationException($"unknown call {call.Kind}"),
        };
        return $"shmctl({call.Segment}, {command}{(bad ? ", BAD" : "")})";
    }

    private static string PrintRange(RangeCall call)
    {
        string range = $"{call.Start}, {call.Length}";
        return call switch
        {
            MMap c => $"mmap({range}, {MemoryFlagText.Of(c.Protection)}, "
                + $"{MemoryFlagText.Of(c.Flags)})",
            MUnmap => $"munmap({range})",
            MProtect c => $"mprotect({range}, {MemoryFlagText.Of(c.Protection)})",
            MRemap c => $"mremap({range}, {c.NewLength}, {MemoryFlagText.Of(c.Flags)}"
                + $"{(c.NewAddress == AddressRef.Null ? "" : $", {c.NewAddress}")})",
            MLock { OnFault: true } => $"mlock2({range}, MLOCK_ONFAULT)",
            MLock => $"mlock({range})",
            MUnlock => $"munlock({range})",
            MAdvise c => $"madvise({range}, {c.Advice})",
            MBind c => $"mbind({range}, {c.Policy})",
            _ => throw new InvalidOperationException($"unknown call {call.Kind}"),
        };
    }

    private static string PrintCredential(ProcessCall call) => call switch
    {
        SetUid c => $"setuid({c.Uid})",
        SetGid c => $"setgid({c.Gid})",
        SetResUid c => $"setresuid({c.Real}, {c.Effective}, {c.Saved})",
        SetResGid c => $"setresgid({c.Real}, {c.Effective}, {c.Saved})",
        SetGroups c => $"setgroups([{string.Join(", ", c.Groups)}])",
        CapSet c => $"capset({MemoryFlagText.Of(c.Effective)}, {MemoryFlagText.Of(c.Permitted)})",
        KeepCaps c => $"prctl(PR_SET_KEEPCAPS, {(c.Keep ? 1 : 0)})",
        SetRLimit { Limit: SetRLimit.Unlimited } c => $"setrlimit({c.Resource}, RLIM_INFINITY)",
        SetRLimit c => $"setrlimit({c.Resource}, {c.Limit})",
        _ => throw new InvalidOperationException($"unknown call {call.Kind}"),
    };

    private static string Octal(int mode) => "0" + Convert.ToString(mode, 8);
}
