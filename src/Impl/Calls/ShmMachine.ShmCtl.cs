using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>shmctl(2) (ipc/shm.c).</summary>
public sealed partial class ShmMachine
{
    /// <summary>shmctl(2) IPC_STAT.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Identifier of the segment.</param>
    /// <param name="badBuffer">The result cannot be delivered.</param>
    /// <param name="status">The result, of a call that succeeds.</param>
    public Outcome ShmCtlStat(int pid, int id, bool badBuffer, out SegmentStatus status)
    {
        status = default;
        return Enter(pid) ? Leave(Stat(FindId(id), any: false, badBuffer, ref status))
            : Errno.ESRCH;
    }

    /// <summary>shmctl(2) SHM_STAT, or SHM_STAT_ANY.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="index">Index; of an identifier, its index.</param>
    /// <param name="any">SHM_STAT_ANY: without the permission test.</param>
    /// <param name="badBuffer">The result cannot be delivered.</param>
    /// <param name="status">The result, of a call that succeeds.</param>
    /// <returns>The identifier.</returns>
    public Outcome ShmCtlStatIndex(
        int pid, int index, bool any, bool badBuffer, out SegmentStatus status)
    {
        status = default;
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        int segment = index < 0 ? 0 : _ids.AtIndex(_namespace, new ShmId(index).Index);
        Outcome outcome = Stat(segment, any, badBuffer, ref status);
        return Leave(outcome.Succeeded ? new Outcome(_segments[segment].Id) : outcome);
    }

    /// <summary>shmctl(2) IPC_SET.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Identifier of the segment.</param>
    /// <param name="uid">New owner.</param>
    /// <param name="gid">New group.</param>
    /// <param name="mode">New mode, of which nine bits count.</param>
    /// <param name="badBuffer">The arguments cannot be read.</param>
    public Outcome ShmCtlSet(int pid, int id, int uid, int gid, int mode, bool badBuffer) =>
        Enter(pid) ? Leave(Set(id, uid, gid, mode, badBuffer)) : Errno.ESRCH;

    /// <summary>shmctl(2) IPC_RMID.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Identifier of the segment.</param>
    public Outcome ShmCtlRmid(int pid, int id)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        Errno error = FindOwned(id, out int segment);
        if (error == Errno.None)
        {
            _lifetime.Condemn(segment);
        }

        return Leave(error);
    }

    /// <summary>shmctl(2) SHM_LOCK, or SHM_UNLOCK.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Identifier of the segment.</param>
    /// <param name="locks">SHM_LOCK.</param>
    public Outcome ShmCtlLock(int pid, int id, bool locks) =>
        Enter(pid) ? Leave(LockSegment(id, locks)) : Errno.ESRCH;

    /// <summary>shmctl(2) IPC_INFO.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Ignored unless negative.</param>
    /// <param name="badBuffer">The result cannot be delivered.</param>
    /// <param name="max">shmmax in bytes.</param>
    /// <param name="mni">shmmni.</param>
    /// <param name="all">shmall in base pages.</param>
    /// <returns>Highest index in use.</returns>
    public Outcome ShmCtlIpcInfo(
        int pid, int id, bool badBuffer, out ulong max, out ulong mni, out ulong all)
    {
        bool entered = Enter(pid);
        int ns = entered ? _namespace : 0;
        max = _namespaces[ns].MaxSize;
        mni = _namespaces[ns].MaxSegments;
        all = _namespaces[ns].MaxPages;
        return entered ? Leave(Info(id, badBuffer)) : Errno.ESRCH;
    }

    /// <summary>shmctl(2) SHM_INFO.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Ignored unless negative.</param>
    /// <param name="badBuffer">The result cannot be delivered.</param>
    /// <param name="usage">The result.</param>
    /// <returns>Highest index in use.</returns>
    public Outcome ShmCtlShmInfo(int pid, int id, bool badBuffer, out SegmentUsage usage)
    {
        bool entered = Enter(pid);
        usage = UsageOf(entered ? _namespace : 0);
        return entered ? Leave(Info(id, badBuffer)) : Errno.ESRCH;
    }

    /// <summary>shmctl(2) with a command that is none.</summary>
    /// <param name="pid">The caller.</param>
    public Outcome ShmCtlOther(int pid) => Enter(pid) ? Leave(Errno.EINVAL) : Errno.ESRCH;

    /// <summary>What SHM_INFO shows, all of it kept up to date, none counted.</summary>
    private SegmentUsage UsageOf(int ns)
    {
        ref readonly NamespaceRow row = ref _namespaces[ns];
        return new SegmentUsage(
            (ulong)_ids.InUse(ns), row.TotalPages, row.ResidentPages, row.SwappedPages);
    }

    private Outcome Info(int id, bool badBuffer) => id < 0 ? Errno.EINVAL
        : badBuffer ? Errno.EFAULT : new Outcome(_ids.HighestIndex(_namespace));

    private Outcome Stat(int segment, bool any, bool badBuffer, ref SegmentStatus status)
    {
        const int ReadAll = 0x124;
        if (segment == 0 || (!any && !Permits(segment, ReadAll)))
        {
            return segment == 0 ? Errno.EINVAL : Errno.EACCES;
        }

        status = StatusOf(segment);
        return badBuffer ? Errno.EFAULT : Outcome.Zero;
    }

    private SegmentStatus StatusOf(int segment)
    {
        ref readonly SegmentRow row = ref _segments[segment];
        return new SegmentStatus(row.Key, row.Uid, row.Gid, row.Cuid, row.Cgid, row.Mode,
            row.Size, row.Cpid, row.Lpid, row.Nattch, row.Atime, row.Dtime, row.Ctime);
    }

    private Errno Set(int id, int uid, int gid, int mode, bool badBuffer)
    {
        if (id < 0 || badBuffer)
        {
            return id < 0 ? Errno.EINVAL : Errno.EFAULT;
        }

        Errno error = FindOwned(id, out int segment);
        if (error != Errno.None || uid == -1 || gid == -1)
        {
            return error != Errno.None ? error : Errno.EINVAL;
        }

        _segments.Change(segment).Uid = uid;
        _segments.Change(segment).Gid = gid;
        _segments.Change(segment).Mode = (_segments[segment].Mode & ~ShmGetFlags.ModeMask)
            | (mode & ShmGetFlags.ModeMask);
        _segments.Change(segment).Ctime = Clock;
        return Errno.None;
    }

    /// <summary>ipcctl_obtain_check.</summary>
    private Errno FindOwned(int id, out int segment)
    {
        segment = FindId(id);
        return segment == 0 ? Errno.EINVAL
            : Owns(segment) || IsCapable(CapabilitySet.CAP_SYS_ADMIN) ? Errno.None : Errno.EPERM;
    }

    private Errno LockSegment(int id, bool locks)
    {
        int segment = FindId(id);
        if (segment == 0)
        {
            return Errno.EINVAL;
        }

        if (!IsCapable(CapabilitySet.CAP_IPC_LOCK)
            && (!Owns(segment) || (locks && MemLockLimit == 0)))
        {
            return Errno.EPERM;
        }

        if (_segments.IsHuge(segment) || locks == _segments.Has(segment, SegmentMode.SHM_LOCKED))
        {
            return Errno.None;
        }

        if (locks && !TryChargeLock(segment, _segments[segment].Size))
        {
            return Errno.ENOMEM;
        }

        if (!locks)
        {
            _lifetime.ReturnLockCharge(segment);
        }

        _segments.Change(segment).Mode ^= SegmentMode.SHM_LOCKED;
        return Errno.None;
    }
}

/// <summary><c>struct shmid_ds</c>.</summary>
/// <param name="Key">Key, 0 once the segment is marked for destruction.</param>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Owner's group.</param>
/// <param name="Cuid">Creator.</param>
/// <param name="Cgid">Creator's group.</param>
/// <param name="Mode">Permission bits, SHM_DEST, SHM_LOCKED.</param>
/// <param name="Size">Size in bytes, as asked for.</param>
/// <param name="Cpid">Process that created it.</param>
/// <param name="Lpid">Process that last attached or detached it, 0 for none.</param>
/// <param name="Nattch">Attaches.</param>
/// <param name="Atime">Last attach, in seconds, 0 for none.</param>
/// <param name="Dtime">Last detach, in seconds, 0 for none.</param>
/// <param name="Ctime">Creation or last IPC_SET, in seconds.</param>
public readonly record struct SegmentStatus(
    int Key, int Uid, int Gid, int Cuid, int Cgid, int Mode, ulong Size, int Cpid, int Lpid,
    ulong Nattch, long Atime, long Dtime, long Ctime);

/// <summary><c>struct shm_info</c>, in base pages but for the first.</summary>
/// <param name="UsedIds">Segments that exist.</param>
/// <param name="Total">Pages of all segments.</param>
/// <param name="Resident">Those in memory.</param>
/// <param name="Swapped">Those in swap.</param>
public readonly record struct SegmentUsage(
    ulong UsedIds, ulong Total, ulong Resident, ulong Swapped);
