namespace ShmCheck.Abi;

/// <summary>A system call or an event of the environment. The hierarchy is closed: the records
/// in this folder are all there are.</summary>
/// <remarks>
/// A call names things by handles which earlier calls bound, so that a sequence means the same on
/// every system and stays meaningful when calls are deleted: a call one of whose handles is not
/// bound is skipped on every side.
/// </remarks>
public abstract record Call
{
    private protected Call()
    {
    }

    /// <summary>Which call this is.</summary>
    public abstract CallKind Kind { get; }

    /// <summary>The allocation of this call that is made to fail, if any.</summary>
    public Injection? Injection { get; init; }
}

/// <summary>A call that a process makes.</summary>
/// <param name="Caller">The process or thread that makes it.</param>
public abstract record ProcessCall(ProcessHandle Caller) : Call;

/// <summary>A call that names one segment.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
public abstract record SegmentCall(ProcessHandle Caller, SegmentRef Segment) : ProcessCall(Caller);

/// <summary>A call on a range of addresses.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Where the range starts.</param>
/// <param name="Length">Its length in bytes, as given to the kernel.</param>
public abstract record RangeCall(ProcessHandle Caller, AddressRef Start, ulong Length)
    : ProcessCall(Caller);

/// <summary>A call that starts a process or thread.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Result">Name of the child.</param>
public abstract record SpawnCall(ProcessHandle Caller, ProcessHandle Result) : ProcessCall(Caller);

/// <summary>The kinds of <see cref="Call"/>, one for each record.</summary>
public enum CallKind
{
    /// <summary><see cref="Abi.ShmGet"/></summary>
    ShmGet,
    /// <summary><see cref="Abi.ShmAt"/></summary>
    ShmAt,
    /// <summary><see cref="Abi.ShmDt"/></summary>
    ShmDt,
    /// <summary><see cref="Abi.ShmCtlStat"/></summary>
    ShmCtlStat,
    /// <summary><see cref="Abi.ShmCtlSet"/></summary>
    ShmCtlSet,
    /// <summary><see cref="Abi.ShmCtlRmid"/></summary>
    ShmCtlRmid,
    /// <summary><see cref="Abi.ShmCtlLock"/></summary>
    ShmCtlLock,
    /// <summary><see cref="Abi.ShmCtlUnlock"/></summary>
    ShmCtlUnlock,
    /// <summary><see cref="Abi.ShmCtlIpcInfo"/></summary>
    ShmCtlIpcInfo,
    /// <summary><see cref="Abi.ShmCtlShmInfo"/></summary>
    ShmCtlShmInfo,
    /// <summary><see cref="Abi.ShmCtlStatIndex"/></summary>
    ShmCtlStatIndex,
    /// <summary><see cref="Abi.ShmCtlOther"/></summary>
    ShmCtlOther,
    /// <summary><see cref="Abi.Fork"/></summary>
    Fork,
    /// <summary><see cref="Abi.VFork"/></summary>
    VFork,
    /// <summary><see cref="Abi.Clone"/></summary>
    Clone,
    /// <summary><see cref="Abi.Exec"/></summary>
    Exec,
    /// <summary><see cref="Abi.Exit"/></summary>
    Exit,
    /// <summary><see cref="Abi.ExitGroup"/></summary>
    ExitGroup,
    /// <summary><see cref="Abi.Kill"/></summary>
    Kill,
    /// <summary><see cref="Abi.Unshare"/></summary>
    Unshare,
    /// <summary><see cref="Abi.SetNs"/></summary>
    SetNs,
    /// <summary><see cref="Abi.MMap"/></summary>
    MMap,
    /// <summary><see cref="Abi.MUnmap"/></summary>
    MUnmap,
    /// <summary><see cref="Abi.MProtect"/></summary>
    MProtect,
    /// <summary><see cref="Abi.MRemap"/></summary>
    MRemap,
    /// <summary><see cref="Abi.MLock"/></summary>
    MLock,
    /// <summary><see cref="Abi.MUnlock"/></summary>
    MUnlock,
    /// <summary><see cref="Abi.MLockAll"/></summary>
    MLockAll,
    /// <summary><see cref="Abi.MUnlockAll"/></summary>
    MUnlockAll,
    /// <summary><see cref="Abi.MAdvise"/></summary>
    MAdvise,
    /// <summary><see cref="Abi.MBind"/></summary>
    MBind,
    /// <summary><see cref="Abi.Load"/></summary>
    Load,
    /// <summary><see cref="Abi.Store"/></summary>
    Store,
    /// <summary><see cref="Abi.SwapOn"/></summary>
    SwapOn,
    /// <summary><see cref="Abi.SwapOff"/></summary>
    SwapOff,
    /// <summary><see cref="Abi.SetUid"/></summary>
    SetUid,
    /// <summary><see cref="Abi.SetGid"/></summary>
    SetGid,
    /// <summary><see cref="Abi.SetResUid"/></summary>
    SetResUid,
    /// <summary><see cref="Abi.SetResGid"/></summary>
    SetResGid,
    /// <summary><see cref="Abi.SetGroups"/></summary>
    SetGroups,
    /// <summary><see cref="Abi.CapSet"/></summary>
    CapSet,
    /// <summary><see cref="Abi.KeepCaps"/></summary>
    KeepCaps,
    /// <summary><see cref="Abi.SetRLimit"/></summary>
    SetRLimit,
    /// <summary><see cref="Abi.SetSysctl"/></summary>
    SetSysctl,
    /// <summary><see cref="Abi.Reclaim"/></summary>
    Reclaim,
}
