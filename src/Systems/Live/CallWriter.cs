using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Writes calls as command lines of the agent protocol, with what their handles stand
/// for.</summary>
internal sealed class CallWriter(LineWriter lines, ulong pageSize, ulong hugePageSize)
{
    /// <summary>Task number of the controller.</summary>
    public const int Controller = 0;

    /// <summary>Writes the line of a call, if it is one that a process makes or suffers.</summary>
    public void Write(Call call, Bindings bindings)
    {
        switch (call)
        {
            case Kill kill:
                lines.Line(Controller, "kill").Number(Resolve(kill.Victim, bindings));
                break;
            case SegmentCall segment:
                WriteSegmentCall(segment, bindings);
                break;
            case RangeCall range:
                WriteRangeCall(range, bindings);
                break;
            case SpawnCall spawn:
                Begin(spawn, "spawn", bindings).Number((long)FlagsOf(spawn));
                break;
            case ProcessCall made:
                WriteOther(made, bindings);
                break;
            default:
                throw new NotSupportedException($"{call.Kind} is no call of a process");
        }

        lines.End();
    }

    /// <summary>The flags of clone that a call stands for.</summary>
    public static CloneFlags FlagsOf(SpawnCall spawn) => spawn switch
    {
        VFork => CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK,
        Clone clone => clone.Flags,
        _ => CloneFlags.None,
    };

    private void WriteSegmentCall(SegmentCall call, Bindings bindings)
    {
        bindings.TryResolve(call.Segment, out int id);
        LineWriter Make(string name) => Begin(call, name, bindings).Number((long)id);
        _ = call switch
        {
            ShmAt at => Make("at").Number(Resolve(at.Address, bindings))
                .Number((long)at.Flags.Raw),
            ShmCtlStat stat => Make("stat").Flag(stat.BadBuffer),
            ShmCtlSet set => Make("set").Number((long)set.Uid).Number((long)set.Gid)
                .Number((long)set.Mode).Flag(set.BadBuffer),
            ShmCtlRmid => Make("rmid"),
            ShmCtlLock => Make("lock"),
            ShmCtlUnlock => Make("unlock"),
            ShmCtlIpcInfo info => Make("ipcinfo").Flag(info.BadBuffer),
            ShmCtlShmInfo info => Make("shminfo").Flag(info.BadBuffer),
            ShmCtlStatIndex stat => Make("statindex").Flag(stat.Any).Flag(stat.BadBuffer),
            ShmCtlOther other => Make("ctl").Number((long)other.Command),
            _ => throw Unknown(call),
        };
    }

    private void WriteRangeCall(RangeCall call, Bindings bindings)
    {
        ulong start = Resolve(call.Start, bindings);
        LineWriter Make(string name) =>
            Begin(call, name, bindings).Number(start).Number(call.Length);
        _ = call switch
        {
            MMap map => Make("mmap").Number((long)map.Protection).Number((long)map.Flags),
            MUnmap => Make("munmap"),
            MProtect protect => Make("mprotect").Number((long)protect.Protection),
            MRemap remap => Make("mremap").Number(remap.NewLength).Number((long)remap.Flags)
                .Number(Resolve(remap.NewAddress, bindings)),
            MLock mlock => Make("mlock").Flag(mlock.OnFault),
            MUnlock => Make("munlock"),
            MAdvise advise => Make("madvise").Number((long)advise.Advice),
            MBind bind => Make("mbind").Number((long)bind.Policy),
            _ => throw Unknown(call),
        };
    }

    private void WriteOther(ProcessCall call, Bindings bindings)
    {
        LineWriter Make(string name) => Begin(call, name, bindings);
        _ = call switch
        {
            ShmGet get => Make("get").Number((long)get.Key.Value).Number(get.Size)
                .Number((long)get.Flags.Raw),
            ShmDt detach => Make("dt").Number(Resolve(detach.Address, bindings)),
            Load load => Make("load").Number(Resolve(load.Start, load.Page, bindings)),
            Store store => Make("store").Number(Resolve(store.Start, store.Page, bindings))
                .Number((ulong)store.Value),
            Exec => Make("exec"),
            Exit => Make("exit"),
            ExitGroup => Make("exitgroup"),
            Unshare => Make("unshare"),
            SetNs join => Make("setns").Number(Resolve(join.Target, bindings)),
            MLockAll all => Make("mlockall").Number((long)all.Flags),
            MUnlockAll => Make("munlockall"),
            SwapOn => Make("swapon"),
            SwapOff => Make("swapoff"),
            _ => WriteCredential(call, Make),
        };
    }

    private static LineWriter WriteCredential(ProcessCall call, Func<string, LineWriter> make) =>
        call switch
        {
            SetUid set => make("setuid").Number((long)set.Uid),
            SetGid set => make("setgid").Number((long)set.Gid),
            SetResUid set => make("setresuid").Number((long)set.Real)
                .Number((long)set.Effective).Number((long)set.Saved),
            SetResGid set => make("setresgid").Number((long)set.Real)
                .Number((long)set.Effective).Number((long)set.Saved),
            SetGroups set => set.Groups.Aggregate(
                make("setgroups"), (line, group) => line.Number((long)group)),
            CapSet set => make("capset").Number((ulong)set.Effective)
                .Number((ulong)set.Permitted),
            KeepCaps keep => make("keepcaps").Flag(keep.Keep),
            SetRLimit set => make("rlimit").Number((long)set.Resource).Number(set.Limit),
            _ => throw Unknown(call),
        };

    private LineWriter Begin(ProcessCall call, string operation, Bindings bindings) =>
        lines.Line(Resolve(call.Caller, bindings), operation);

    private ulong Resolve(AddressRef reference, Bindings bindings)
    {
        bindings.TryResolve(reference, pageSize, out ulong address);
        return address;
    }

    private ulong Resolve(AddressRef reference, TouchedPage page, Bindings bindings) => unchecked(
        Resolve(reference, bindings) + page.Index * (page.Huge ? hugePageSize : pageSize));

    private static long Resolve(ProcessHandle handle, Bindings bindings)
    {
        bindings.TryResolve(handle, out int tid);
        return tid;
    }

    private static NotSupportedException Unknown(Call call) =>
        new($"the agent protocol has no {call.Kind}");
}
