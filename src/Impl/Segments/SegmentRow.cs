namespace ShmCheck.Impl;

/// <summary>One segment and its memory object. A field is named for that of
/// <c>struct shmid_ds</c>, or of the inode, that it stands for.</summary>
internal struct SegmentRow
{
    /// <summary><c>shm_segsz</c> in bytes.</summary>
    public ulong Size;

    /// <summary>Mappings of the segment, plus 1 while a shmat is under way.</summary>
    public ulong Nattch;

    public long Atime;
    public long Dtime;
    public long Ctime;

    /// <summary>Length of the object, in its own pages.</summary>
    public ulong Length;

    /// <summary>Pages of the object that are resident, swap cache not counted.</summary>
    public ulong Resident;

    /// <summary>Pages in swap, swap cache included.</summary>
    public ulong Swapped;

    /// <summary>Pages charged one by one; lags behind pages that reclaim dropped
    /// (shmem_inode_info.alloced).</summary>
    public ulong Allocated;

    /// <summary>Huge pages whose reservation a punched hole has taken away.</summary>
    public ulong LostEntries;

    /// <summary>Pages charged to <see cref="LockUser"/> against RLIMIT_MEMLOCK.</summary>
    public ulong LockCharge;

    /// <summary>The namespace it lives in (<see cref="NamespaceTable"/>).</summary>
    public int Namespace;

    public int Key;
    public int Uid;
    public int Gid;
    public int Cuid;
    public int Cgid;

    /// <summary>Permission bits, SHM_DEST, SHM_LOCKED.</summary>
    public int Mode;

    public int Id;
    public int Cpid;
    public int Lpid;

    /// <summary>Log2 of the huge page size in bytes, 0 for a normal segment.</summary>
    public int HugeShift;

    /// <summary>First of the mappings, linked by <see cref="MappingRow.NextOfSegment"/>.
    /// </summary>
    public int FirstMapping;

    /// <summary>The task that created it, 0 when that has ended.</summary>
    public int Creator;

    public int NextCreated;
    public int PreviousCreated;
    public int NextInBucket;
    public int LockUser;

    /// <summary>Created with SHM_NORESERVE where that counts: pages are charged, and huge pages
    /// taken, one by one.</summary>
    public byte NoReserve;
}
