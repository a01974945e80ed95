using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Writes calls as command lines of the agent protocol, with what their handles stand
/// for.</summary>
internal sealed class CallWriter(LineWriter lines, ulong pageSize, ulong hugePageSize)
{
    private readonly OperandWriter _operands = new(pageSize);

    /// <summary>Task number of the controller.</summary>
    public static Operand Controller => new(0);

    /// <summary>Writes the line of a call, if it is one that a process makes or suffers, or turns
    /// a knob.</summary>
    /// <param name="call">The call.</param>
    /// <param name="bindings">What its handles stand for; none when registers stand for them, and
    /// one is to hold what the call returns.</param>
    public void Write(Call call, Bindings? bindings)
    {
        _operands.Bindings = bindings;
        if (bindings is null)
        {
            WriteResult(call);
        }

        switch (call)
        {
            case SetSysctl set:
                WriteSysctl(set);
                break;
            case Kill kill:
                lines.Line(Controller, "kill").Operand(_operands.Of(kill.Victim));
                break;
            case SegmentCall segment:
                WriteSegmentCall(segment);
                break;
            case RangeCall range:
                WriteRangeCall(range);
                break;
            case SpawnCall spawn:
                Begin(spawn, "spawn").Number((long)FlagsOf(spawn));
                break;
            case ProcessCall made:
                WriteOther(made);
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

    private void WriteSegmentCall(SegmentCall call)
    {
        LineWriter Make(string name) => Begin(call, name).Operand(_operands.Of(call.Segment));
        _ = call switch
        {
            ShmAt at => Make("at").Operand(_operands.Of(at.Address))
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

    private void WriteRangeCall(RangeCall call)
    {
        LineWriter Make(string name) =>
            Begin(call, name).Operand(_operands.Of(call.Start)).Number(call.Length);
        _ = call switch
        {
            MMap map => Make("mmap").Number((long)map.Protection).Number((long)map.Flags),
            MUnmap => Make("munmap"),
            MProtect protect => Make("mprotect").Number((long)protect.Protection),
            MRemap remap => Make("mremap").Number(remap.NewLength).Number((long)remap.Flags)
                .Operand(_operands.Of(remap.NewAddress)),
            MLock mlock => Make("mlock").Flag(mlock.OnFault),
            MUnlock => Make("munlock"),
            MAdvise advise => Make("madvise").Number((long)advise.Advice),
            MBind bind => Make("mbind").Number((long)bind.Policy),
            _ => throw Unknown(call),
        };
    }

    private void WriteOther(ProcessCall call)
    {
        LineWriter Make(string name) => Begin(call, name);
        _ = call switch
        {
            ShmGet get => Make("get").Number((long)get.Key.Value).Number(get.Size)
                .Number((long)get.Flags.Raw),
            ShmDt detach => Make("dt").Operand(_operands.Of(detach.Address)),
            Load load => Make("load").Operand(_operands.OfPage(load.Start, OffsetOf(load.Page))),
            Store store => Make("store")
                .Operand(_operands.OfPage(store.Start, OffsetOf(store.Page)))
                .Number((ulong)store.Value),
            Exec => Make("exec"),
            Exit => Make("exit"),
            ExitGroup => Make("exitgroup"),
            Unshare => Make("unshare"),
            SetNs join => Make("setns").Operand(_operands.Of(join.Target)),
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

    private LineWriter Begin(ProcessCall call, string operation) =>
        lines.Line(_operands.Of(call.Caller), operation);

    private ulong OffsetOf(TouchedPage page) =>
        unchecked(page.Index * (page.Huge ? hugePageSize : pageSize));

    private void WriteResult(Call call)
    {
        (char Register, int Index) result = call switch
        {
            ShmGet get => ('s', get.Result.Number),
            ShmAt at => ('a', at.Result.Number),
            MMap map => ('a', map.Result.Number),
            MRemap remap => ('a', remap.Result.Number),
            SpawnCall spawn => ('p', spawn.Result.Number),
            _ => default,
        };
        if (result.Index > 0)
        {
            lines.Result(result.Register, result.Index);
        }
    }

    private void WriteSysctl(SetSysctl set)
    {
        bool large = set.Name is Sysctl.ShmMax or Sysctl.ShmAll;
        LineWriter line = lines.Line(Controller, "sysctl").Word(SysctlText.Of(set.Name));
        line = large ? line.Number(set.Value) : line.Number((long)set.Value);
        if (set.Name is Sysctl.ShmMax or Sysctl.ShmAll or Sysctl.ShmMni or Sysctl.ShmRmidForced
            or Sysctl.ShmNextId)
        {
            line.Operand(_operands.Of(set.InNamespaceOf));
        }
    }

    private static NotSupportedException Unknown(Call call) =>
        new($"the agent protocol has no {call.Kind}");
}
