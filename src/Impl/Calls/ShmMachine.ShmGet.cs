using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>shmget(2) (ipc/shm.c, ipc/util.c).</summary>
public sealed partial class ShmMachine
{
    /// <summary>shmget(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="key">Key, 0 for IPC_PRIVATE.</param>
    /// <param name="size">Size in bytes.</param>
    /// <param name="flags">Flags and mode (<see cref="ShmGetFlags"/>).</param>
    /// <returns>The identifier.</returns>
    public Outcome ShmGet(int pid, int key, ulong size, int flags) =>
        Enter(pid) ? Leave(Get(key, size, new ShmGetFlags(flags))) : Errno.ESRCH;

    private Outcome Get(int key, ulong size, ShmGetFlags flags)
    {
        int segment = key == 0 ? 0 : _lifetime.FindKey(_namespace, key);
        if (segment == 0)
        {
            return key == 0 || flags.Create ? Create(key, size, flags) : Errno.ENOENT;
        }

        return flags.Create && flags.Exclusive ? Errno.EEXIST
            : size > _segments[segment].Size ? Errno.EINVAL
            : !Permits(segment, flags.Raw) ? Errno.EACCES
            : new Outcome(_segments[segment].Id);
    }

    private Outcome Create(int key, ulong size, ShmGetFlags flags)
    {
        if (size < 1 || size > _namespaces[_namespace].MaxSize)
        {
            return Errno.EINVAL;
        }

        ulong pages = _lifetime.PagesFor(size);
        ref readonly NamespaceRow ns = ref _namespaces[_namespace];
        ulong total = ns.TotalPages + pages;
        if (size > ulong.MaxValue - (PageSize - 1) || total < pages || total > ns.MaxPages)
        {
            return Errno.ENOSPC;
        }

        if (_plan.Strikes(AllocationKind.Bookkeeping))
        {
            return Errno.ENOMEM;
        }

        int segment = _segments.Add(_namespace);
        _segments.Change(segment).Size = size;
        Errno error = flags.HugeTlb
            ? SetUpHuge(segment, size, flags) : SetUpNormal(segment, size, pages, flags);
        if (error != Errno.None)
        {
            _segments.Remove(segment);
            return error;
        }

        return Enter(segment, key, flags.Mode);
    }

    /// <summary>The last step, and the last errors: a segment that gets no identifier gives back
    /// what it was promised.</summary>
    private Outcome Enter(int segment, int key, int mode)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        ref readonly TaskRow creator = ref _tasks[_task];
        row.Key = key;
        row.Mode = mode;
        row.Uid = row.Cuid = creator.Euid;
        row.Gid = row.Cgid = creator.Egid;
        int most = Math.Min((int)_namespaces[_namespace].MaxSegments, ShmId.IndexLimit);
        if (_ids.InUse(_namespace) >= most)
        {
            _lifetime.Discard(segment);
            return Errno.ENOSPC;
        }

        if (!_lifetime.TryEnter(segment, _task))
        {
            _lifetime.Discard(segment);
            return Errno.ENOSPC;
        }

        // Where no identifier is left, none is allocated either. Leaving the call undoes the rest.
        if (_plan.Strikes(AllocationKind.Id))
        {
            return Errno.ENOMEM;
        }

        return new Outcome(row.Id);
    }

    /// <summary>shmem_kernel_file_setup. SHM_NORESERVE is not honoured where overcommitting is
    /// forbidden.</summary>
    private Errno SetUpNormal(int segment, ulong size, ulong pages, ShmGetFlags flags)
    {
        bool noReserve = flags.NoReserve && _commit.Mode != OvercommitMode.Never;
        if (size > long.MaxValue)
        {
            return Errno.EINVAL;
        }

        if (!noReserve && !_commit.TryCharge(pages))
        {
            return Errno.ENOMEM;
        }

        SetObject(segment, hugeShift: 0, pages, noReserve);
        return Errno.None;
    }

    /// <summary>hugetlb_file_setup.</summary>
    private Errno SetUpHuge(int segment, ulong size, ShmGetFlags flags)
    {
        int shift = flags.HugeSizeLog2 == 0 ? _hugeShift : flags.HugeSizeLog2;
        if (shift != _hugeShift && !_config.OtherHugePageSizes.Contains(1ul << shift))
        {
            return Errno.EINVAL;
        }

        ulong bytes = unchecked(size + ((1ul << shift) - 1)) & ~((1ul << shift) - 1);
        bool hasRight = IsCapable(CapabilitySet.CAP_IPC_LOCK) || IsInGroup((int)_hugeGroup.Value);
        if (!hasRight && (_rules.HugeSegmentsNeedRight || !TryChargeLock(segment, bytes)))
        {
            return Errno.EPERM;
        }

        ulong pages = bytes >> shift;
        if (!flags.NoReserve && !TryReserve(shift, pages))
        {
            _lifetime.ReturnLockCharge(segment);
            return Errno.ENOMEM;
        }

        SetObject(segment, shift, pages, flags.NoReserve);
        return Errno.None;
    }

    /// <summary>The pools of other sizes are empty and do not grow.</summary>
    private bool TryReserve(int shift, ulong pages) =>
        shift == _hugeShift ? _pool.TryReserve(pages, _pages) : pages == 0;

    private void SetObject(int segment, int hugeShift, ulong length, bool noReserve)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        row.HugeShift = hugeShift;
        row.Length = length;
        row.NoReserve = noReserve ? (byte)1 : (byte)0;
    }

    /// <summary>Charges bytes to the caller's user against RLIMIT_MEMLOCK (user_shm_lock).
    /// </summary>
    private bool TryChargeLock(int segment, ulong bytes)
    {
        ulong pages = _lifetime.PagesFor(bytes);
        ulong limit = MemLockLimit == LockCharges.Unlimited
            ? LockCharges.Unlimited : MemLockLimit >> _pageShift;
        int user = _tasks[_task].Uid;
        if (!_locks.TryCharge(user, pages, limit, IsCapable(CapabilitySet.CAP_IPC_LOCK)))
        {
            return false;
        }

        _segments.Change(segment).LockUser = user;
        _segments.Change(segment).LockCharge = pages;
        return true;
    }

    private bool IsInGroup(int group) =>
        _tasks[_task].Egid == group || _groupSets.Contains(_tasks[_task].GroupSet, group);

    /// <summary>The permission test of System V objects (ipcperms): exactly one class of the mode
    /// counts, and all three classes of the request.</summary>
    private bool Permits(int segment, int wanted)
    {
        const int OneClass = 7;
        int requested = ((wanted >> 6) | (wanted >> 3) | wanted) & OneClass;
        int shift = Owns(segment) ? 6
            : IsInGroup(_segments[segment].Cgid) || IsInGroup(_segments[segment].Gid) ? 3 : 0;
        return (requested & ~(_segments[segment].Mode >> shift)) == 0
            || IsCapable(CapabilitySet.CAP_IPC_OWNER);
    }

    private bool Owns(int segment)
    {
        int user = _tasks[_task].Euid;
        return user == _segments[segment].Cuid || user == _segments[segment].Uid;
    }
}
