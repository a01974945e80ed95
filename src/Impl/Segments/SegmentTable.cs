namespace ShmCheck.Impl;

/// <summary>The segments and their memory objects, one row each.</summary>
internal sealed class SegmentTable : Table<SegmentRow>
{
    private readonly Radix _radix;
    private readonly Column<ulong> _pageRoots;
    private readonly Column<ulong> _contentRoots;

    public SegmentTable(StateStore store, Radix radix)
        : base(store)
    {
        _radix = radix;
        _pageRoots = store.NewColumn<ulong>();
        _contentRoots = store.NewColumn<ulong>();
    }

    /// <summary>Entries of the object's pages (<see cref="PageEntry"/>), by page.</summary>
    public RadixTree Pages(int segment) => new(_radix, _pageRoots, segment);

    /// <summary>Bytes of a huge object, by base page.</summary>
    public ByteMap Bytes(int segment) => new(new RadixTree(_radix, _contentRoots, segment));

    public bool IsHuge(int segment) => this[segment].HugeShift != 0;

    public bool Has(int segment, int modeBit) => (this[segment].Mode & modeBit) != 0;

    /// <summary>Takes a row for a segment of which nothing has happened yet.</summary>
    public int Add(int ns)
    {
        int row = Take();
        Change(row) = new SegmentRow { Namespace = ns };
        _pageRoots[row] = 0;
        _contentRoots[row] = 0;
        return row;
    }

    public void Remove(int segment)
    {
        Pages(segment).Clear();
        Bytes(segment).Clear();
        Give(segment);
    }
}
