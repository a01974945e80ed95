using System.Numerics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Pages and who maps them: faults, the removal of page table entries, and what takes
/// pages out of memory (mm/memory.c, mm/rmap.c, mm/vmscan.c).</summary>
internal sealed class Paging
{
    private readonly KernelRules _rules;
    private readonly SegmentTable _segments;
    private readonly SpaceTable _spaces;
    private readonly MappingTable _mappings;
    private readonly PageTables _tables;
    private readonly ObjectPages _pages;
    private readonly int _pageShift;

    public Paging(
        KernelRules rules, SegmentTable segments, SpaceTable spaces, MappingTable mappings,
        PageTables tables, ObjectPages pages, int pageShift)
    {
        _rules = rules;
        _segments = segments;
        _spaces = spaces;
        _mappings = mappings;
        _tables = tables;
        _pages = pages;
        _pageShift = pageShift;
    }

    /// <summary>Log2 of the base pages in one page of a segment's object.</summary>
    public int OrderOf(int segment) =>
        _segments.IsHuge(segment) ? _segments[segment].HugeShift - _pageShift : 0;

    /// <summary>Page of the object that a page of a mapping shows, in the object's own pages.
    /// </summary>
    public ulong IndexOf(int mapping, ulong page) =>
        _mappings.ObjectPage(mapping, page) >> OrderOf(_mappings.SegmentOf(mapping));

    /// <summary>Makes a page of an attach of a normal segment present, as a fault does.</summary>
    /// <param name="mapping">The attach.</param>
    /// <param name="segment">Its segment.</param>
    /// <param name="page">Page of the address space.</param>
    /// <param name="write">For writing. An entry that is present is writable already.</param>
    /// <param name="entry">The page as it was when it was present already, or as it was brought
    /// in.</param>
    /// <param name="content">What the page holds then, if that changes.</param>
    /// <returns>False when the fault is a bus error.</returns>
    public bool TryTouch(
        in MappingRow mapping, int segment, ulong page, bool write, out PageEntry entry,
        byte? content = null)
    {
        ulong index = _mappings.ObjectPage(in mapping, page);
        int space = mapping.Space;
        EntryWord around = _tables.Around(space, page, out int cell);
        RadixTree pages = _segments.Pages(segment);
        int place = pages.CellOf(index);
        entry = new PageEntry(pages.At(place));
        if (around.IsPresent(page))
        {
            if (write && !around.IsDirty(page))
            {
                _tables.Set(space, page, around, cell, dirty: true);
            }

            if (content is { } changed && entry.Content != changed)
            {
                pages.Replace(place, entry.WithContent(changed).Word);
            }

            return true;
        }

        if (!_pages.TryFault(segment, index, write, ref entry))
        {
            return false;
        }

        entry = content is { } value ? entry.WithContent(value) : entry;
        pages.Set(place, index, entry.Mapped().Word);
        _tables.Set(space, page, around, cell, write);
        _spaces.Change(space).SharedPages++;
        return true;
    }

    /// <summary>Makes a page of an attach of a huge segment present, as a fault does.</summary>
    /// <param name="mapping">The attach.</param>
    /// <param name="segment">Its segment.</param>
    /// <param name="page">A base page of the address space.</param>
    /// <returns>False when the fault is a bus error.</returns>
    public bool TryTouchHuge(in MappingRow mapping, int segment, ulong page)
    {
        int space = mapping.Space;
        int order = OrderOf(segment);
        ulong slot = page >> order << order;
        EntryWord around = _tables.Around(space, slot, out int cell);
        if (around.IsPresent(slot))
        {
            return true;
        }

        ulong index = _mappings.ObjectPage(in mapping, slot) >> order;
        if (!_pages.TryFaultHuge(segment, index, out PageEntry entry))
        {
            return false;
        }

        _pages.Put(segment, index, entry.Mapped());
        _tables.Set(space, slot, around, cell, dirty: false);
        _spaces.Change(space).HugeEntries++;
        return true;
    }

    /// <summary>Makes a page of an attach present, as the kernel does for whole ranges: a page
    /// that has an entry is marked dirty itself, not through the entry (FOLL_TOUCH).</summary>
    /// <returns>False when the fault is a bus error.</returns>
    public bool TryPopulate(int mapping, ulong page, bool write)
    {
        int segment = _mappings.SegmentOf(mapping);
        if (_segments.IsHuge(segment))
        {
            return TryTouchHuge(in _mappings[mapping], segment, page);
        }

        EntryWord around = _tables.Around(_mappings[mapping].Space, page);
        if (!around.IsPresent(page))
        {
            return TryTouch(in _mappings[mapping], segment, page, write, out _);
        }

        if (write && !around.IsDirty(page))
        {
            ulong index = IndexOf(mapping, page);
            _pages.Put(segment, index, _pages.At(segment, index).Dirtied());
        }

        return true;
    }

    /// <summary>Removes the entries of a range of a mapping; the pages stay.</summary>
    public void Zap(in MappingRow mapping, ulong first, ulong end)
    {
        int space = mapping.Space;
        int segment = _mappings.SegmentOf(in mapping);
        int order = OrderOf(segment);
        RadixTree pages = _segments.Pages(segment);
        ulong gone = 0;
        ulong page = first;
        for (; _tables.RemoveNext(space, ref page, end, out EntryWord removed);
            page += EntryWord.Pages)
        {
            for (uint rest = removed.Present; rest != 0; rest &= rest - 1, gone++)
            {
                ulong slot = page + (uint)BitOperations.TrailingZeroCount(rest);
                int cell = pages.CellOf(_mappings.ObjectPage(in mapping, slot) >> order);
                var entry = new PageEntry(pages.At(cell));
                pages.Replace(cell, entry.Unmapped(removed.IsDirty(slot)).Word);
            }
        }

        if (gone > 0)
        {
            CounterOf(segment, space) -= gone;
        }
    }

    /// <summary>Gives another mapping the entries of a range of one, at the same pages of the
    /// object (copy_hugetlb_page_range).</summary>
    public void CopyEntries(int from, int to)
    {
        ulong page = _mappings.FirstPage(from);
        int segment = _mappings.SegmentOf(from);
        ulong end = _mappings.EndPage(from);
        int parent = _mappings[from].Space;
        int space = _mappings[to].Space;
        for (; _tables.Next(parent, ref page, end, out _); page++)
        {
            ulong index = IndexOf(from, page);
            _pages.Put(segment, index, _pages.At(segment, index).Mapped());
            _tables.Set(space, page, dirty: false);
            CounterOf(segment, space)++;
        }
    }

    /// <summary>Moves the entries of a range of an address space to another place in it.
    /// </summary>
    public void MoveEntries(int space, ulong first, ulong end, ulong target)
    {
        for (ulong page = first; _tables.Next(space, ref page, end, out bool dirty); page++)
        {
            _tables.Remove(space, page);
            _tables.Set(space, page - first + target, dirty);
        }
    }

    /// <summary>MADV_PAGEOUT of a range of a mapping: reclaims what only this mapping maps.
    /// </summary>
    public void PageOut(int mapping, ulong first, ulong end)
    {
        int segment = _mappings.SegmentOf(mapping);
        if (_segments.Has(segment, SegmentMode.SHM_LOCKED))
        {
            return;
        }

        int space = _mappings[mapping].Space;
        for (ulong page = first; _tables.Next(space, ref page, end, out _); page++)
        {
            ulong index = IndexOf(mapping, page);
            if (_pages.At(segment, index).Mappers == 1)
            {
                Unmap(mapping, page);
                _pages.Evict(segment, index, _pages.At(segment, index));
            }
        }
    }

    /// <summary>MADV_WILLNEED of a range of a mapping: reads swapped pages into the swap cache
    /// while frames last.</summary>
    public void Prefetch(int mapping, ulong first, ulong end)
    {
        int segment = _mappings.SegmentOf(mapping);
        RadixTree pages = _segments.Pages(segment);
        ulong index = _mappings.ObjectPage(mapping, first);
        ulong last = _mappings.ObjectPage(mapping, end - 1);
        for (; pages.Next(ref index, out ulong word) && index <= last; index++)
        {
            var entry = new PageEntry(word);
            if (entry.Kind == PageKind.Swapped && !_pages.TryPrefetch(segment, index, entry))
            {
                return;
            }
        }
    }

    /// <summary>Background reclaim of pages of a segment, whoever maps them.</summary>
    public void Reclaim(int segment, ulong first, ulong last)
    {
        if (_segments.IsHuge(segment))
        {
            return;
        }

        RadixTree pages = _segments.Pages(segment);
        bool locked = _segments.Has(segment, SegmentMode.SHM_LOCKED);
        ulong page = first;
        for (; pages.Next(ref page, out ulong word) && page <= last; page++)
        {
            var entry = new PageEntry(word);
            if (entry.Kind == PageKind.Swapped)
            {
                _pages.DropCopy(entry);
            }
            else if (!locked && !IsLockedByMapper(segment, page))
            {
                UnmapEverywhere(segment, page);
                _pages.Evict(segment, page, _pages.At(segment, page));
            }
        }
    }

    /// <summary>Frees a range of an object for everybody (MADV_REMOVE). Of a huge page that is
    /// removed in part, the bytes may be zeroed.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="first">First base page of the object.</param>
    /// <param name="end">Base page behind the last.</param>
    public void Punch(int segment, ulong first, ulong end)
    {
        int order = OrderOf(segment);
        ulong from = (first + (1ul << order) - 1) >> order;
        ulong to = end >> order;
        RadixTree pages = _segments.Pages(segment);
        ulong page = from;
        for (; pages.Next(ref page, out _) && page < to; page++)
        {
            UnmapEverywhere(segment, page);
        }

        if (order > 0)
        {
            bool parts = _rules.PunchZeroesParts;
            _segments.Bytes(segment).Zero(
                parts ? first : from << order, parts ? end : to << order);
        }

        _pages.Punch(segment, from, Math.Max(from, to));
    }

    /// <summary>The counter of an address space for the entries of a segment.</summary>
    private ref ulong CounterOf(int segment, int space)
    {
        ref SpaceRow counters = ref _spaces.Change(space);
        return ref _segments.IsHuge(segment) ? ref counters.HugeEntries
            : ref counters.SharedPages;
    }

    private void Unmap(int mapping, ulong page) =>
        Zap(in _mappings[mapping], page, page + 1);

    private void UnmapEverywhere(int segment, ulong index)
    {
        int mapping = _segments[segment].FirstMapping;
        for (; _pages.At(segment, index).Mappers > 0; mapping = _mappings[mapping].NextOfSegment)
        {
            if (TryFindEntry(mapping, segment, index, out ulong page))
            {
                Unmap(mapping, page);
            }
        }
    }

    private bool IsLockedByMapper(int segment, ulong index)
    {
        int left = _pages.At(segment, index).Mappers;
        int mapping = _segments[segment].FirstMapping;
        for (; left > 0; mapping = _mappings[mapping].NextOfSegment)
        {
            if (TryFindEntry(mapping, segment, index, out _))
            {
                left--;
                if (_mappings.Has(mapping, MappingFlags.Locked))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether a mapping has an entry for a page of its object, and where.</summary>
    private bool TryFindEntry(int mapping, int segment, ulong index, out ulong page)
    {
        ulong distance = (index << OrderOf(segment)) - _mappings[mapping].Offset;
        page = _mappings.FirstPage(mapping) + distance;
        return distance < _mappings.PagesOf(mapping)
            && _tables.Around(_mappings[mapping].Space, page).IsPresent(page);
    }
}
