namespace ShmCheck.Abi;

/// <summary>shmget(2): finds or creates a segment.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Key">Key, or IPC_PRIVATE.</param>
/// <param name="Size">Size in bytes.</param>
/// <param name="Flags">Flags and mode.</param>
/// <param name="Result">Name of the segment.</param>
public sealed record ShmGet(
    ProcessHandle Caller, ShmKey Key, ulong Size, ShmGetFlags Flags, SegmentHandle Result)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmGet;
}

/// <summary>shmat(2): attaches a segment.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
/// <param name="Address">Where, or NULL for the kernel to choose.</param>
/// <param name="Flags">Flags.</param>
/// <param name="Result">Name of the address.</param>
public sealed record ShmAt(
    ProcessHandle Caller, SegmentRef Segment, AddressRef Address, ShmAtFlags Flags,
    MappingHandle Result)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmAt;
}

/// <summary>shmdt(2): detaches a segment.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Address">The address of the attach.</param>
public sealed record ShmDt(ProcessHandle Caller, AddressRef Address) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmDt;
}

/// <summary>shmctl(2) IPC_STAT.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
/// <param name="BadBuffer">The buffer pointer is invalid.</param>
public sealed record ShmCtlStat(ProcessHandle Caller, SegmentRef Segment, bool BadBuffer = false)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlStat;
}

/// <summary>shmctl(2) IPC_SET.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
/// <param name="Uid">New owner; -1 is invalid.</param>
/// <param name="Gid">New group; -1 is invalid.</param>
/// <param name="Mode">New mode, of which the low nine bits count.</param>
/// <param name="BadBuffer">The buffer pointer is invalid.</param>
public sealed record ShmCtlSet(
    ProcessHandle Caller, SegmentRef Segment, int Uid, int Gid, int Mode, bool BadBuffer = false)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlSet;
}

/// <summary>shmctl(2) IPC_RMID.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
public sealed record ShmCtlRmid(ProcessHandle Caller, SegmentRef Segment)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlRmid;
}

/// <summary>shmctl(2) SHM_LOCK.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
public sealed record ShmCtlLock(ProcessHandle Caller, SegmentRef Segment)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlLock;
}

/// <summary>shmctl(2) SHM_UNLOCK.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
public sealed record ShmCtlUnlock(ProcessHandle Caller, SegmentRef Segment)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlUnlock;
}

/// <summary>shmctl(2) IPC_INFO.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">Ignored by the kernel unless negative.</param>
/// <param name="BadBuffer">The buffer pointer is invalid.</param>
public sealed record ShmCtlIpcInfo(
    ProcessHandle Caller, SegmentRef Segment = default, bool BadBuffer = false)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlIpcInfo;
}

/// <summary>shmctl(2) SHM_INFO.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">Ignored by the kernel unless negative.</param>
/// <param name="BadBuffer">The buffer pointer is invalid.</param>
public sealed record ShmCtlShmInfo(
    ProcessHandle Caller, SegmentRef Segment = default, bool BadBuffer = false)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlShmInfo;
}

/// <summary>shmctl(2) SHM_STAT or SHM_STAT_ANY: IPC_STAT by table index.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The index; an identifier is cut down to its index.</param>
/// <param name="Any">SHM_STAT_ANY: without the permission test.</param>
/// <param name="BadBuffer">The buffer pointer is invalid.</param>
public sealed record ShmCtlStatIndex(
    ProcessHandle Caller, SegmentRef Segment, bool Any = false, bool BadBuffer = false)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlStatIndex;
}

/// <summary>shmctl(2) with a command that is none of <see cref="ShmCommand"/>.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Segment">The segment.</param>
/// <param name="Command">The command's number.</param>
public sealed record ShmCtlOther(ProcessHandle Caller, SegmentRef Segment, int Command)
    : SegmentCall(Caller, Segment)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ShmCtlOther;
}
