namespace ShmCheck.Impl;

/// <summary>The attaches, one row for each shmat that still has a mapping somewhere: fork, splits
/// and mremap make more mappings of one attach, and only those of one attach belong together.
/// </summary>
internal sealed class AttachTable(StateStore store)
{
    private readonly Rows _rows = new(store);

    /// <summary>The segment; 0 in row 0, which private mappings have.</summary>
    public Column<int> Segment { get; } = store.NewColumn<int>();

    /// <summary>Mappings of the attach.</summary>
    public Column<int> References { get; } = store.NewColumn<int>();

    public int Count => _rows.Count;

    public int Add(int segment)
    {
        int attach = _rows.Take();
        Segment[attach] = segment;
        References[attach] = 0;
        return attach;
    }

    public void Drop(int attach)
    {
        int references = References[attach] - 1;
        References[attach] = references;
        if (references == 0)
        {
            _rows.Give(attach);
        }
    }
}
