using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>mlock(2) and its relatives (mm/mlock.c).</summary>
public sealed partial class ShmMachine
{
    /// <summary>mlock(2), or mlock2(2) with MLOCK_ONFAULT.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="onFault">Lock without faulting in.</param>
    public Outcome MLock(int pid, ulong start, ulong length, bool onFault) =>
        Enter(pid) ? Leave(LockRange(start, length, onFault)) : Errno.ESRCH;

    /// <summary>munlock(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="length">Bytes.</param>
    public Outcome MUnlock(int pid, ulong start, ulong length)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        WholePages(ref start, ref length);
        return Leave(ApplyLock(start, length, MappingFlags.None));
    }

    /// <summary>mlockall(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="flags">Which mappings.</param>
    public Outcome MLockAll(int pid, MLockAllFlags flags) =>
        Enter(pid) ? Leave(LockAll(flags)) : Errno.ESRCH;

    /// <summary>munlockall(2).</summary>
    /// <param name="pid">The caller.</param>
    public Outcome MUnlockAll(int pid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        _spaces.Change(_space).LocksFuture = 0;
        ApplyLockToAll(MappingFlags.None);
        return Leave(Outcome.Zero);
    }

    private bool MayLockAtAll =>
        MemLockLimit != 0 || IsCapable(CapabilitySet.CAP_IPC_LOCK);

    private void WholePages(ref ulong start, ref ulong length)
    {
        length = AlignUp(unchecked(length + WithinPage(start)));
        start -= WithinPage(start);
    }

    private Errno LockRange(ulong start, ulong length, bool onFault)
    {
        if (!MayLockAtAll)
        {
            return Errno.EPERM;
        }

        WholePages(ref start, ref length);
        ulong limit = MemLockLimit >> _pageShift;
        ulong locked = (length >> _pageShift) + _spaces[_space].LockedPages;
        bool exempt = IsCapable(CapabilitySet.CAP_IPC_LOCK);
        if (!exempt && locked > limit && locked - LockedWithin(start, length) > limit)
        {
            return Errno.ENOMEM;
        }

        Errno error = ApplyLock(start, length,
            MappingFlags.Locked | (onFault ? MappingFlags.LockOnFault : MappingFlags.None));
        if (error != Errno.None)
        {
            return error;
        }

        error = _population.Populate(_space, start, start + length, ignoreErrors: false);
        return error == Errno.EFAULT ? Errno.ENOMEM : error;
    }

    /// <summary>Pages of a range that are locked already and so do not count again.</summary>
    private ulong LockedWithin(ulong start, ulong length)
    {
        ulong end = start > ulong.MaxValue - length ? ulong.MaxValue : start + length;
        return _addressSpaces.PagesWithin(_space, start, end, MappingFlags.Locked);
    }

    /// <summary>Gives a range these lock flags (apply_vma_lock_flags). Mappings before a gap have
    /// been changed when the gap is met.</summary>
    private Errno ApplyLock(ulong start, ulong length, MappingFlags locks)
    {
        ulong end = unchecked(start + length);
        if (end < start)
        {
            return Errno.EINVAL;
        }

        while (start < end)
        {
            int mapping = _mappings.At(_space, start);
            Errno error = mapping == 0 ? Errno.ENOMEM : ApplyLock(ref mapping, start, end, locks);
            if (error != Errno.None)
            {
                return error;
            }

            start = _mappings[mapping].End;
        }

        return Errno.None;
    }

    private void ApplyLockToAll(MappingFlags locks)
    {
        int mapping = _mappings.Find(_space, 0);
        for (; mapping != 0; mapping = _mappings.Following(mapping))
        {
            ApplyLock(ref mapping, _mappings[mapping].Start, _mappings[mapping].End, locks);
        }
    }

    /// <summary>Gives the part of a mapping that lies in a range these lock flags (mlock_fixup).
    /// Huge mappings are never locked.</summary>
    private Errno ApplyLock(ref int mapping, ulong start, ulong end, MappingFlags locks)
    {
        MappingFlags old = _mappings.FlagsOf(mapping);
        MappingFlags flags = (old & ~MappingFlags.AnyLock) | locks;
        if (flags == old || (old & MappingFlags.Huge) != 0)
        {
            return Errno.None;
        }

        end = Math.Min(end, _mappings[mapping].End);
        ulong pages = (end - start) >> _pageShift;
        Errno error = _addressSpaces.Modify(
            ref mapping, start, end, flags, _mappings[mapping].Policy);
        if (error == Errno.None)
        {
            ulong before = (old & MappingFlags.Locked) != 0 ? pages : 0;
            ulong after = (locks & MappingFlags.Locked) != 0 ? pages : 0;
            _spaces.Change(_space).LockedPages += after - before;
        }

        return error;
    }

    private Errno LockAll(MLockAllFlags flags)
    {
        const MLockAllFlags Known = MLockAllFlags.MCL_CURRENT | MLockAllFlags.MCL_FUTURE;
        if (flags == 0 || (flags & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if (!MayLockAtAll)
        {
            return Errno.EPERM;
        }

        bool current = (flags & MLockAllFlags.MCL_CURRENT) != 0;
        if (current && !IsCapable(CapabilitySet.CAP_IPC_LOCK)
            && _spaces[_space].TotalPages > MemLockLimit >> _pageShift)
        {
            return Errno.ENOMEM;
        }

        _spaces.Change(_space).LocksFuture =
            (flags & MLockAllFlags.MCL_FUTURE) != 0 ? (byte)1 : (byte)0;
        if (current)
        {
            ApplyLockToAll(MappingFlags.Locked);
            _population.Populate(_space, 0, MachineConfig.TaskSize, ignoreErrors: true);
        }

        return Errno.None;
    }
}
