using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>mmap, munmap, mprotect and mbind (mm/mmap.c, mm/mprotect.c, mm/mempolicy.c).
/// </summary>
public sealed partial class ShmMachine
{
    private const Protection AllProtections =
        Protection.PROT_READ | Protection.PROT_WRITE | Protection.PROT_EXEC;

    /// <summary>mmap(2) of private anonymous memory.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Hint, or the address under MAP_FIXED.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="protection">Protection.</param>
    /// <param name="flags">Flags.</param>
    /// <returns>The address.</returns>
    public Outcome MMap(int pid, ulong start, ulong length, Protection protection, MapFlags flags)
        => Enter(pid) ? Leave(MapPrivate(start, length, protection, flags)) : Errno.ESRCH;

    /// <summary>munmap(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="length">Bytes.</param>
    public Outcome MUnmap(int pid, ulong start, ulong length) =>
        Enter(pid) ? Leave(Unmap(start, length)) : Errno.ESRCH;

    /// <summary>mprotect(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="protection">New protection.</param>
    public Outcome MProtect(int pid, ulong start, ulong length, Protection protection) =>
        Enter(pid) ? Leave(Protect(start, length, protection)) : Errno.ESRCH;

    /// <summary>mbind(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="policy">0 for MPOL_DEFAULT; each other number that the kernel knows is another
    /// policy, which the machine's one node satisfies.</param>
    public Outcome MBind(int pid, ulong start, ulong length, int policy) =>
        Enter(pid) ? Leave(Bind(start, length, policy)) : Errno.ESRCH;

    private ulong AlignUp(ulong length) =>
        unchecked(length + (PageSize - 1)) & ~(PageSize - 1);

    private Outcome MapPrivate(
        ulong start, ulong wanted, Protection protection, MapFlags flags)
    {
        const MapFlags Fixed = MapFlags.MAP_FIXED | MapFlags.MAP_FIXED_NOREPLACE;
        bool fixedPlace = (flags & Fixed) != 0;
        ulong length = AlignUp(wanted);
        if (length == 0)
        {
            return wanted == 0 ? Errno.EINVAL : Errno.ENOMEM;
        }

        ulong address = fixedPlace ? start : HintFor(start);
        MappingFlags mapped = PrivateFlags(protection, flags);
        Errno error = FindPlace(ref address, length, segment: 0, fixedPlace);
        if (error != Errno.None)
        {
            return error;
        }

        if ((flags & MapFlags.MAP_FIXED_NOREPLACE) != 0
            && _mappings.FindWithin(_space, address, address + length) != 0)
        {
            return Errno.EEXIST;
        }

        error = !MayLock(mapped, length) ? Errno.EAGAIN : _addressSpaces.Map(new NewMapping(
            _space, address, address + length, mapped, 0, _groups[_group].AddressLimit,
            IsFree: !fixedPlace));
        if (error != Errno.None)
        {
            return error;
        }

        if ((mapped & MappingFlags.Locked) != 0)
        {
            _population.Populate(_space, address, address + length, ignoreErrors: true);
        }

        return Outcome.At(address);
    }

    /// <summary>A hint is rounded down to a page, and up to the lowest address
    /// (round_hint_to_min).</summary>
    private ulong HintFor(ulong start)
    {
        ulong hint = start & ~(PageSize - 1);
        return hint == 0 ? 0 : Math.Max(hint, AlignUp(MachineConfig.MinMapAddress));
    }

    private MappingFlags PrivateFlags(Protection protection, MapFlags flags)
    {
        bool unreserved = (flags & MapFlags.MAP_NORESERVE) != 0
            && _commit.Mode != OvercommitMode.Never;
        return (MappingFlags)(protection & AllProtections) | MappingFlags.MayWrite
            | (unreserved ? MappingFlags.NoReserve : MappingFlags.None)
            | (_spaces[_space].LocksFuture != 0 ? MappingFlags.Locked : MappingFlags.None);
    }

    private Errno Unmap(ulong start, ulong length)
    {
        if (WithinPage(start) != 0 || start > MachineConfig.TaskSize
            || length > MachineConfig.TaskSize - start || AlignUp(length) == 0)
        {
            return Errno.EINVAL;
        }

        return _addressSpaces.Unmap(_space, start, start + AlignUp(length));
    }

    private Errno Protect(ulong start, ulong length, Protection protection)
    {
        ulong end = unchecked(start + AlignUp(length));
        if (WithinPage(start) != 0 || length == 0)
        {
            return length == 0 && WithinPage(start) == 0 ? Errno.None : Errno.EINVAL;
        }

        if (end <= start)
        {
            return Errno.ENOMEM;
        }

        if ((protection & ~AllProtections) != 0)
        {
            return Errno.EINVAL;
        }

        while (start < end)
        {
            int mapping = _mappings.At(_space, start);
            Errno error = mapping == 0 ? Errno.ENOMEM
                : ProtectPart(ref mapping, start, end, (MappingFlags)protection);
            if (error != Errno.None)
            {
                return error;
            }

            start = _mappings[mapping].End;
        }

        return Errno.None;
    }

    /// <summary>Changes the part of a mapping that lies in a range (mprotect_fixup). Private
    /// memory that becomes writable is charged.</summary>
    private Errno ProtectPart(ref int mapping, ulong start, ulong end, MappingFlags access)
    {
        MappingFlags old = _mappings.FlagsOf(mapping);
        MappingFlags flags = (old & ~MappingFlags.Access) | access;
        if ((access & MappingFlags.Write) != 0 && (old & MappingFlags.MayWrite) == 0)
        {
            return Errno.EACCES;
        }

        if (flags == old)
        {
            return Errno.None;
        }

        end = Math.Min(end, _mappings[mapping].End);
        ulong pages = (end - start) >> _pageShift;
        const MappingFlags Uncharged = MappingFlags.Account | MappingFlags.Write
            | MappingFlags.Huge | MappingFlags.Shared | MappingFlags.NoReserve;
        bool charges = (access & MappingFlags.Write) != 0 && (old & Uncharged) == 0;
        bool returns = (access & MappingFlags.Write) == 0 && _rules.ReadOnlyReturnsCommit
            && (old & MappingFlags.Account) != 0 && _mappings[mapping].PageOwner == 0;
        if (charges && !_commit.TryCharge(pages))
        {
            return Errno.ENOMEM;
        }

        flags = charges ? flags | MappingFlags.Account
            : returns ? flags & ~MappingFlags.Account : flags;
        Errno error = _addressSpaces.Modify(
            ref mapping, start, end, flags, _mappings[mapping].Policy);
        if (error != Errno.None)
        {
            // Where memory was charged, only an injected failure leads here, which undoes that.
            return error;
        }

        _commit.Uncharge(returns ? pages : 0);
        bool breaksCopies = (access & MappingFlags.Write) != 0 && (old & (MappingFlags.Write
            | MappingFlags.Shared | MappingFlags.Locked)) == MappingFlags.Locked;
        if (breaksCopies)
        {
            _population.Populate(mapping, start, end);
        }

        return Errno.None;
    }

    private Errno Bind(ulong start, ulong length, int policy)
    {
        ulong end = unchecked(start + AlignUp(length));
        if (policy < 0 || policy > _rules.LastPolicy || WithinPage(start) != 0 || end < start)
        {
            return Errno.EINVAL;
        }

        if (end == start)
        {
            return Errno.None;
        }

        bool mayHaveGaps = policy == 0;
        if (!IsMapped(start, end, mayHaveGaps))
        {
            return Errno.EFAULT;
        }

        int mapping = _mappings.FindWithin(_space, start, end);
        while (mapping != 0)
        {
            ulong from = Math.Max(start, _mappings[mapping].Start);
            ulong to = Math.Min(end, _mappings[mapping].End);
            Errno error = _mappings[mapping].Policy == policy ? Errno.None : _addressSpaces.Modify(
                ref mapping, from, to, _mappings.FlagsOf(mapping), policy);
            if (error != Errno.None)
            {
                return error;
            }

            mapping = _mappings.FindWithin(_space, _mappings[mapping].End, end);
        }

        return Errno.None;
    }

    /// <summary>Whether a range is mapped without gaps, or if those do not matter, at all.
    /// </summary>
    private bool IsMapped(ulong start, ulong end, bool mayHaveGaps)
    {
        int mapping = _mappings.FindWithin(_space, start, end);
        if (mapping == 0 || mayHaveGaps)
        {
            return mapping != 0;
        }

        while (mapping != 0 && _mappings[mapping].Start <= start)
        {
            start = _mappings[mapping].End;
            if (start >= end)
            {
                return true;
            }

            mapping = _mappings.Following(mapping);
        }

        return false;
    }
}
