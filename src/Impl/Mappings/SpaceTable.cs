namespace ShmCheck.Impl;

/// <summary>The address spaces, one row each: the counters that Linux keeps in
/// <c>mm_struct</c>, and the trees of what is mapped.</summary>
internal sealed class SpaceTable
{
    private readonly Radix _radix;
    private readonly Rows _rows;
    private readonly Column<ulong> _mappingRoots;
    private readonly Column<ulong> _entryRoots;
    private readonly Column<ulong> _byteRoots;

    public SpaceTable(StateStore store, Radix radix)
    {
        _radix = radix;
        _rows = new Rows(store);
        _mappingRoots = store.NewColumn<ulong>();
        _entryRoots = store.NewColumn<ulong>();
        _byteRoots = store.NewColumn<ulong>();
        Users = store.NewColumn<int>();
        TotalPages = store.NewColumn<ulong>();
        LockedPages = store.NewColumn<ulong>();
        SharedPages = store.NewColumn<ulong>();
        HugeEntries = store.NewColumn<ulong>();
        LocksFuture = store.NewColumn<byte>();
        FirstMapping = store.NewColumn<int>();
        LastMapping = store.NewColumn<int>();
    }

    /// <summary>Tasks that use the address space.</summary>
    public Column<int> Users { get; }

    /// <summary>VmSize in pages.</summary>
    public Column<ulong> TotalPages { get; }

    /// <summary>VmLck in pages.</summary>
    public Column<ulong> LockedPages { get; }

    /// <summary>RssShmem: page table entries of normal shared pages.</summary>
    public Column<ulong> SharedPages { get; }

    /// <summary>Page table entries of huge pages.</summary>
    public Column<ulong> HugeEntries { get; }

    /// <summary>MCL_FUTURE is in force.</summary>
    public Column<byte> LocksFuture { get; }

    /// <summary>First of the mappings, linked by <see cref="MappingTable.NextInSpace"/>.
    /// </summary>
    public Column<int> FirstMapping { get; }

    public Column<int> LastMapping { get; }

    public int Count => _rows.Count;

    /// <summary>Mappings by their first page.</summary>
    public RadixTree Mappings(int space) => new(_radix, _mappingRoots, space);

    /// <summary>Page table entries (<see cref="PageTables"/>).</summary>
    public RadixTree Entries(int space) => new(_radix, _entryRoots, space);

    /// <summary>What private memory holds, by page.</summary>
    public ByteMap Bytes(int space) => new(new RadixTree(_radix, _byteRoots, space));

    /// <summary>Takes a row for an empty address space with one user.</summary>
    public int Add()
    {
        int space = _rows.Take();
        _mappingRoots[space] = 0;
        _entryRoots[space] = 0;
        _byteRoots[space] = 0;
        Users[space] = 1;
        TotalPages[space] = 0;
        LockedPages[space] = 0;
        SharedPages[space] = 0;
        HugeEntries[space] = 0;
        LocksFuture[space] = 0;
        FirstMapping[space] = 0;
        LastMapping[space] = 0;
        return space;
    }

    public void Remove(int space)
    {
        Mappings(space).Clear();
        Entries(space).Clear();
        Bytes(space).Clear();
        _rows.Give(space);
    }
}
