using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Figures of a state counted from its tables alone: from segments and their pages, from
/// mappings and page table entries. Taken of one state after the other; keeps its memory.
/// </summary>
internal sealed class Census
{
    private readonly List<Segment> _segments = [];
    private readonly List<AddressSpace> _spaces = [];
    private ulong[] _attaches = [];
    private int[] _firstPages = [];
    private ulong[] _mappers = [];
    private ulong _chargedMappings;
    private ulong _chargedSegments;

    /// <summary>Segments that have come or changed since the state that was known to be good.
    /// </summary>
    public List<Segment> Segments => _segments;

    /// <summary>Address spaces likewise.</summary>
    public List<AddressSpace> Spaces => _spaces;

    public ulong Frames { get; private set; }

    public ulong Resident { get; private set; }

    public ulong Swapped { get; private set; }

    public ulong SwapCached { get; private set; }

    public ulong Huge { get; private set; }

    public ulong Promises { get; private set; }

    /// <summary>Committed memory in base pages.</summary>
    public ulong Committed => _chargedMappings + _chargedSegments;

    /// <summary>The first page table entry, by virtual page number, that lies in no mapping, or
    /// maps a page that is not resident.</summary>
    public ulong? Stray { get; private set; }

    /// <summary>The first page whose mapcount is another than the number of its entries, and
    /// that number.</summary>
    public (Segment Segment, ulong Page, ulong Counted)? Miscounted { get; private set; }

    /// <summary>Mappings of a segment, given by its row.</summary>
    public ulong Attaches(int row) => _attaches[row];

    /// <summary>Counts a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="good">A state in which all invariants hold, if one is known.</param>
    public void Take(SpecState state, SpecState? good)
    {
        _segments.Clear();
        _spaces.Clear();
        AddChanged(state.Segments, good?.Segments, _segments);
        AddChanged(state.Spaces, good?.Spaces, _spaces);
        (Frames, Resident, Swapped, SwapCached, Huge, Promises) = (0, 0, 0, 0, 0, 0);
        (_chargedMappings, _chargedSegments) = (0, 0);
        (Stray, Miscounted) = (null, null);
        CountSegments(state);
        foreach (AddressSpace space in state.Spaces.Rows)
        {
            CountSpace(state, space);
        }

        CompareMappers(state);
    }

    private static void AddChanged<T>(Table<T> table, Table<T>? good, List<T> changed)
        where T : class
    {
        if (ReferenceEquals(table, good))
        {
            return;
        }

        for (int row = 0; row < table.Count; row++)
        {
            if (good is null || !good.TryGet(table.Keys[row], out T? before)
                || !ReferenceEquals(before, table.Rows[row]))
            {
                changed.Add(table.Rows[row]);
            }
        }
    }

    private void CountSegments(SpecState state)
    {
        int pages = 0;
        Reserve(ref _attaches, state.Segments.Count);
        Reserve(ref _firstPages, state.Segments.Count);
        for (int row = 0; row < state.Segments.Count; row++)
        {
            MemoryObject holder = state.Segments.Rows[row].Object;
            _firstPages[row] = pages;
            pages += holder.Pages.Count;
            Promises += holder.OpenPromises;
            _chargedSegments += holder.IsHuge ? 0
                : holder.Promised ? new ByteCount(state.Segments.Rows[row].Size)
                    .InUnitsOf(new(holder.PageSize))
                : holder.Charged;
            foreach ((_, ObjectPage page) in holder.Pages.All)
            {
                Frames += page.HoldsFrame ? 1ul : 0;
                Resident += page.State is PageState.Clean or PageState.Dirty ? 1ul : 0;
                Swapped += page.HoldsSlot ? 1ul : 0;
                SwapCached += page.State is PageState.SwapCached ? 1ul : 0;
                Huge += page.State is PageState.HugeResident ? 1ul : 0;
            }
        }

        Reserve(ref _mappers, pages);
    }

    /// <summary>Goes along mappings and entries of an address space, both in order.</summary>
    private void CountSpace(SpecState state, AddressSpace space)
    {
        PageRows<PageTableEntry>.Enumerator entries = space.Pages.All.GetEnumerator();
        bool more = entries.MoveNext();
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            _chargedMappings += mapping.Has(MappingFlags.Account)
                ? mapping.Length / state.Config.PageSize : 0;
            ulong first = mapping.Start / state.Config.PageSize;
            int row = mapping.Segment is { } key && state.Segments.Contains(key.Value)
                ? state.Segments.FirstFrom(key.Value) : -1;
            if (row < 0)
            {
                continue;
            }

            _attaches[row]++;
            Stray ??= more && entries.Current.Page < first ? entries.Current.Page : null;
            PageMap<ObjectPage> pages = state.Segments.Rows[row].Object.Pages;
            for (; more && entries.Current.Page < mapping.End / state.Config.PageSize;
                more = entries.MoveNext())
            {
                ulong entry = entries.Current.Page;
                ulong bytes = (entry - first + mapping.Offset) * state.Config.PageSize;
                CountEntry(entry, row, pages, bytes / mapping.PageSize);
            }
        }

        Stray ??= more ? entries.Current.Page : null;
    }

    private void CountEntry(ulong entry, int row, PageMap<ObjectPage> pages, ulong index)
    {
        if (!pages.TryGet(index, out ObjectPage page) || !page.IsResident)
        {
            Stray ??= entry;
            return;
        }

        _mappers[_firstPages[row] + pages.CountBelow(index)]++;
    }

    private void CompareMappers(SpecState state)
    {
        for (int row = 0; row < state.Segments.Count; row++)
        {
            Segment segment = state.Segments.Rows[row];
            int at = _firstPages[row];
            foreach ((ulong index, ObjectPage page) in segment.Object.Pages.All)
            {
                ulong counted = _mappers[at++];
                if (counted != (ulong)page.Mappers)
                {
                    Miscounted ??= (segment, index, counted);
                }
            }
        }
    }

    private static void Reserve<T>(ref T[] cells, int count)
    {
        if (cells.Length < count)
        {
            cells = new T[count * 2];
        }

        Array.Clear(cells, 0, count);
    }
}
