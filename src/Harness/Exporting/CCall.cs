using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>Calls as C expressions: <c>m-&gt;s</c>, <c>m-&gt;a</c> and <c>m-&gt;p</c> hold what
/// handles stand for.</summary>
internal static class CCall
{
    private const string BadPointer = "(void *)-4096L";

    /// <summary>The expression of a call that returns.</summary>
    /// <exception cref="CannotExportException">There is none.</exception>
    public static string Expression(Call call, MachineConfig machine)
    {
        if (call.Injection is not null)
        {
            throw Cannot(call, "no kernel makes an allocation fail when asked");
        }

        return call switch
        {
            Kill c => $"kill(m->p[{c.Victim.Number}], SIGKILL) || gone(m->p[{c.Victim.Number}])",
            SetSysctl { InNamespaceOf.Number: 0 } c =>
                $"put(\"{CKnobs.PathOf(c.Name)}\", {CKnobs.ArgumentsOf(c)})",
            SetSysctl => throw Cannot(call, "only the first IPC namespace has its sysctls set"),
            SegmentCall c => Segment(c, machine),
            RangeCall c => Range(c, machine),
            SpawnCall c => Spawn(c),
            ProcessCall c => Other(c, machine),
            _ => throw Cannot(call, "nobody can ask a kernel to do that"),
        };
    }

    /// <summary>A segment's identifier.</summary>
    public static string Of(SegmentRef segment) => segment.Kind switch
    {
        SegmentRefKind.Handle => $"m->s[{segment.Value}]",
        SegmentRefKind.Stale => $"m->s[{segment.Value}] ^ {SegmentRef.StaleBit}",
        SegmentRefKind.Index => $"m->s[{segment.Value}] % 32768",
        _ => Number(segment.Value),
    };

    /// <summary>An address, as a number.</summary>
    public static string Of(AddressRef address, MachineConfig machine)
    {
        string origin = address.Kind switch
        {
            AddressRefKind.Handle => $"m->a[{address.Base}]",
            AddressRefKind.Window =>
                $"0x{MachineConfig.WindowStart + (address.Base * machine.PageSize):x}",
            _ => address.Base == 0 ? "0" : $"0x{address.Base:x}UL",
        };
        return address.Offset == 0 ? origin
            : string.Create(CultureInfo.InvariantCulture, $"{origin} {address.Offset:+ 0;- 0}");
    }

    public static CannotExportException Cannot(Call call, string why) =>
        new($"{TracePrinter.Print(call)}: {why}");

    private static string Pointer(AddressRef address, MachineConfig machine) =>
        address == AddressRef.Null ? "NULL" : $"(void *)({Of(address, machine)})";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Size(ulong bytes) =>
        bytes.ToString(CultureInfo.InvariantCulture) + (bytes > int.MaxValue ? "UL" : "");

    private static string Segment(SegmentCall call, MachineConfig machine)
    {
        string id = Of(call.Segment);
        return call switch
        {
            ShmAt c => $"{Bind('a', c.Result.Number)}(long)shmat({id}, "
                + $"{Pointer(c.Address, machine)}, {c.Flags})",
            ShmCtlStat c => Control(id, "IPC_STAT", c.BadBuffer, "&m->ds"),
            ShmCtlSet { BadBuffer: true } => Control(id, "IPC_SET", true, ""),
            ShmCtlSet c => Control(id, "IPC_SET", false, "&(struct shmid_ds){ .shm_perm = { "
                + $".uid = {c.Uid}, .gid = {c.Gid}, .mode = 0{Convert.ToString(c.Mode, 8)} }} }}"),
            ShmCtlRmid => Control(id, "IPC_RMID", false, "NULL"),
            ShmCtlLock => Control(id, "SHM_LOCK", false, "NULL"),
            ShmCtlUnlock => Control(id, "SHM_UNLOCK", false, "NULL"),
            ShmCtlIpcInfo c => Control(id, "IPC_INFO", c.BadBuffer, "(void *)&m->limits"),
            ShmCtlShmInfo c => Control(id, "SHM_INFO", c.BadBuffer, "(void *)&m->info"),
            ShmCtlStatIndex c => Control(
                id, c.Any ? "15 /* SHM_STAT_ANY */" : "SHM_STAT", c.BadBuffer, "&m->ds"),
            ShmCtlOther c => Control(id, $"0x{c.Command:x}", false, "NULL"),
            _ => throw Cannot(call, "has no form in C here"),
        };
    }

    private static string Control(string id, string command, bool bad, string buffer) =>
        $"shmctl({id}, {command}, {(bad ? BadPointer : buffer)})";

    private static string Bind(char kind, int number) =>
        number == 0 ? "" : $"m->{kind}[{number}] = ";

    private static string Range(RangeCall call, MachineConfig machine)
    {
        string range = $"{Pointer(call.Start, machine)}, {Size(call.Length)}";
        return call switch
        {
            _ when call.Length > MachineConfig.WindowLength && call is MUnmap or MProtect =>
                throw Cannot(call, "the program itself could be in that range"),
            MMap c => $"{Bind('a', c.Result.Number)}(long)mmap({range}, "
                + $"{MemoryFlagText.Of(c.Protection)}, {MemoryFlagText.Of(c.Flags)}, -1, 0)",
            MUnmap => $"munmap({range})",
            MProtect c => $"mprotect({range}, {MemoryFlagText.Of(c.Protection)})",
            MRemap c => $"{Bind('a', c.Result.Number)}syscall(SYS_mremap, {range}, "
                + $"{Size(c.NewLength)}, {Flags(c.Flags)}, {Pointer(c.NewAddress, machine)})",
            MLock { OnFault: true } => $"syscall(SYS_mlock2, {range}, 1)",
            MLock => $"mlock({range})",
            MUnlock => $"munlock({range})",
            MAdvise c => $"madvise({range}, {(int)c.Advice} /* {c.Advice} */)",
            // MPOL_DEFAULT and MPOL_LOCAL take no nodes.
            MBind { Policy: 0 or 4 } c => $"syscall(SYS_mbind, {range}, {c.Policy}, NULL, 0, 0)",
            MBind c => $"syscall(SYS_mbind, {range}, {c.Policy}, &(unsigned long){{ 1 }}, 64, 0)",
            _ => throw Cannot(call, "has no form in C here"),
        };
    }

    private static string Flags(MRemapFlags flags) =>
        MemoryFlagText.Of(flags).Replace("MREMAP_DONTUNMAP", "4", StringComparison.Ordinal);

    private static string Spawn(SpawnCall call)
    {
        CloneFlags flags = (call as Clone)?.Flags ?? CloneFlags.None;
        // The kernel asks for more flags than the trace names.
        string more = (flags & CloneFlags.CLONE_THREAD) != 0 ? " | CLONE_SIGHAND" : "";
        return $"spawn({MemoryFlagText.Of(flags)}{more}, {call.Result.Number})";
    }

    private static string Other(ProcessCall call, MachineConfig machine) => call switch
    {
        ShmGet c => $"{Bind('s', c.Result.Number)}shmget({c.Key}, {Size(c.Size)}, "
            + $"{$"{c.Flags}".Replace("SHM_HUGE_SHIFT", "26", StringComparison.Ordinal)})",
        ShmDt c => $"shmdt({Pointer(c.Address, machine)})",
        Load c => $"touch({At(c.Start, c.Page, machine)}, -1)",
        Store c => $"touch({At(c.Start, c.Page, machine)}, 0x{c.Value:x})",
        Unshare => "unshare(CLONE_NEWIPC)",
        MLockAll { Flags: MLockAllFlags.MCL_FUTURE } => "mlockall(MCL_FUTURE)",
        MLockAll => throw Cannot(call, "would lock the program itself"),
        MUnlockAll => "munlockall()",
        SwapOn or SwapOff => throw Cannot(call, "swap belongs to the whole machine"),
        SetNs => throw Cannot(call, "the processes of the program enter no other namespace"),
        _ => Credential(call),
    };

    private static string At(AddressRef start, TouchedPage page, MachineConfig machine)
    {
        ulong offset = page.Index * (page.Huge ? machine.HugePageSize : machine.PageSize);
        string address = Of(start, machine) + (offset == 0 ? "" : $" + {Size(offset)}");
        ulong inPage = start.Kind == AddressRefKind.Literal ? start.Base : (ulong)start.Offset;
        return inPage % machine.PageSize == 0 ? address : $"({address}) & -{machine.PageSize}L";
    }

    /// <summary>System calls and not functions of the library, which would change all threads.
    /// </summary>
    private static string Credential(ProcessCall call) => call switch
    {
        SetUid c => $"syscall(SYS_setuid, {c.Uid})",
        SetGid c => $"syscall(SYS_setgid, {c.Gid})",
        SetResUid c => $"syscall(SYS_setresuid, {c.Real}, {c.Effective}, {c.Saved})",
        SetResGid c => $"syscall(SYS_setresgid, {c.Real}, {c.Effective}, {c.Saved})",
        SetGroups { Groups: [] } => "syscall(SYS_setgroups, 0, NULL)",
        SetGroups c => $"syscall(SYS_setgroups, {c.Groups.Length}, (gid_t[]){{ "
            + $"{string.Join(", ", c.Groups)} }})",
        KeepCaps c => $"prctl(PR_SET_KEEPCAPS, {(c.Keep ? 1 : 0)}, 0, 0, 0)",
        CapSet c => $"capabilities(0x{(ulong)c.Effective:x}, 0x{(ulong)c.Permitted:x})",
        SetRLimit { Resource: Resource.RLIMIT_MEMLOCK } c => Limit(c.Limit),
        SetRLimit { Limit: 0 } =>
            "setrlimit(RLIMIT_AS, &(struct rlimit){ 0, RLIM_INFINITY })",
        SetRLimit => throw Cannot(call, "the program itself counts against that limit"),
        _ => throw Cannot(call, "has no form in C here"),
    };

    /// <summary>Sets the soft RLIMIT_MEMLOCK.</summary>
    public static string Limit(ulong bytes) =>
        $"limit({(bytes == SetRLimit.Unlimited ? "RLIM_INFINITY" : Size(bytes))})";
}
