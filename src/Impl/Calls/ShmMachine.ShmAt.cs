using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>shmat(2) and shmdt(2) (ipc/shm.c).</summary>
public sealed partial class ShmMachine
{
    /// <summary>shmat(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="id">Identifier of the segment.</param>
    /// <param name="address">Where, or 0 for the kernel to choose.</param>
    /// <param name="flags">Flags (<see cref="ShmAtFlags"/>).</param>
    /// <returns>The address.</returns>
    public Outcome ShmAt(int pid, int id, ulong address, int flags)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        var request = new ShmAtFlags(flags);
        Outcome outcome = FindForAttach(id, ref address, request, out int segment);
        if (segment == 0)
        {
            return Leave(outcome);
        }

        // While the call is under way it counts as an attach, so that replacing the last one
        // does not end the segment.
        _segments.Change(segment).Nattch++;
        outcome = Attach(segment, address, fixedPlace: outcome.Word != 0, request);
        _segments.Change(segment).Nattch--;
        outcome = Leave(outcome);
        _lifetime.DestroyIfDue(segment);
        return outcome;
    }

    /// <summary>shmdt(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="address">Where the attach starts, or started before it was split.</param>
    public Outcome ShmDt(int pid, ulong address) =>
        Enter(pid) ? Leave(Detach(address)) : Errno.ESRCH;

    /// <summary>The tests up to that for permission.</summary>
    /// <param name="id">Identifier of the segment.</param>
    /// <param name="address">The address, which is rounded.</param>
    /// <param name="flags">Flags.</param>
    /// <param name="segment">The segment, 0 if a test failed.</param>
    /// <returns>1 if an address was given, 0 if not, or the error.</returns>
    private Outcome FindForAttach(
        int id, ref ulong address, ShmAtFlags flags, out int segment)
    {
        segment = 0;
        bool given = address != 0;
        bool aligned = WithinPage(address) == 0;
        if (id < 0 || (!aligned && !flags.Round))
        {
            return Errno.EINVAL;
        }

        address -= WithinPage(address);
        if (address == 0 && flags.Remap)
        {
            return Errno.EINVAL;
        }

        int found = FindId(id);
        int wanted = 0x124 | (flags.ReadOnly ? 0 : 0x92) | (flags.Execute ? 0x49 : 0);
        if (found == 0 || !Permits(found, wanted))
        {
            return found == 0 ? Errno.EINVAL : Errno.EACCES;
        }

        segment = found;
        return new Outcome(given ? 1 : 0);
    }

    private Outcome Attach(int segment, ulong address, bool fixedPlace, ShmAtFlags flags)
    {
        if (_plan.Strikes(AllocationKind.Bookkeeping))
        {
            return Errno.ENOMEM;
        }

        ref readonly SegmentRow row = ref _segments[segment];
        ulong size = row.HugeShift != 0 ? row.Length << row.HugeShift : row.Size;
        if (address != 0 && !flags.Remap && (address + size < address
            || _mappings.FindWithin(_space, address, address + size) != 0))
        {
            return Errno.EINVAL;
        }

        ulong length = unchecked(size + (PageSize - 1)) & ~(PageSize - 1);
        if (length == 0)
        {
            return size == 0 ? Errno.EINVAL : Errno.ENOMEM;
        }

        Errno error = FindPlace(ref address, length, segment, fixedPlace);
        MappingFlags mapped = AttachFlags(flags);
        if (error == Errno.None && !MayLock(mapped, length))
        {
            error = Errno.EAGAIN;
        }

        if (error == Errno.None)
        {
            error = _addressSpaces.Map(new NewMapping(_space, address, address + length, mapped,
                segment, _groups[_group].AddressLimit, IsFree: !fixedPlace));
        }

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

    private MappingFlags AttachFlags(ShmAtFlags flags) => MappingFlags.Read
        | (flags.ReadOnly ? MappingFlags.None
            : MappingFlags.Write | MappingFlags.MayWrite | MappingFlags.Shared)
        | (flags.Execute ? MappingFlags.Execute : MappingFlags.None)
        | (_spaces[_space].LocksFuture != 0 ? MappingFlags.Locked : MappingFlags.None);

    /// <summary>Chooses or validates the address of a mapping (get_unmapped_area).</summary>
    /// <param name="address">The address wanted, 0 for any; the one to use.</param>
    /// <param name="length">Length in bytes.</param>
    /// <param name="segment">The segment to be mapped, 0 for private memory.</param>
    /// <param name="fixedPlace">Nowhere but at the address; else it is a hint. The kernel returns
    /// the address from one function to another, so that one of the highest, which only an
    /// unaligned one can be, reads as an error there.</param>
    private Errno FindPlace(ref ulong address, ulong length, int segment, bool fixedPlace)
    {
        int hugeShift = _segments[segment].HugeShift;
        ulong alignment = hugeShift != 0 ? 1ul << hugeShift : PageSize;
        if (length > MachineConfig.TaskSize)
        {
            return Errno.ENOMEM;
        }

        if (!fixedPlace)
        {
            address = FreePlace(address, length, alignment);
            return address == 0 ? Errno.ENOMEM : MayMapAt(address) ? Errno.None : Errno.EPERM;
        }

        Outcome asReturned = Outcome.At(address);
        return asReturned.Errno != Errno.None ? asReturned.Errno
            : alignment != PageSize && address % alignment != 0 ? Errno.EINVAL
            : address > MachineConfig.TaskSize - length ? Errno.ENOMEM
            : WithinPage(address) != 0 ? Errno.EINVAL
            : MayMapAt(address) ? Errno.None : Errno.EPERM;
    }

    /// <summary>The place of a hint if it is free, else any; 0 if there is none.</summary>
    private ulong FreePlace(ulong hint, ulong length, ulong alignment)
    {
        ulong place = unchecked(hint + (alignment - 1)) & ~(alignment - 1);
        bool free = place != 0 && place <= MachineConfig.TaskSize - length
            && _mappings.FindWithin(_space, place, place + length) == 0;
        return free ? place : _addressSpaces.FindFree(_space, length, alignment);
    }

    /// <summary>cap_mmap_addr.</summary>
    private bool MayMapAt(ulong address) => address >= MachineConfig.MinMapAddress
        || IsCapable(CapabilitySet.CAP_SYS_RAWIO);

    /// <summary>Whether a mapping with these flags stays within RLIMIT_MEMLOCK
    /// (mlock_future_ok).</summary>
    private bool MayLock(MappingFlags flags, ulong bytes) =>
        (flags & MappingFlags.Locked) == 0 || IsCapable(CapabilitySet.CAP_IPC_LOCK)
        || _spaces[_space].LockedPages + (bytes >> _pageShift) <= MemLockLimit >> _pageShift;

    /// <summary>Finds the attach that has, or had, its first page at an address, and unmaps all
    /// pieces of it that are still where they were.</summary>
    private Outcome Detach(ulong address)
    {
        if (WithinPage(address) != 0)
        {
            return Errno.EINVAL;
        }

        int mapping = _mappings.Find(_space, address);
        while (mapping != 0 && !BelongsAt(in _mappings[mapping], address))
        {
            mapping = _mappings.Following(mapping);
        }

        if (mapping == 0)
        {
            return Errno.EINVAL;
        }

        ref readonly MappingRow first = ref _mappings[mapping];
        int attach = first.Attach;
        ref readonly SegmentRow segment = ref _segments[_mappings.SegmentOf(in first)];
        ulong length = segment.Length << (segment.HugeShift != 0 ? segment.HugeShift : _pageShift);
        int next = first.NextInSpace;
        _addressSpaces.Remove(mapping);
        while ((mapping = next) != 0)
        {
            ref readonly MappingRow other = ref _mappings[mapping];
            if ((long)(other.End - address) > (long)length)
            {
                break;
            }

            next = other.NextInSpace;
            if (other.Attach == attach && BelongsAt(in other, address))
            {
                _addressSpaces.Remove(mapping);
            }
        }

        return Outcome.Zero;
    }

    private bool BelongsAt(in MappingRow mapping, ulong address) => !mapping.IsPrivate
        && (mapping.Start - address) >> _pageShift == mapping.Offset;

    /// <summary>The segment of an identifier of the caller's namespace, 0 if there is none.
    /// </summary>
    private int FindId(int id) => FindId(_namespace, id);

    private int FindId(int ns, int id)
    {
        int segment = id < 0 ? 0 : _ids.AtIndex(ns, new ShmId(id).Index);
        return segment != 0 && _segments[segment].Id == id ? segment : 0;
    }
}
