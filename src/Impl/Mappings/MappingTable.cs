using System.Diagnostics;

namespace ShmCheck.Impl;

/// <summary>The mappings of all address spaces, one row each, and the lists of those of each
/// segment.</summary>
internal sealed class MappingTable
{
    /// <summary>Log2 of the pages that share a hint.</summary>
    private const int NearShift = 3;

    private const int Hints = 256;

    private readonly Rows _rows;
    private readonly SpaceTable _spaces;
    private readonly SegmentTable _segments;
    private readonly AttachTable _attaches;
    private readonly GapTable _gaps;
    private readonly int _pageShift;
    private readonly int[] _lastFound = new int[Hints];

    public MappingTable(
        StateStore store, SpaceTable spaces, SegmentTable segments, AttachTable attaches,
        GapTable gaps, int pageShift)
    {
        _rows = new Rows(store);
        _spaces = spaces;
        _segments = segments;
        _attaches = attaches;
        _gaps = gaps;
        _pageShift = pageShift;
        Start = store.NewColumn<ulong>();
        End = store.NewColumn<ulong>();
        Offset = store.NewColumn<ulong>();
        Flags = store.NewColumn<int>();
        Space = store.NewColumn<int>();
        Attach = store.NewColumn<int>();
        Policy = store.NewColumn<int>();
        PageOwner = store.NewColumn<int>();
        ForkChild = store.NewColumn<byte>();
        NextInSpace = store.NewColumn<int>();
        PreviousInSpace = store.NewColumn<int>();
        NextOfSegment = store.NewColumn<int>();
        PreviousOfSegment = store.NewColumn<int>();
    }

    /// <summary>First address.</summary>
    public Column<ulong> Start { get; }

    /// <summary>Address behind the last.</summary>
    public Column<ulong> End { get; }

    /// <summary>Page of the object at the start, in base pages; of private memory, what keeps
    /// its pages in order when it is moved.</summary>
    public Column<ulong> Offset { get; }

    /// <summary><see cref="MappingFlags"/>.</summary>
    public Column<int> Flags { get; }

    /// <summary>The address space, 0 in a row that is not in use.</summary>
    public Column<int> Space { get; }

    /// <summary>The attach that is mapped, 0 for private memory.</summary>
    public Column<int> Attach { get; }

    /// <summary>Memory policy, 0 for the default.</summary>
    public Column<int> Policy { get; }

    /// <summary>What the written pages of private memory belong to (anon_vma), 0 before the
    /// first write, in an attach, and in a row that is not in use: mappings with different owners
    /// never merge.</summary>
    public Column<int> PageOwner { get; }

    /// <summary>The owner has ancestors, through fork; 0 where there is none.</summary>
    public Column<byte> ForkChild { get; }

    /// <summary>The mapping behind this one, 0 if none.</summary>
    public Column<int> NextInSpace { get; }

    public Column<int> PreviousInSpace { get; }
    public Column<int> NextOfSegment { get; }
    public Column<int> PreviousOfSegment { get; }

    public int Count => _rows.Count;

    public MappingFlags FlagsOf(int mapping) => (MappingFlags)Flags[mapping];

    public bool Has(int mapping, MappingFlags any) => ((MappingFlags)Flags[mapping] & any) != 0;

    /// <summary>The segment that is mapped, 0 for private memory.</summary>
    public int SegmentOf(int mapping) => _attaches.Segment[Attach[mapping]];

    public bool IsPrivate(int mapping) => Attach[mapping] == 0;

    public ulong FirstPage(int mapping) => Start[mapping] >> _pageShift;

    public ulong EndPage(int mapping) => End[mapping] >> _pageShift;

    public ulong PagesOf(int mapping) => (End[mapping] - Start[mapping]) >> _pageShift;

    /// <summary>Page of the object that a page of the address space shows.</summary>
    public ulong ObjectPage(int mapping, ulong page) =>
        page - FirstPage(mapping) + Offset[mapping];

    /// <summary>The lowest mapping that ends above an address, 0 if none (find_vma).</summary>
    public int Find(int space, ulong address)
    {
        int before = LastUpTo(space, address);
        return before == 0 ? _spaces.FirstMapping[space]
            : End[before] > address ? before : NextInSpace[before];
    }

    /// <summary>The mapping of an address, 0 if none.</summary>
    public int At(int space, ulong address)
    {
        int mapping = Find(space, address);
        return mapping != 0 && Start[mapping] <= address ? mapping : 0;
    }

    /// <summary>The lowest mapping that overlaps [<paramref name="start"/>,
    /// <paramref name="end"/>), 0 if none.</summary>
    public int FindWithin(int space, ulong start, ulong end)
    {
        int mapping = Find(space, start);
        return mapping != 0 && Start[mapping] < end ? mapping : 0;
    }

    /// <summary>The mapping that ends exactly at an address, 0 if none.</summary>
    public int EndingAt(int space, ulong address)
    {
        ulong key = (address >> _pageShift) - 1;
        return address != 0 && _spaces.Mappings(space).Previous(ref key, out ulong before)
            && End[(int)before] == address ? (int)before : 0;
    }

    /// <summary>The mapping that starts exactly at an address, 0 if none.</summary>
    public int StartingAt(int space, ulong address) =>
        (int)_spaces.Mappings(space)[address >> _pageShift];

    /// <summary>The mapping behind one, 0 if none.</summary>
    public int Following(int mapping) => NextInSpace[mapping];

    /// <summary>Adds a mapping, all of whose other cells the caller fills in.</summary>
    public int Add(int space, ulong start, ulong end, int attach)
    {
        Debug.Assert(start < end && FindWithin(space, start, end) == 0, "not free");
        int before = LastUpTo(space, start);
        int mapping = _rows.Take();
        Start[mapping] = start;
        End[mapping] = end;
        Space[mapping] = space;
        Attach[mapping] = attach;
        Link(mapping, attach);
        LinkBehind(space, before, mapping, start, end);
        RadixTree mappings = _spaces.Mappings(space);
        mappings[start >> _pageShift] = (ulong)mapping;
        HintFor(start >> _pageShift) = mapping;
        return mapping;
    }

    public void Remove(int mapping)
    {
        RadixTree mappings = _spaces.Mappings(Space[mapping]);
        mappings[FirstPage(mapping)] = 0;
        HintFor(FirstPage(mapping)) = PreviousInSpace[mapping];
        Unlink(mapping);
        UnlinkInSpace(mapping);
        _rows.Give(mapping);
    }

    /// <summary>Moves the start of a mapping; the object's pages stay where they are.</summary>
    public void MoveStart(int mapping, ulong start)
    {
        RadixTree mappings = _spaces.Mappings(Space[mapping]);
        mappings[FirstPage(mapping)] = 0;
        Offset[mapping] += (start >> _pageShift) - FirstPage(mapping);
        int previous = PreviousInSpace[mapping];
        RemoveGap(previous, mapping);
        Start[mapping] = start;
        AddGap(previous, mapping);
        mappings[start >> _pageShift] = (ulong)mapping;
    }

    /// <summary>Moves the end of a mapping.</summary>
    public void MoveEnd(int mapping, ulong end)
    {
        int next = NextInSpace[mapping];
        RemoveGap(mapping, next);
        End[mapping] = end;
        AddGap(mapping, next);
    }

    /// <summary>Free, aligned place in a range of addresses: the lowest one, unless many gaps
    /// before it are only just too short (<see cref="GapTable"/>).</summary>
    /// <returns>The address, or 0 when nothing is free.</returns>
    public ulong FindFree(int space, ulong length, ulong alignment, ulong lowest, ulong highest)
    {
        ulong place = Align(lowest, alignment);
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

        place = Align(Math.Max(lowest, End[_spaces.LastMapping[space]]), alignment);
        place = Within(place, length, highest);
        return place == 0 && _gaps.TryFind(space, pages, step, first, int.MaxValue, out page)
            ? Within(page << _pageShift, length, highest) : place;
    }

    private static ulong Within(ulong place, ulong length, ulong highest) =>
        place <= highest && length <= highest - place ? place : 0;

    private static ulong Align(ulong address, ulong alignment) =>
        (address + alignment - 1) & ~(alignment - 1);

    /// <summary>Notes what is free between two neighbours, of which either may be none.</summary>
    private void AddGap(int before, int after)
    {
        if (before != 0 && after != 0)
        {
            _gaps.Add(Space[before], EndPage(before), FirstPage(after));
        }
    }

    private void RemoveGap(int before, int after)
    {
        if (before != 0 && after != 0)
        {
            _gaps.Remove(Space[before], EndPage(before), FirstPage(after));
        }
    }

    /// <summary>The last mapping that starts at or before an address, 0 if none. Most calls are
    /// near the one before: what was found last near an address is tried first.</summary>
    private int LastUpTo(int space, ulong address)
    {
        ulong key = address >> _pageShift;
        ref int hint = ref HintFor(key);
        int next = NextInSpace[hint];
        if (Space[hint] == space && Start[hint] <= address
            && (next == 0 || Start[next] > address))
        {
            return hint;
        }

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

    private void LinkBehind(int space, int before, int mapping, ulong start, ulong end)
    {
        int next = before != 0 ? NextInSpace[before] : _spaces.FirstMapping[space];
        NextInSpace[mapping] = next;
        PreviousInSpace[mapping] = before;
        SetNeighbours(space, before, mapping, mapping, next);
        if (next != 0)
        {
            RemoveGap(before, next);
            _gaps.Add(space, end >> _pageShift, FirstPage(next));
        }

        if (before != 0)
        {
            _gaps.Add(space, EndPage(before), start >> _pageShift);
        }
    }

    private void UnlinkInSpace(int mapping)
    {
        int next = NextInSpace[mapping];
        int previous = PreviousInSpace[mapping];
        int space = Space[mapping];
        SetNeighbours(space, previous, next, previous, next);
        if (previous != 0)
        {
            _gaps.Remove(space, EndPage(previous), FirstPage(mapping));
        }

        if (next != 0)
        {
            _gaps.Remove(space, EndPage(mapping), FirstPage(next));
            AddGap(previous, next);
        }

        Space[mapping] = 0;
    }

    /// <summary>Gives <paramref name="before"/> a mapping behind it, and <paramref name="after"/>
    /// one before it; none stands for the end of the list.</summary>
    private void SetNeighbours(int space, int before, int behindIt, int beforeIt, int after)
    {
        Column<int> behind = before != 0 ? NextInSpace : _spaces.FirstMapping;
        behind[before != 0 ? before : space] = behindIt;
        Column<int> ahead = after != 0 ? PreviousInSpace : _spaces.LastMapping;
        ahead[after != 0 ? after : space] = beforeIt;
    }

    private void Link(int mapping, int attach)
    {
        if (attach == 0)
        {
            return;
        }

        int segment = _attaches.Segment[attach];
        _attaches.References[attach]++;
        int first = _segments.FirstMapping[segment];
        NextOfSegment[mapping] = first;
        PreviousOfSegment[mapping] = 0;
        PreviousOfSegment[first] = mapping;
        _segments.FirstMapping[segment] = mapping;
    }

    private void Unlink(int mapping)
    {
        int attach = Attach[mapping];
        if (attach == 0)
        {
            PageOwner[mapping] = 0;
            ForkChild[mapping] = 0;
            return;
        }

        int next = NextOfSegment[mapping];
        int previous = PreviousOfSegment[mapping];
        PreviousOfSegment[next] = previous;
        NextOfSegment[previous] = next;
        if (previous == 0)
        {
            _segments.FirstMapping[_attaches.Segment[attach]] = next;
        }

        _attaches.Drop(attach);
    }
}
