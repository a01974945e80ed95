using System.Buffers;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>A <see cref="ShmMachine"/> as a system under test: handles become numbers, outcomes
/// become replies, and the clock moves on with every call.</summary>
public sealed class ImplSystem : ISystemUnderTest, ICheckpointable
{
    private ShmMachine _machine;

    /// <summary>Puts a machine under test.</summary>
    public ImplSystem(ShmMachine machine)
    {
        _machine = machine;
    }

    /// <inheritdoc/>
    public int FirstPid => ShmMachine.FirstPid;

    /// <inheritdoc/>
    public long Clock => _machine.Clock;

    /// <summary>The machine under test.</summary>
    public ShmMachine Machine => _machine;

    /// <inheritdoc/>
    public Reply Execute(Call call, Bindings bindings)
    {
        _machine.Clock++;
        if (call.Injection is { } injection)
        {
            _machine.FailAllocation(injection.Kind, injection.Nth);
        }

        Reply reply = Dispatch(call, new Names(bindings, _machine.Config.PageSize));
        _machine.Clock++;
        return reply;
    }

    /// <inheritdoc/>
    public void Observe(Observation observation) => _machine.Observe(observation);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <inheritdoc/>
    public void Mark() => _machine.Mark();

    /// <inheritdoc/>
    public void RollBack() => _machine.RollBack();

    /// <inheritdoc/>
    public void Commit() => _machine.Commit();

    /// <inheritdoc/>
    public void WriteCanonical(IBufferWriter<byte> bytes) =>
        _machine.WriteCanonical(bytes, CanonicalForm.Renamed);

    /// <inheritdoc/>
    public void WriteCanonical(
        IBufferWriter<byte> bytes, ReadOnlySpan<int> processes, ReadOnlySpan<int> segments) =>
        _machine.WriteCanonical(bytes, processes, segments);

    /// <inheritdoc/>
    public byte[] Save() => _machine.Save();

    /// <inheritdoc/>
    public void Restore(ReadOnlySpan<byte> saved) => _machine = ShmMachine.Load(saved);

    private Reply Dispatch(Call call, Names names) => call switch
    {
        SegmentCall segment => OfSegment(segment, names),
        RangeCall range => ReplyTo(OfRange(range, names)),
        SpawnCall spawn => ReplyTo(OfSpawn(spawn, names)),
        ProcessCall process => ReplyTo(OfProcess(process, names)),
        Kill kill => ReplyTo(_machine.Kill(names.Pid(kill.Victim))),
        SetSysctl set => ReplyTo(_machine.SetSysctl(set.Name, set.Value,
            set.InNamespaceOf.Number == 0 ? 0 : names.Pid(set.InNamespaceOf))),
        Reclaim reclaim => ReplyTo(_machine.Reclaim(
            names.Id(reclaim.Segment), reclaim.Pages.First, reclaim.Pages.Last)),
        _ => throw new NotSupportedException($"{call.Kind}"),
    };

    private Reply OfSegment(SegmentCall call, Names names)
    {
        int pid = names.Pid(call.Caller);
        int id = names.Id(call.Segment);
        return call switch
        {
            ShmAt c => ReplyTo(_machine.ShmAt(pid, id, names.Address(c.Address), c.Flags.Raw)),
            ShmCtlStat c => ReplyTo(_machine.ShmCtlStat(pid, id, c.BadBuffer, out var s), s),
            ShmCtlStatIndex c => ReplyTo(
                _machine.ShmCtlStatIndex(pid, id, c.Any, c.BadBuffer, out var s), s),
            ShmCtlSet c => ReplyTo(
                _machine.ShmCtlSet(pid, id, c.Uid, c.Gid, c.Mode, c.BadBuffer)),
            ShmCtlRmid => ReplyTo(_machine.ShmCtlRmid(pid, id)),
            ShmCtlLock => ReplyTo(_machine.ShmCtlLock(pid, id, locks: true)),
            ShmCtlUnlock => ReplyTo(_machine.ShmCtlLock(pid, id, locks: false)),
            ShmCtlIpcInfo c => LimitsOf(pid, id, c.BadBuffer),
            ShmCtlShmInfo c => ReplyTo(_machine.ShmCtlShmInfo(pid, id, c.BadBuffer, out var u), u),
            ShmCtlOther => ReplyTo(_machine.ShmCtlOther(pid)),
            _ => throw new NotSupportedException($"{call.Kind}"),
        };
    }

    private Outcome OfRange(RangeCall call, Names names)
    {
        int pid = names.Pid(call.Caller);
        ulong start = names.Address(call.Start);
        return call switch
        {
            MMap c => _machine.MMap(pid, start, c.Length, c.Protection, c.Flags),
            MUnmap c => _machine.MUnmap(pid, start, c.Length),
            MProtect c => _machine.MProtect(pid, start, c.Length, c.Protection),
            MRemap c => _machine.MRemap(
                pid, start, c.Length, c.NewLength, c.Flags, names.Address(c.NewAddress)),
            MLock c => _machine.MLock(pid, start, c.Length, c.OnFault),
            MUnlock c => _machine.MUnlock(pid, start, c.Length),
            MAdvise c => _machine.MAdvise(pid, start, c.Length, c.Advice),
            MBind c => _machine.MBind(pid, start, c.Length, c.Policy),
            _ => throw new NotSupportedException($"{call.Kind}"),
        };
    }

    private Outcome OfSpawn(SpawnCall call, Names names)
    {
        CloneFlags flags = call switch
        {
            Fork => CloneFlags.None,
            VFork => CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK,
            Clone c => c.Flags,
            _ => throw new NotSupportedException($"{call.Kind}"),
        };
        return _machine.Clone(names.Pid(call.Caller), flags);
    }

    private Outcome OfProcess(ProcessCall call, Names names)
    {
        int pid = names.Pid(call.Caller);
        return call switch
        {
            ShmGet c => _machine.ShmGet(pid, c.Key.Value, c.Size, c.Flags.Raw),
            ShmDt c => _machine.ShmDt(pid, names.Address(c.Address)),
            Load c => _machine.Load(pid, TouchedAddress(names.Address(c.Start), c.Page)),
            Store c => _machine.Store(pid, TouchedAddress(names.Address(c.Start), c.Page), c.Value),
            Exec => _machine.Exec(pid),
            Exit => _machine.Exit(pid),
            ExitGroup => _machine.ExitGroup(pid),
            Unshare => _machine.Unshare(pid),
            SetNs c => _machine.SetNs(pid, names.Pid(c.Target)),
            SwapOn => _machine.SwapOn(pid),
            SwapOff => _machine.SwapOff(pid),
            MLockAll c => _machine.MLockAll(pid, c.Flags),
            MUnlockAll => _machine.MUnlockAll(pid),
            SetUid c => _machine.SetUid(pid, c.Uid),
            SetGid c => _machine.SetGid(pid, c.Gid),
            SetResUid c => _machine.SetResUid(pid, c.Real, c.Effective, c.Saved),
            SetResGid c => _machine.SetResGid(pid, c.Real, c.Effective, c.Saved),
            SetGroups c => _machine.SetGroups(pid, c.Groups.AsSpan()),
            CapSet c => _machine.CapSet(pid, c.Effective, c.Permitted),
            KeepCaps c => _machine.KeepCaps(pid, c.Keep),
            SetRLimit c => _machine.SetRLimit(pid, c.Resource, c.Limit),
            _ => throw new NotSupportedException($"{call.Kind}"),
        };
    }

    private ulong TouchedAddress(ulong start, TouchedPage page) => unchecked(start + page.Index
        * (page.Huge ? _machine.Config.HugePageSize : _machine.Config.PageSize));

    private Reply LimitsOf(int pid, int id, bool badBuffer)
    {
        Outcome outcome = _machine.ShmCtlIpcInfo(
            pid, id, badBuffer, out ulong max, out ulong mni, out ulong all);
        return ReplyTo(outcome, new ShmLimits(max, Min: 1, mni, Seg: mni, all));
    }

    private static Reply ReplyTo(Outcome outcome, SegmentStatus s) =>
        !outcome.Succeeded ? ReplyTo(outcome) : ReplyTo(outcome, new SegmentStat(
            s.Key, s.Uid, s.Gid, s.Cuid, s.Cgid, s.Mode, s.Size, s.Cpid, s.Lpid, s.Nattch,
            Stamp.At(s.Atime), Stamp.At(s.Dtime), Stamp.At(s.Ctime)));

    private static Reply ReplyTo(Outcome outcome, SegmentUsage u) =>
        ReplyTo(outcome, new ShmTotals(u.UsedIds, u.Total, u.Resident, u.Swapped));

    private static Reply ReplyTo(Outcome outcome, ReplyData data) =>
        outcome.Succeeded ? new Reply.Value(outcome.Word, data) : ReplyTo(outcome);

    private static Reply ReplyTo(Outcome outcome) => outcome switch
    {
        { Word: 0 } => Reply.Zero,
        { Succeeded: true } => new Reply.Value(outcome.Word),
        { Signal: Signal.SIGBUS } => Reply.Raised.Sigbus,
        { Signal: Signal.SIGSEGV } => Reply.Raised.Sigsegv,
        _ => Reply.Of(outcome.Errno),
    };

    /// <summary>What the handles of a call stand for. All of them are bound.</summary>
    private readonly struct Names(Bindings bindings, ulong pageSize)
    {
        public int Pid(ProcessHandle handle) =>
            bindings.TryResolve(handle, out int pid) ? pid : throw Unbound(handle);

        public int Id(SegmentRef reference) =>
            bindings.TryResolve(reference, out int id) ? id : throw Unbound(reference);

        public ulong Address(AddressRef reference) =>
            bindings.TryResolve(reference, pageSize, out ulong address)
                ? address : throw Unbound(reference);

        private static InvalidOperationException Unbound(object handle) =>
            new($"{handle} is not bound");
    }
}
