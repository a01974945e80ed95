namespace ShmCheck.Impl;

/// <summary>The segments and their memory objects, one row each. A column is named for the field
/// of <c>struct shmid_ds</c> or of the inode that it stands for.</summary>
internal sealed class SegmentTable
{
    private readonly Radix _radix;
    private readonly Rows _rows;
    private readonly Column<ulong> _pageRoots;
    private readonly Column<ulong> _contentRoots;

    public SegmentTable(StateStore store, Radix radix)
    {
        _radix = radix;
        _rows = new Rows(store);
        _pageRoots = store.NewColumn<ulong>();
        _contentRoots = store.NewColumn<ulong>();
        Namespace = store.NewColumn<int>();
        Key = store.NewColumn<int>();
        Uid = store.NewColumn<int>();
        Gid = store.NewColumn<int>();
        Cuid = store.NewColumn<int>();
        Cgid = store.NewColumn<int>();
        Mode = store.NewColumn<int>();
        Size = store.NewColumn<ulong>();
        Id = store.NewColumn<int>();
        Cpid = store.NewColumn<int>();
        Lpid = store.NewColumn<int>();
        Nattch = store.NewColumn<ulong>();
        Atime = store.NewColumn<long>();
        Dtime = store.NewColumn<long>();
        Ctime = store.NewColumn<long>();
        HugeShift = store.NewColumn<int>();
        NoReserve = store.NewColumn<byte>();
        Length = store.NewColumn<ulong>();
        Resident = store.NewColumn<ulong>();
        Swapped = store.NewColumn<ulong>();
        Allocated = store.NewColumn<ulong>();
        LostEntries = store.NewColumn<ulong>();
        FirstMapping = store.NewColumn<int>();
        Creator = store.NewColumn<int>();
        NextCreated = store.NewColumn<int>();
        PreviousCreated = store.NewColumn<int>();
        NextInBucket = store.NewColumn<int>();
        LockCharge = store.NewColumn<ulong>();
        LockUser = store.NewColumn<int>();
    }

    /// <summary>The namespace it lives in (<see cref="NamespaceTable"/>).</summary>
    public Column<int> Namespace { get; }

    public Column<int> Key { get; }
    public Column<int> Uid { get; }
    public Column<int> Gid { get; }
    public Column<int> Cuid { get; }
    public Column<int> Cgid { get; }

    /// <summary>Permission bits, SHM_DEST, SHM_LOCKED.</summary>
    public Column<int> Mode { get; }

    /// <summary><c>shm_segsz</c> in bytes.</summary>
    public Column<ulong> Size { get; }

    public Column<int> Id { get; }
    public Column<int> Cpid { get; }
    public Column<int> Lpid { get; }

    /// <summary>Mappings of the segment, plus 1 while a shmat is under way.</summary>
    public Column<ulong> Nattch { get; }

    public Column<long> Atime { get; }
    public Column<long> Dtime { get; }
    public Column<long> Ctime { get; }

    /// <summary>Log2 of the huge page size in bytes, 0 for a normal segment.</summary>
    public Column<int> HugeShift { get; }

    /// <summary>Created with SHM_NORESERVE where that counts: pages are charged, and huge pages
    /// taken, one by one.</summary>
    public Column<byte> NoReserve { get; }

    /// <summary>Length of the object, in its own pages.</summary>
    public Column<ulong> Length { get; }

    /// <summary>Pages of the object that are resident, swap cache not counted.</summary>
    public Column<ulong> Resident { get; }

    /// <summary>Pages in swap, swap cache included.</summary>
    public Column<ulong> Swapped { get; }

    /// <summary>Pages charged one by one; lags behind pages that reclaim dropped
    /// (shmem_inode_info.alloced).</summary>
    public Column<ulong> Allocated { get; }

    /// <summary>Huge pages whose reservation a punched hole has taken away.</summary>
    public Column<ulong> LostEntries { get; }

    /// <summary>First of the mappings, linked by <see cref="MappingTable.NextOfSegment"/>.
    /// </summary>
    public Column<int> FirstMapping { get; }

    /// <summary>The task that created it, 0 when that has ended.</summary>
    public Column<int> Creator { get; }

    public Column<int> NextCreated { get; }
    public Column<int> PreviousCreated { get; }
    public Column<int> NextInBucket { get; }

    /// <summary>Pages charged to <see cref="LockUser"/> against RLIMIT_MEMLOCK.</summary>
    public Column<ulong> LockCharge { get; }

    public Column<int> LockUser { get; }

    public int Count => _rows.Count;

    /// <summary>Entries of the object's pages (<see cref="PageEntry"/>), by page.</summary>
    public RadixTree Pages(int segment) => new(_radix, _pageRoots, segment);

    /// <summary>Bytes of a huge object, by base page.</summary>
    public ByteMap Bytes(int segment) => new(new RadixTree(_radix, _contentRoots, segment));

    public bool IsHuge(int segment) => HugeShift[segment] != 0;

    public bool Has(int segment, int modeBit) => (Mode[segment] & modeBit) != 0;

    /// <summary>Takes a row for a segment of which nothing has happened yet.</summary>
    public int Add(int ns)
    {
        int row = _rows.Take();
        Namespace[row] = ns;
        _pageRoots[row] = 0;
        _contentRoots[row] = 0;
        Lpid[row] = 0;
        Nattch[row] = 0;
        Atime[row] = 0;
        Dtime[row] = 0;
        Resident[row] = 0;
        Swapped[row] = 0;
        Allocated[row] = 0;
        LostEntries[row] = 0;
        FirstMapping[row] = 0;
        LockCharge[row] = 0;
        LockUser[row] = 0;
        return row;
    }

    public void Remove(int segment)
    {
        Pages(segment).Clear();
        Bytes(segment).Clear();
        _rows.Give(segment);
    }
}
