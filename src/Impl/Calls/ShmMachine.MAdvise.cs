using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>madvise(2) (mm/madvise.c). Mappings are treated in ascending order; an error ends the
/// call with those before already treated, while gaps are passed over and make it fail at the
/// end.</summary>
public sealed partial class ShmMachine
{
    /// <summary>madvise(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="advice">The advice.</param>
    public Outcome MAdvise(int pid, ulong start, ulong length, Advice advice) =>
        Enter(pid) ? Leave(Advise(start, length, advice)) : Errno.ESRCH;

    private Errno Advise(ulong start, ulong length, Advice advice)
    {
        ulong whole = AlignUp(length);
        ulong end = unchecked(start + whole);
        if (!Enum.IsDefined(advice) || WithinPage(start) != 0 || (length != 0 && whole == 0)
            || end < start)
        {
            return Errno.EINVAL;
        }

        if (end == start)
        {
            return Errno.None;
        }

        return advice is Advice.MADV_POPULATE_READ or Advice.MADV_POPULATE_WRITE
            ? _population.Advise(_space, start, end, advice == Advice.MADV_POPULATE_WRITE)
            : AdviseEach(start, end, advice);
    }

    private Errno AdviseEach(ulong start, ulong end, Advice advice)
    {
        Errno gap = Errno.None;
        while (start < end)
        {
            int mapping = _mappings.FindWithin(_space, start, end);
            if (mapping == 0)
            {
                return Errno.ENOMEM;
            }

            gap = _mappings[mapping].Start > start ? Errno.ENOMEM : gap;
            ulong from = Math.Max(start, _mappings[mapping].Start);
            ulong to = Math.Min(end, _mappings[mapping].End);
            Errno error = Advise(ref mapping, from, to, advice);
            if (error != Errno.None)
            {
                return error;
            }

            start = _mappings[mapping].End;
        }

        return gap;
    }

    private Errno Advise(ref int mapping, ulong start, ulong end, Advice advice)
    {
        switch (advice)
        {
            case Advice.MADV_REMOVE: return PunchHole(mapping, start, end);
            case Advice.MADV_DONTNEED: return DropEntries(mapping, start, end);
            case Advice.MADV_FREE: return MayFree(mapping) ? Errno.None : Errno.EINVAL;
            case Advice.MADV_COLD: return MayAge(mapping) ? Errno.None : Errno.EINVAL;
            case Advice.MADV_PAGEOUT: return PageOut(mapping, start, end);
            case Advice.MADV_WILLNEED: Prefetch(mapping, start, end); return Errno.None;
            default: return SetAdvice(ref mapping, start, end, advice);
        }
    }

    /// <summary>Advice that is a flag of the mapping (madvise_update_vma).</summary>
    private Errno SetAdvice(ref int mapping, ulong start, ulong end, Advice advice)
    {
        MappingFlags old = _mappings.FlagsOf(mapping);
        MappingFlags order = old & ~(MappingFlags.RandomRead | MappingFlags.SequentialRead);
        MappingFlags flags = advice switch
        {
            Advice.MADV_NORMAL => order,
            Advice.MADV_RANDOM => order | MappingFlags.RandomRead,
            Advice.MADV_SEQUENTIAL => order | MappingFlags.SequentialRead,
            Advice.MADV_DONTFORK => old | MappingFlags.DontCopy,
            Advice.MADV_DOFORK => old & ~MappingFlags.DontCopy,
            Advice.MADV_DONTDUMP => old | MappingFlags.DontDump,
            Advice.MADV_DODUMP => old & ~MappingFlags.DontDump,
            _ => throw new ArgumentOutOfRangeException(nameof(advice), advice, "no flag"),
        };
        Errno error = flags == old ? Errno.None : _addressSpaces.Modify(
            ref mapping, start, end, flags, _mappings[mapping].Policy);
        return error == Errno.ENOMEM ? Errno.EAGAIN : error;
    }

    private bool MayAge(int mapping) =>
        !_mappings.Has(mapping, MappingFlags.Locked | MappingFlags.Huge);

    /// <summary>Freeing lazily is for private memory, which keeps its bytes here, since nothing
    /// reclaims it.</summary>
    private bool MayFree(int mapping) =>
        _mappings.IsPrivate(mapping) && !_mappings.Has(mapping, MappingFlags.Locked);

    private Errno PunchHole(int mapping, ulong start, ulong end)
    {
        MappingFlags needed = MappingFlags.Shared
            | (_rules.PunchNeedsWriteAccess ? MappingFlags.Write : MappingFlags.MayWrite);
        if (_mappings.Has(mapping, MappingFlags.Locked) || _mappings.IsPrivate(mapping))
        {
            return Errno.EINVAL;
        }

        if ((_mappings.FlagsOf(mapping) & needed) != needed)
        {
            return Errno.EACCES;
        }

        _paging.Punch(_mappings.SegmentOf(mapping), _addressSpaces.OffsetAt(mapping, start),
            _addressSpaces.OffsetAt(mapping, end));
        return Errno.None;
    }

    /// <summary>MADV_DONTNEED. Of a huge mapping the start must be aligned, and the end is
    /// rounded down.</summary>
    private Errno DropEntries(int mapping, ulong start, ulong end)
    {
        bool huge = _mappings.Has(mapping, MappingFlags.Huge);
        if (_mappings.Has(mapping, MappingFlags.Locked) || (huge && (!_rules.HugeEntriesDrop
            || !_addressSpaces.MaySplit(mapping, start))))
        {
            return Errno.EINVAL;
        }

        ulong first = start >> _pageShift;
        ulong last = end >> _pageShift;
        if (_mappings.IsPrivate(mapping))
        {
            _spaces.Bytes(_space).Zero(first, last);
            return Errno.None;
        }

        int order = _paging.OrderOf(_mappings.SegmentOf(mapping));
        _paging.Zap(in _mappings[mapping], first, last >> order << order);
        return Errno.None;
    }

    private Errno PageOut(int mapping, ulong start, ulong end)
    {
        if (!MayAge(mapping))
        {
            return Errno.EINVAL;
        }

        if (!_mappings.IsPrivate(mapping))
        {
            _paging.PageOut(mapping, start >> _pageShift, end >> _pageShift);
        }

        return Errno.None;
    }

    private void Prefetch(int mapping, ulong start, ulong end)
    {
        if (!_mappings.IsPrivate(mapping) && !_mappings.Has(mapping, MappingFlags.Huge))
        {
            _paging.Prefetch(mapping, start >> _pageShift, end >> _pageShift);
        }
    }
}
