using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Faulting in of whole ranges, for mlock and for MADV_POPULATE_* (mm/gup.c).</summary>
internal sealed class Population(
    KernelRules rules, MappingTable mappings, Paging paging, AddressSpaces spaces, int pageShift)
{
    /// <summary>Faults in a range for locking: private writable memory as a write would, the
    /// rest as a read would (__mm_populate).</summary>
    /// <param name="space">The address space.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="end">End of the range.</param>
    /// <param name="ignoreErrors">A mapping that fails ends there, and the next one goes on.
    /// </param>
    public Errno Populate(int space, ulong start, ulong end, bool ignoreErrors)
    {
        int mapping = start < end ? mappings.FindWithin(space, start, end) : 0;
        while (mapping != 0 && mappings[mapping].Start < end)
        {
            Errno error = Populate(mapping, start, end);
            if (error != Errno.None && !ignoreErrors)
            {
                return error;
            }

            mapping = mappings.Following(mapping);
        }

        return Errno.None;
    }

    /// <summary>Faults in what a range and a mapping have in common.</summary>
    public Errno Populate(int mapping, ulong start, ulong end)
    {
        bool accessible = mappings.Has(mapping, MappingFlags.Access);
        if (mappings.Has(mapping, MappingFlags.LockOnFault))
        {
            return accessible || !rules.LockOnFaultNeedsAccess ? Errno.None : Errno.EFAULT;
        }

        bool write = mappings.IsPrivate(mapping) && mappings.Has(mapping, MappingFlags.Write);
        return accessible ? FaultIn(mapping, start, end, write) : Errno.EFAULT;
    }

    /// <summary>MADV_POPULATE_READ and MADV_POPULATE_WRITE.</summary>
    public Errno Advise(int space, ulong start, ulong end, bool write)
    {
        MappingFlags needed = write ? MappingFlags.Write : MappingFlags.Read;
        Errno gap = Errno.None;
        while (start < end)
        {
            int mapping = mappings.FindWithin(space, start, end);
            if (mapping == 0 || mappings[mapping].Start > start)
            {
                gap = Errno.ENOMEM;
                if (mapping == 0 || rules.PopulateStopsAtGap)
                {
                    return gap;
                }
            }

            Errno error = mappings.Has(mapping, needed)
                ? FaultIn(mapping, start, end, write) : Errno.EINVAL;
            if (error != Errno.None)
            {
                return error;
            }

            start = mappings[mapping].End;
        }

        return gap;
    }

    private Errno FaultIn(int mapping, ulong start, ulong end, bool write)
    {
        if (mappings.IsPrivate(mapping))
        {
            if (write)
            {
                spaces.PrepareOwner(mapping);
            }

            return Errno.None;
        }

        ulong last = (Math.Min(end, mappings[mapping].End) - 1) >> pageShift;
        ulong page = Math.Max(start, mappings[mapping].Start) >> pageShift;
        ulong mask = (1ul << paging.OrderOf(mappings.SegmentOf(mapping))) - 1;
        for (; page <= last; page = (page | mask) + 1)
        {
            if (!paging.TryPopulate(mapping, page, write))
            {
                return Errno.EFAULT;
            }
        }

        return Errno.None;
    }
}
