using System.Diagnostics;

namespace ShmCheck.Impl;

/// <summary>The pages of the segments' objects: how they come into memory, leave it for swap, and
/// are freed (mm/shmem.c, mm/hugetlb.c). Who maps them is not known here; an entry that is
/// returned to be mapped is stored by the caller.</summary>
internal sealed class ObjectPages : IFrameOwner
{
    private const int PageBits = 36;
    private readonly SegmentTable _segments;
    private readonly NamespaceTable _namespaces;
    private readonly FramePool _frames;
    private readonly SwapSpace _swap;
    private readonly HugePool _pool;
    private readonly CommitAccount _commit;
    private readonly int _defaultHugeShift;
    private readonly Scalar _resident;
    private readonly Scalar _hugeResident;
    private readonly IndexSet _swapped;

    public ObjectPages(
        StateStore store, SegmentTable segments, NamespaceTable namespaces, FramePool frames,
        SwapSpace swap, HugePool pool, CommitAccount commit, int defaultHugeShift)
    {
        _segments = segments;
        _namespaces = namespaces;
        _frames = frames;
        _swap = swap;
        _pool = pool;
        _commit = commit;
        _defaultHugeShift = defaultHugeShift;
        _resident = store.NewScalar();
        _hugeResident = store.NewScalar();
        _swapped = new IndexSet(store, int.MaxValue);
    }

    /// <summary>Resident pages of all normal objects (Shmem).</summary>
    public ulong Resident => _resident.Value;

    /// <summary>Resident huge pages of all objects.</summary>
    public ulong HugeResident => _hugeResident.Value;

    /// <summary>The first segment from a row on that has pages in swap, or -1 (the shmem_swaplist).
    /// </summary>
    public int NextSwapped(int segment) => _swapped.NextFrom(segment);

    public PageEntry At(int segment, ulong page) => new(_segments.Pages(segment)[page]);

    public void Put(int segment, ulong page, PageEntry entry)
    {
        RadixTree pages = _segments.Pages(segment);
        pages[page] = entry.Word;
    }

    /// <inheritdoc/>
    public void OnMoved(ulong tag, int frame)
    {
        int segment = (int)(tag >> PageBits);
        ulong page = tag & ((1ul << PageBits) - 1);
        PageEntry entry = At(segment, page);
        if (entry.Kind == PageKind.Resident)
        {
            Put(segment, page, entry.WithNumber(frame));
        }
        else
        {
            _swap.MoveCached(entry.Number, frame);
        }
    }

    /// <summary>Brings a page of a normal object into memory for a touch.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="page">Page of the object.</param>
    /// <param name="write">For writing.</param>
    /// <param name="entry">The page as it is; as it will be.</param>
    /// <returns>False, with nothing changed but late commit charges, when the touch is a bus
    /// error.</returns>
    public bool TryFault(int segment, ulong page, bool write, ref PageEntry entry)
    {
        switch (entry.Kind)
        {
            case PageKind.Resident:
                entry = write ? entry.Dirtied() : entry;
                return true;
            case PageKind.Swapped:
                return TrySwapIn(segment, page, ref entry);
            default:
                return page < _segments[segment].Length
                    && TryAllocate(segment, page, write, out entry);
        }
    }

    /// <summary>Brings a page of a huge object into memory for a touch.</summary>
    /// <returns>False, with nothing changed, when the touch is a bus error.</returns>
    public bool TryFaultHuge(int segment, ulong page, out PageEntry entry)
    {
        entry = At(segment, page);
        if (entry.Kind == PageKind.Resident)
        {
            return true;
        }

        bool promised = _segments[segment].NoReserve == 0 && entry.Kind != PageKind.Lost;
        int number = page < _segments[segment].Length && UsesPool(segment)
            ? _pool.Take(promised, this) : -1;
        if (number < 0)
        {
            return false;
        }

        _segments.Change(segment).LostEntries -= entry.Kind == PageKind.Lost ? 1u : 0u;
        CountHuge(segment, 1);
        entry = PageEntry.InFrame(number, dirty: false, content: 0);
        return true;
    }

    /// <summary>Takes an unmapped page out of memory: clean ones hold nothing and go, dirty ones
    /// go to swap, or stay when no slot is to be had.</summary>
    public void Evict(int segment, ulong page, PageEntry entry)
    {
        Debug.Assert(entry is { Kind: PageKind.Resident, Mappers: 0 }, "still in use");
        if (!entry.IsDirty)
        {
            _frames.Give(entry.Number);
            CountResident(segment, -1);
            Put(segment, page, default);
            return;
        }

        int slot = _swap.Take();
        if (slot < 0)
        {
            Put(segment, page, entry);
            return;
        }

        Settle(segment);
        CountResident(segment, -1);
        CountSwapped(segment, 1);
        Put(segment, page, PageEntry.InSlot(slot, entry.Content));
        if (_swap.KeepsCopies)
        {
            _swap.AddToCache(slot, entry.Number);
        }
        else
        {
            _frames.Give(entry.Number);
        }
    }

    /// <summary>Drops the copy that the swap cache may have of a swapped page.</summary>
    public void DropCopy(PageEntry entry)
    {
        int frame = _swap.CachedFrame(entry.Number);
        if (frame >= 0)
        {
            _swap.RemoveFromCache(entry.Number);
            _frames.Give(frame);
        }
    }

    /// <summary>Reads a swapped page into the swap cache.</summary>
    /// <returns>False when no frame is free.</returns>
    public bool TryPrefetch(int segment, ulong page, PageEntry entry)
    {
        if (_swap.CachedFrame(entry.Number) >= 0)
        {
            return true;
        }

        int frame = _frames.Take(TagOf(segment, page));
        if (frame >= 0)
        {
            _swap.AddToCache(entry.Number, frame);
        }

        return frame >= 0;
    }

    /// <summary>Brings all swapped pages of an object back (shmem_unuse). The caller has made
    /// sure that there are frames for them.</summary>
    public void SwapInAll(int segment)
    {
        RadixTree pages = _segments.Pages(segment);
        ulong page = 0;
        for (; _segments[segment].Swapped > 0 && pages.Next(ref page, out ulong word); page++)
        {
            var entry = new PageEntry(word);
            if (entry.Kind == PageKind.Swapped)
            {
                bool done = TrySwapIn(segment, page, ref entry);
                Debug.Assert(done, "too few frames");
                pages[page] = entry.Word;
            }
        }
    }

    /// <summary>Frees the pages of a range, none of which is mapped (FALLOC_FL_PUNCH_HOLE).
    /// </summary>
    public void Punch(int segment, ulong first, ulong end)
    {
        if (_segments.IsHuge(segment))
        {
            PunchHuge(segment, first, end);
        }
        else
        {
            PunchNormal(segment, first, end);
        }

        Settle(segment);
    }

    /// <summary>Frees the object: pages, commit charge, promises.</summary>
    public void Release(int segment, ulong commitCharge)
    {
        ref readonly SegmentRow row = ref _segments[segment];
        ulong promises = row.NoReserve != 0 ? 0 : row.Length - row.LostEntries - row.Resident;
        Punch(segment, 0, ulong.MaxValue);
        if (!_segments.IsHuge(segment))
        {
            _commit.Uncharge(commitCharge);
        }
        else if (UsesPool(segment))
        {
            _pool.Unreserve(promises);
        }
    }

    private static ulong TagOf(int segment, ulong page)
    {
        Debug.Assert(page >> PageBits == 0, "a page that no address space reaches");
        return (ulong)segment << PageBits | page;
    }

    private bool UsesPool(int segment) => _segments[segment].HugeShift == _defaultHugeShift;

    private bool TryAllocate(int segment, ulong page, bool write, out PageEntry entry)
    {
        entry = default;
        bool charges = _segments[segment].NoReserve != 0;
        if (charges && !_commit.Allows(1, returned: LateCharge(segment)))
        {
            Settle(segment);
            return false;
        }

        int frame = _frames.Take(TagOf(segment, page));
        if (frame < 0)
        {
            return false;
        }

        if (charges)
        {
            ChargePage(segment);
        }

        CountResident(segment, 1);
        entry = PageEntry.InFrame(frame, write, content: 0);
        return true;
    }

    private bool TrySwapIn(int segment, ulong page, ref PageEntry entry)
    {
        int slot = entry.Number;
        int frame = _swap.CachedFrame(slot);
        if (frame >= 0)
        {
            _swap.RemoveFromCache(slot);
        }
        else if ((frame = _frames.Take(TagOf(segment, page))) < 0)
        {
            return false;
        }

        _swap.Give(slot);
        CountSwapped(segment, -1);
        CountResident(segment, 1);
        Settle(segment);
        entry = PageEntry.InFrame(frame, dirty: true, entry.Content);
        return true;
    }

    private void PunchNormal(int segment, ulong first, ulong end)
    {
        RadixTree pages = _segments.Pages(segment);
        bool whole = first == 0 && end == ulong.MaxValue;
        int resident = 0;
        int swapped = 0;
        ulong page = first;
        for (; pages.Next(ref page, out ulong word) && page < end; page++)
        {
            var entry = new PageEntry(word);
            Debug.Assert(entry.Mappers == 0, "still mapped");
            bool isResident = entry.Kind == PageKind.Resident;
            resident += isResident ? 1 : 0;
            swapped += isResident ? 0 : 1;
            Free(entry);
            if (!whole)
            {
                pages[page] = 0;
            }
        }

        if (whole)
        {
            pages.Clear();
        }

        CountResident(segment, -resident);
        CountSwapped(segment, -swapped);
    }

    private void PunchHuge(int segment, ulong first, ulong end)
    {
        RadixTree pages = _segments.Pages(segment);
        ulong page = first;
        for (; pages.Next(ref page, out ulong word) && page < end; page++)
        {
            var entry = new PageEntry(word);
            if (entry.Kind == PageKind.Resident)
            {
                FreeHuge(segment, entry);
                bool reserved = _segments[segment].NoReserve == 0;
                _segments.Change(segment).LostEntries += reserved ? 1u : 0u;
                pages[page] = reserved ? PageEntry.Lost.Word : 0;
            }
        }
    }

    private void Free(PageEntry entry)
    {
        if (entry.Kind == PageKind.Resident)
        {
            _frames.Give(entry.Number);
            return;
        }

        DropCopy(entry);
        _swap.Give(entry.Number);
    }

    private void FreeHuge(int segment, PageEntry entry)
    {
        Debug.Assert(entry.Mappers == 0, "still mapped");
        _pool.Give(entry.Number);
        CountHuge(segment, -1);
    }

    private void CountResident(int segment, int change)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        row.Resident += (ulong)change;
        _namespaces.Change(row.Namespace).ResidentPages += (ulong)change;
        _resident.Value += (ulong)change;
    }

    private void CountHuge(int segment, int change)
    {
        _segments.Change(segment).Resident += (ulong)change;
        _namespaces.Change(_segments[segment].Namespace).ResidentPages +=
            (ulong)(change * _frames.RunLength);
        _hugeResident.Value += (ulong)change;
    }

    private void CountSwapped(int segment, int change)
    {
        if (change == 0)
        {
            return;
        }

        ref SegmentRow row = ref _segments.Change(segment);
        ulong before = row.Swapped;
        ulong after = before + (ulong)change;
        row.Swapped = after;
        _namespaces.Change(row.Namespace).SwappedPages += (ulong)change;
        if (before == 0)
        {
            _swapped.Add(segment);
        }
        else if (after == 0)
        {
            _swapped.Remove(segment);
        }
    }

    /// <summary>Charges a page that is allocated without a promise, as the rule allows when what is
    /// late in going back has gone.</summary>
    private void ChargePage(int segment)
    {
        Settle(segment);
        bool done = _commit.TryCharge(1);
        Debug.Assert(done, "refused what was allowed");
        _segments.Change(segment).Allocated++;
    }

    /// <summary>Gives back the charges of pages that were dropped behind the object's back
    /// (shmem_recalc_inode): that happens only when it next allocates, swaps or frees one.
    /// </summary>
    private void Settle(int segment)
    {
        ulong late = LateCharge(segment);
        if (late > 0)
        {
            _segments.Change(segment).Allocated -= late;
            _commit.Uncharge(late);
        }
    }

    /// <summary>Pages that are charged for an object and that it has no more.</summary>
    private ulong LateCharge(int segment)
    {
        ref readonly SegmentRow row = ref _segments[segment];
        ulong held = row.Swapped + row.Resident;
        return row.NoReserve != 0 && row.Allocated > held ? row.Allocated - held : 0;
    }
}
