using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>The mappings of all address spaces, one row each, and the lists of those of each
/// segment.</summary>
internal sealed class MappingTable : Table<MappingRow>
{
    /// <summary>Log2 of the pages that share a hint.</summary>
    private const int NearShift = 3;

    private const int Hints = 256;

    private readonly SpaceTable _spaces;
    private readonly SegmentTable _segments;
    private readonly AttachTable _attaches;
    private readonly GapTable _gaps;
    private readonly int _pageShift;
    private readonly int[] _lastFound = new int[Hints];

    public MappingTable(
        StateStore store, SpaceTable spaces, SegmentTable segments, AttachTable attaches,
        GapTable gaps, int pageShift)
        : base(store)
    {
        _spaces = spaces;
        _segments = segments;
        _attaches = attaches;
        _gaps = gaps;
        _pageShift = pageShift;
    }

    public MappingFlags FlagsOf(int mapping) => (MappingFlags)this[mapping].Flags;

    public bool Has(int mapping, MappingFlags any) => this[mapping].Has(any);

    /// <summary>The segment that is mapped, 0 for private memory.</summary>
    public int SegmentOf(int mapping) => SegmentOf(in this[mapping]);

    /// <summary>The segment that is mapped, 0 for private memory.</summary>
    public int SegmentOf(in MappingRow mapping) => _attaches[mapping.Attach].Segment;

    public bool IsPrivate(int mapping) => this[mapping].IsPrivate;

    public ulong FirstPage(int mapping) => this[mapping].Start >> _pageShift;

    public ulong EndPage(int mapping) => this[mapping].End >> _pageShift;

    public ulong PagesOf(int mapping) => (this[mapping].End - this[mapping].Start) >> _pageShift;

    /// <summary>Page of the object that a page of the address space shows.</summary>
    public ulong ObjectPage(int mapping, ulong page) => ObjectPage(in this[mapping], page);

    /// <summary>Page of the object that a page of the address space shows.</summary>
    public ulong ObjectPage(in MappingRow mapping, ulong page) =>
        page - (mapping.Start >> _pageShift) + mapping.Offset;

    /// <summary>The lowest mapping that ends above an address, 0 if none (find_vma).</summary>
    public int Find(int space, ulong address)
    {
        int before = LastUpTo(space, address);
        if (before == 0)
        {
            return _spaces[space].FirstMapping;
        }

        ref readonly MappingRow row = ref this[before];
        return row.End > address ? before : row.NextInSpace;
    }

    /// <summary>The mapping of an address; where there is none, row 0, which has no flags.
    /// </summary>
    public ref readonly MappingRow RowAt(int space, ulong address)
    {
        ref readonly MappingRow near = ref this[HintFor(address >> _pageShift)];
        return ref near.Space == space && near.Start <= address && address < near.End
            ? ref near : ref this[At(space, address)];
    }

    /// <summary>The mapping of an address, 0 if none.</summary>
    public int At(int space, ulong address)
    {
        int before = LastUpTo(space, address);
        return before != 0 && this[before].End > address ? before : 0;
    }

    /// <summary>The lowest mapping that overlaps [<paramref name="start"/>,
    /// <paramref name="end"/>), 0 if none.</summary>
    public int FindWithin(int space, ulong start, ulong end)
    {
        int mapping = Find(space, start);
        return mapping != 0 && this[mapping].Start < end ? mapping : 0;
    }

    /// <summary>The mapping that ends exactly at an address, 0 if none.</summary>
    public int EndingAt(int space, ulong address)
    {
        ulong key = (address >> _pageShift) - 1;
        return address != 0 && _spaces.Mappings(space).Previous(ref key, out ulong before)
            && this[(int)before].End == address ? (int)before : 0;
    }

    /// <summary>The mapping that starts exactly at an address, 0 if none.</summary>
    public int StartingAt(int space, ulong address) =>
        (int)_spaces.Mappings(space)[address >> _pageShift];

    /// <summary>The mapping behind one, 0 if none.</summary>
    public int Following(int mapping) => this[mapping].NextInSpace;

    /// <summary>Adds a mapping, all of whose other fields the caller fills in.</summary>
    public int Add(int space, ulong start, ulong end, int attach)
    {
        Debug.Assert(start < end && FindWithin(space, start, end) == 0, "not free");
        int before = LastUpTo(space, start);
        int mapping = Take();
        ref MappingRow row = ref Change(mapping);
        row.Start = start;
        row.End = end;
        row.Space = space;
        row.Attach = attach;
        Link(mapping, ref row);
        LinkBehind(before, mapping, ref row);
        RadixTree mappings = _spaces.Mappings(space);
        mappings[start >> _pageShift] = (ulong)mapping;
        HintFor(start >> _pageShift) = mapping;
        return mapping;
    }

    public void Remove(int mapping)
    {
        ref MappingRow row = ref Change(mapping);
        ulong first = row.Start >> _pageShift;
        RadixTree mappings = _spaces.Mappings(row.Space);
        mappings[first] = 0;
        HintFor(first) = row.PreviousInSpace;
        Unlink(ref row);
        UnlinkInSpace(ref row);
        Give(mapping);
    }

    /// <summary>Moves the start of a mapping; the object's pages stay where they are.</summary>
    public void MoveStart(int mapping, ulong start)
    {
        RadixTree mappings = _spaces.Mappings(this[mapping].Space);
        mappings[FirstPage(mapping)] = 0;
        Change(mapping).Offset += (start >> _pageShift) - FirstPage(mapping);
        int previous = this[mapping].PreviousInSpace;
        RemoveGap(previous, mapping);
        Change(mapping).Start = start;
        AddGap(previous, mapping);
        mappings[start >> _pageShift] = (ulong)mapping;
    }

    /// <summary>Moves the end of a mapping.</summary>
    public void MoveEnd(int mapping, ulong end)
    {
        int next = this[mapping].NextInSpace;
        RemoveGap(mapping, next);
        Change(mapping).End = end;
        AddGap(mapping, next);
    }

    /// <summary>Free, aligned place in a range of addresses: the lowest one, unless many gaps
    /// before it are only just too short (<see cref="GapTable"/>).</summary>
    /// <returns>The address, or 0 when nothing is free.</returns>
    public ulong FindFree(int space, ulong length, ulong alignment, ulong lowest, ulong highest)
    {
        ulong place = GapTable.Align(lowest, alignment);
        if (place > highest || FindWithin(space, place, place + length) == 0)
        {
            return Within(place, length, highest);
        }

        ulong pages = length >> _pageShift;
        ulong step = alignment >> _pageShift;
        ulong first = lowest >> _pageShift;
        if (_gaps.TryFind(space, pages, step, first, GapTable.FewLooks, out ulong page))
        {
            return Within(page << _pageShift, length, highest);
        }

        place = GapTable.Align(Math.Max(lowest, this[_spaces[space].LastMapping].End), alignment);
        place = Within(place, length, highest);
        return place == 0 && _gaps.TryFind(space, pages, step, first, int.MaxValue, out page)
            ? Within(page << _pageShift, length, highest) : place;
    }

    private static ulong Within(ulong place, ulong length, ulong highest) =>
        place <= highest && length <= highest - place ? place : 0;

    /// <summary>Notes what is free between two neighbours, of which either may be none.</summary>
    private void AddGap(int before, int after)
    {
        if (before != 0 && after != 0)
        {
            _gaps.Add(this[before].Space, EndPage(before), FirstPage(after));
        }
    }

    private void RemoveGap(int before, int after)
    {
        if (before != 0 && after != 0)
        {
            _gaps.Remove(this[before].Space, EndPage(before), FirstPage(after));
        }
    }

    /// <summary>The last mapping that starts at or before an address, 0 if none. Most calls are
    /// near the one before: what was found last near an address is tried first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int LastUpTo(int space, ulong address)
    {
        int hint = HintFor(address >> _pageShift);
        ref readonly MappingRow row = ref this[hint];
        return row.Space == space && row.Start <= address
            && (address < row.End || row.NextInSpace == 0
                || address < this[row.NextInSpace].Start)
            ? hint : SearchLastUpTo(space, address);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int SearchLastUpTo(int space, ulong address)
    {
        ulong key = address >> _pageShift;
        ref int hint = ref HintFor(key);
        if (!_spaces.Mappings(space).Previous(ref key, out ulong before))
        {
            return 0;
        }

        hint = (int)before;
        return hint;
    }

    /// <summary>What <see cref="LastUpTo"/> tries first for a page; it need not be right.
    /// </summary>
    private ref int HintFor(ulong page) =>
        ref _lastFound[(int)(page >> NearShift) & (Hints - 1)];

    private void LinkBehind(int before, int mapping, ref MappingRow row)
    {
        int space = row.Space;
        int next = before != 0 ? this[before].NextInSpace : _spaces[space].FirstMapping;
        row.NextInSpace = next;
        row.PreviousInSpace = before;
        SetNeighbours(space, before, mapping, mapping, next);
        if (next != 0)
        {
            RemoveGap(before, next);
            _gaps.Add(space, row.End >> _pageShift, FirstPage(next));
        }

        if (before != 0)
        {
            _gaps.Add(space, EndPage(before), row.Start >> _pageShift);
        }
    }

    private void UnlinkInSpace(ref MappingRow row)
    {
        int next = row.NextInSpace;
        int previous = row.PreviousInSpace;
        int space = row.Space;
        SetNeighbours(space, previous, next, previous, next);
        if (previous != 0)
        {
            _gaps.Remove(space, EndPage(previous), row.Start >> _pageShift);
        }

        if (next != 0)
        {
            _gaps.Remove(space, row.End >> _pageShift, FirstPage(next));
            AddGap(previous, next);
        }

        row.Space = 0;
    }

    /// <summary>Gives <paramref name="before"/> a mapping behind it, and <paramref name="after"/>
    /// one before it; none stands for the end of the list.</summary>
    private void SetNeighbours(int space, int before, int behindIt, int beforeIt, int after)
    {
        (before != 0 ? ref Change(before).NextInSpace
            : ref _spaces.Change(space).FirstMapping) = behindIt;
        (after != 0 ? ref Change(after).PreviousInSpace
            : ref _spaces.Change(space).LastMapping) = beforeIt;
    }

    private void Link(int mapping, ref MappingRow row)
    {
        if (row.Attach == 0)
        {
            return;
        }

        ref AttachRow attach = ref _attaches.Change(row.Attach);
        attach.References++;
        ref int first = ref _segments.Change(attach.Segment).FirstMapping;
        row.NextOfSegment = first;
        row.PreviousOfSegment = 0;
        Change(first).PreviousOfSegment = mapping;
        first = mapping;
    }

    private void Unlink(ref MappingRow row)
    {
        if (row.Attach == 0)
        {
            row.PageOwner = 0;
            row.ForkChild = 0;
            return;
        }

        int next = row.NextOfSegment;
        int previous = row.PreviousOfSegment;
        Change(next).PreviousOfSegment = previous;
        Change(previous).NextOfSegment = next;
        if (previous == 0)
        {
            _segments.Change(_attaches[row.Attach].Segment).FirstMapping = next;
        }

        _attaches.Drop(row.Attach);
    }
}
