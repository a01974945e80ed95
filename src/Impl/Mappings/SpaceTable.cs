namespace ShmCheck.Impl;

/// <summary>The address spaces, one row each: the counters that Linux keeps in
/// <c>mm_struct</c>, and the trees of what is mapped.</summary>
internal sealed class SpaceTable : Table<SpaceRow>
{
    private readonly Radix _radix;
    private readonly Column<ulong> _mappingRoots;
    private readonly Column<ulong> _entryRoots;
    private readonly Column<ulong> _byteRoots;

    public SpaceTable(StateStore store, Radix radix)
        : base(store)
    {
        _radix = radix;
        _mappingRoots = store.NewColumn<ulong>();
        _entryRoots = store.NewColumn<ulong>();
        _byteRoots = store.NewColumn<ulong>();
    }

    /// <summary>Mappings by their first page.</summary>
    public RadixTree Mappings(int space) => new(_radix, _mappingRoots, space);

    /// <summary>Page table entries (<see cref="PageTables"/>).</summary>
    public RadixTree Entries(int space) => new(_radix, _entryRoots, space);

    /// <summary>What private memory holds, by page.</summary>
    public ByteMap Bytes(int space) => new(new RadixTree(_radix, _byteRoots, space));

    /// <summary>Takes a row for an empty address space with one user.</summary>
    public int Add()
    {
        int space = Take();
        _mappingRoots[space] = 0;
        _entryRoots[space] = 0;
        _byteRoots[space] = 0;
        Change(space) = new SpaceRow { Users = 1 };
        return space;
    }

    public void Remove(int space)
    {
        Mappings(space).Clear();
        Entries(space).Clear();
        Bytes(space).Clear();
        Give(space);
    }
}
