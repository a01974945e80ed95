using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The mappings of all address spaces, one row each, and the lists of those of each
/// segment.</summary>
internal sealed class MappingTable
{
    private readonly Rows _rows;
    private readonly SpaceTable _spaces;
    private readonly SegmentTable _segments;
    private readonly AttachTable _attaches;
    private readonly int _pageShift;

    public MappingTable(
        StateStore store, SpaceTable spaces, SegmentTable segments, AttachTable attaches,
        int pageShift)
    {
        _rows = new Rows(store);
        _spaces = spaces;
        _segments = segments;
        _attaches = attaches;
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

    public Column<int> Space { get; }

    /// <summary>The attach that is mapped, 0 for private memory.</summary>
    public Column<int> Attach { get; }

    /// <summary>Memory policy, 0 for the default.</summary>
    public Column<int> Policy { get; }

    /// <summary>What the written pages of private memory belong to (anon_vma), 0 before the
    /// first write: mappings with different owners never merge.</summary>
    public Column<int> PageOwner { get; }

    /// <summary>The owner has ancestors, through fork.</summary>
    public Column<byte> ForkChild { get; }

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
        RadixTree mappings = _spaces.Mappings(space);
        ulong key = address >> _pageShift;
        if (mappings.Previous(ref key, out ulong before) && End[(int)before] > address)
        {
            return (int)before;
        }

        key = address >> _pageShift;
        return mappings.Next(ref key, out ulong after) ? (int)after : 0;
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
    public int Following(int mapping) => Find(Space[mapping], End[mapping]);

    /// <summary>Adds a mapping, all of whose other cells the caller fills in.</summary>
    public int Add(int space, ulong start, ulong end, int attach)
    {
        Debug.Assert(start < end && FindWithin(space, start, end) == 0, "not free");
        int mapping = _rows.Take();
        Start[mapping] = start;
        End[mapping] = end;
        Space[mapping] = space;
        Attach[mapping] = attach;
        Link(mapping);
        RadixTree mappings = _spaces.Mappings(space);
        mappings[start >> _pageShift] = (ulong)mapping;
        Fill(space, start, end);
        return mapping;
    }

    public void Remove(int mapping)
    {
        RadixTree mappings = _spaces.Mappings(Space[mapping]);
        mappings[FirstPage(mapping)] = 0;
        Vacate(Space[mapping], Start[mapping]);
        Unlink(mapping);
        _rows.Give(mapping);
    }

    /// <summary>Moves the start of a mapping; the object's pages stay where they are.</summary>
    public void MoveStart(int mapping, ulong start)
    {
        RadixTree mappings = _spaces.Mappings(Space[mapping]);
        mappings[FirstPage(mapping)] = 0;
        Offset[mapping] += (start >> _pageShift) - FirstPage(mapping);
        ulong before = Start[mapping];
        Start[mapping] = start;
        mappings[start >> _pageShift] = (ulong)mapping;
        Resized(mapping, start, before);
    }

    /// <summary>Moves the end of a mapping.</summary>
    public void MoveEnd(int mapping, ulong end)
    {
        ulong before = End[mapping];
        End[mapping] = end;
        Resized(mapping, before, end);
    }

    /// <summary>Lowest free, aligned place for a mapping that the kernel may put where it likes:
    /// above the window, or else below it.</summary>
    /// <returns>The address, or 0 when nothing is free.</returns>
    public ulong FindFree(int space, ulong length, ulong alignment, ulong lowest, ulong highest)
    {
        ulong address = Align(lowest, alignment);
        while (address <= highest && length <= highest - address)
        {
            int next = FindWithin(space, address, address + length);
            if (next == 0)
            {
                return address;
            }

            address = Align(End[next], alignment);
        }

        return 0;
    }

    private static ulong Align(ulong address, ulong alignment) =>
        (address + alignment - 1) & ~(alignment - 1);

    private void Resized(int mapping, ulong low, ulong high)
    {
        if (low < high)
        {
            Fill(Space[mapping], low, high);
        }
        else
        {
            Vacate(Space[mapping], high);
        }
    }

    private void Fill(int space, ulong start, ulong end)
    {
        ulong gap = _spaces.LowestGap[space];
        if (start <= gap && gap < end)
        {
            _spaces.LowestGap[space] = end;
        }
    }

    private void Vacate(int space, ulong start)
    {
        ulong floor = MachineConfig.WindowStart + MachineConfig.WindowLength;
        if (start < _spaces.LowestGap[space])
        {
            _spaces.LowestGap[space] = Math.Max(start, floor);
        }
    }

    private void Link(int mapping)
    {
        int segment = SegmentOf(mapping);
        if (segment == 0)
        {
            return;
        }

        _attaches.References[Attach[mapping]]++;
        int first = _segments.FirstMapping[segment];
        NextOfSegment[mapping] = first;
        PreviousOfSegment[mapping] = 0;
        PreviousOfSegment[first] = mapping;
        _segments.FirstMapping[segment] = mapping;
    }

    private void Unlink(int mapping)
    {
        int segment = SegmentOf(mapping);
        if (segment == 0)
        {
            return;
        }

        int next = NextOfSegment[mapping];
        int previous = PreviousOfSegment[mapping];
        PreviousOfSegment[next] = previous;
        NextOfSegment[previous] = next;
        if (previous == 0)
        {
            _segments.FirstMapping[segment] = next;
        }

        _attaches.Drop(Attach[mapping]);
    }
}
