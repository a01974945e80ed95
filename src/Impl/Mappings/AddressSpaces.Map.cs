using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Mapping and unmapping of ranges.</summary>
internal sealed partial class AddressSpaces
{
    /// <summary>Lowest free place for a mapping wherever it suits, above the window or else below
    /// it; 0 when there is none.</summary>
    public ulong FindFree(int space, ulong length, ulong alignment)
    {
        ulong place = _mappings.FindFree(
            space, length, alignment, MachineConfig.WindowStart + MachineConfig.WindowLength,
            MachineConfig.TaskSize);
        return place != 0 ? place : _mappings.FindFree(space, length, alignment,
            MachineConfig.MinMapAddress, MachineConfig.WindowStart);
    }

    /// <summary>Maps a range whose address has been validated, replacing what is there
    /// (mmap_region).</summary>
    public Errno Map(in NewMapping wanted)
    {
        int space = wanted.Space;
        ulong pages = (wanted.End - wanted.Start) >> _pageShift;
        MappingFlags flags = wanted.Flags;
        bool charges = wanted.Segment == 0
            && (flags & (MappingFlags.Write | MappingFlags.NoReserve)) == MappingFlags.Write;
        Errno error = wanted.IsFree ? Charge(wanted, pages, charges)
            : _rules.FixedMapUndoesOnFailure ? ClearThenCharge(wanted, pages, charges)
            : ClearAndCharge(wanted, pages, charges);
        if (error != Errno.None)
        {
            return error;
        }

        flags |= charges ? MappingFlags.Account : MappingFlags.None;
        if (wanted.Segment != 0 && _segments.IsHuge(wanted.Segment))
        {
            flags = (flags & ~MappingFlags.AnyLock) | MappingFlags.Huge;
        }

        if (wanted.Segment != 0 || JoinNew(space, wanted.Start, wanted.End,
            PrivatePart(wanted.Start, wanted.End, flags),
            afterFirst: _rules.NewMappingsJoinAfterFirst) == 0)
        {
            if (_plan.Strikes(AllocationKind.Bookkeeping))
            {
                return Errno.ENOMEM;
            }

            Add(wanted, flags);
        }

        ref SpaceRow counters = ref _spaces.Change(space);
        counters.TotalPages += pages;
        if ((flags & MappingFlags.Locked) != 0)
        {
            counters.LockedPages += pages;
        }

        return Errno.None;
    }

    /// <summary>munmap of a range that may be empty of mappings.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="end">End of the range.</param>
    /// <param name="keepCharge">What was charged for the range stays charged, for what takes its
    /// place.</param>
    public Errno Unmap(int space, ulong start, ulong end, bool keepCharge = false)
    {
        Errno error = Isolate(space, start, end);
        if (error == Errno.None)
        {
            RemoveWithin(space, start, end, keepCharge);
        }

        return error;
    }

    /// <summary>Removes all mappings of an address space that nobody uses any more.</summary>
    public void Drop(int space)
    {
        RemoveWithin(space, 0, ulong.MaxValue, keepCharge: false);
        _spaces.Remove(space);
    }

    /// <summary>Whether an address space may have so many pages more under RLIMIT_AS.</summary>
    public bool MayExpand(int space, ulong pages, ulong limit) =>
        _spaces[space].TotalPages + pages <= limit >> _pageShift;

    /// <summary>Pages of a range that are mapped.</summary>
    public ulong PagesWithin(int space, ulong start, ulong end, MappingFlags any)
    {
        ulong bytes = 0;
        int mapping = _mappings.FindWithin(space, start, end);
        while (mapping != 0 && _mappings[mapping].Start < end)
        {
            bool counts = any == MappingFlags.None || _mappings.Has(mapping, any);
            bytes += counts ? Math.Min(end, _mappings[mapping].End)
                - Math.Max(start, _mappings[mapping].Start) : 0;
            mapping = _mappings.Following(mapping);
        }

        return bytes >> _pageShift;
    }

    private Part PrivatePart(ulong start, ulong end, MappingFlags flags) =>
        new(Attach: 0, start >> _pageShift, end >> _pageShift, flags, Policy: 0, Source: 0);

    private void Add(in NewMapping wanted, MappingFlags flags)
    {
        int attach = wanted.Segment == 0 ? 0 : _attaches.Add(wanted.Segment);
        int mapping = _mappings.Add(wanted.Space, wanted.Start, wanted.End, attach);
        ref MappingRow row = ref _mappings.Change(mapping);
        row.Offset = attach == 0 ? wanted.Start >> _pageShift : 0;
        row.Flags = (int)flags;
        row.Policy = 0;
        if (attach != 0)
        {
            _lifetime.Open(wanted.Segment);
        }
    }

    /// <summary>For a range where nothing is mapped.</summary>
    private Errno Charge(in NewMapping wanted, ulong pages, bool charges) =>
        MayExpand(wanted.Space, pages, wanted.AddressLimit)
            && (!charges || _commit.TryCharge(pages)) ? Errno.None : Errno.ENOMEM;

    /// <summary>Linux since 6.12: splits at both ends, makes all tests, then unmaps.</summary>
    private Errno ClearThenCharge(in NewMapping wanted, ulong pages, bool charges)
    {
        int space = wanted.Space;
        if (_mappings.FindWithin(space, wanted.Start, wanted.End) == 0)
        {
            return Charge(wanted, pages, charges);
        }

        Errno error = Isolate(space, wanted.Start, wanted.End);
        if (error != Errno.None)
        {
            return error;
        }

        ulong replaced = PagesWithin(space, wanted.Start, wanted.End, MappingFlags.None);
        if (!MayExpand(space, pages - replaced, wanted.AddressLimit))
        {
            return Errno.ENOMEM;
        }

        ulong charged = PagesWithin(space, wanted.Start, wanted.End, MappingFlags.Account);
        if (charges && pages > charged && !_commit.TryCharge(pages - charged))
        {
            return Errno.ENOMEM;
        }

        RemoveWithin(space, wanted.Start, wanted.End, keepCharge: charges);
        return Errno.None;
    }

    /// <summary>Linux before: unmaps, then charges; whatever goes wrong, the error is ENOMEM.
    /// </summary>
    private Errno ClearAndCharge(in NewMapping wanted, ulong pages, bool charges)
    {
        int space = wanted.Space;
        ulong replaced = PagesWithin(space, wanted.Start, wanted.End, MappingFlags.None);
        bool done = (MayExpand(space, pages, wanted.AddressLimit)
                || MayExpand(space, pages - replaced, wanted.AddressLimit))
            && Unmap(space, wanted.Start, wanted.End) == Errno.None
            && (!charges || _commit.TryCharge(pages));
        return done ? Errno.None : Errno.ENOMEM;
    }

    /// <summary>Splits the mappings that reach across the ends of a range.</summary>
    private Errno Isolate(int space, ulong start, ulong end)
    {
        int first = _mappings.At(space, start);
        if (first != 0 && _mappings[first].Start < start)
        {
            Errno error = Split(first, start);
            if (error != Errno.None)
            {
                return error;
            }
        }

        int last = _mappings.At(space, end);
        return last != 0 && _mappings[last].Start < end ? Split(last, end) : Errno.None;
    }

    private void RemoveWithin(int space, ulong start, ulong end, bool keepCharge)
    {
        int mapping = _mappings.FindWithin(space, start, end);
        while (mapping != 0 && _mappings[mapping].Start < end)
        {
            int next = _mappings.Following(mapping);
            Remove(mapping, keepCharge);
            mapping = next;
        }
    }

    /// <summary>Unmaps a whole mapping.</summary>
    /// <param name="mapping">The mapping.</param>
    /// <param name="keepCharge">What was charged for it stays charged, for what takes its
    /// place.</param>
    public void Remove(int mapping, bool keepCharge = false)
    {
        ref readonly MappingRow row = ref _mappings[mapping];
        int space = row.Space;
        int segment = _mappings.SegmentOf(in row);
        ulong first = row.Start >> _pageShift;
        ulong end = row.End >> _pageShift;
        ulong pages = end - first;
        var flags = (MappingFlags)row.Flags;
        if (segment != 0)
        {
            _paging.Zap(in row, first, end);
        }
        else
        {
            _spaces.Bytes(space).Zero(first, end);
        }

        ref SpaceRow counters = ref _spaces.Change(space);
        counters.TotalPages -= pages;
        if ((flags & MappingFlags.Locked) != 0)
        {
            counters.LockedPages -= pages;
        }

        if (!keepCharge && (flags & MappingFlags.Account) != 0)
        {
            _commit.Uncharge(pages);
        }

        _mappings.Remove(mapping);
        if (segment != 0)
        {
            _lifetime.Close(segment);
        }
    }
}

/// <summary>A mapping to be made.</summary>
/// <param name="Space">Where.</param>
/// <param name="Start">First address.</param>
/// <param name="End">Address behind the last.</param>
/// <param name="Flags">Its flags.</param>
/// <param name="Segment">The segment to attach, 0 for private memory.</param>
/// <param name="AddressLimit">RLIMIT_AS in bytes.</param>
/// <param name="IsFree">Nothing is mapped there, as the caller knows.</param>
internal readonly record struct NewMapping(
    int Space, ulong Start, ulong End, MappingFlags Flags, int Segment, ulong AddressLimit,
    bool IsFree);
