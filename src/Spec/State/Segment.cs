using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Where a segment is: namespace and table index, unique among those that live.</summary>
/// <param name="Value">Namespace times 32768 plus index.</param>
public readonly record struct SegmentKey(ulong Value)
{
    /// <summary>The key of an index in a namespace.</summary>
    public static SegmentKey Of(int ns, int index) =>
        new(((ulong)ns << ShmId.IndexBits) | (uint)index);

    /// <summary>Number of the namespace.</summary>
    public int Namespace => (int)(Value >> ShmId.IndexBits);
}

/// <summary>A System V shared memory segment (<c>struct shmid_kernel</c>).</summary>
public sealed record Segment
{
    /// <summary>Number of the IPC namespace it lives in.</summary>
    public required int Namespace { get; init; }

    /// <summary>Identifier.</summary>
    public required ShmId Id { get; init; }

    /// <summary>Key; 0 for IPC_PRIVATE and once the segment is marked for destruction.</summary>
    public int Key { get; init; }

    /// <summary>Owner.</summary>
    public int Uid { get; init; }

    /// <summary>Owner's group.</summary>
    public int Gid { get; init; }

    /// <summary>User that created it.</summary>
    public int Cuid { get; init; }

    /// <summary>Group that created it.</summary>
    public int Cgid { get; init; }

    /// <summary>The nine permission bits.</summary>
    public int Mode { get; init; }

    /// <summary>Whether IPC_RMID marked it for destruction (SHM_DEST).</summary>
    public bool Destroyed { get; init; }

    /// <summary>Size in bytes, as asked for (shm_segsz).</summary>
    public required ulong Size { get; init; }

    /// <summary>Process that created it (shm_cpid).</summary>
    public int CreatorPid { get; init; }

    /// <summary>Process that attached or detached it last (shm_lpid); 0 none.</summary>
    public int LastPid { get; init; }

    /// <summary>Thread that created it; 0 once that has ended, or left the namespace by unshare.
    /// </summary>
    public int Creator { get; init; }

    /// <summary>shm_nattch: mappings of it in all address spaces, and calls of shmat under way.
    /// </summary>
    public ulong Attaches { get; init; }

    /// <summary>shm_atime.</summary>
    public Stamp AttachTime { get; init; }

    /// <summary>shm_dtime.</summary>
    public Stamp DetachTime { get; init; }

    /// <summary>shm_ctime.</summary>
    public Stamp ChangeTime { get; init; }

    /// <summary>User (real uid) charged for its size in <see cref="SpecState.LockedByUser"/>:
    /// by SHM_LOCK, or (Linux 5.14) by creating a huge segment without the right to; none when
    /// it is not charged.</summary>
    public int? LockedBy { get; init; }

    /// <summary>What holds its pages.</summary>
    public required MemoryObject Object { get; init; }

    /// <summary>Where it is.</summary>
    public SegmentKey Location => SegmentKey.Of(Namespace, Id.Index);

    /// <summary>Whether SHM_LOCK holds its pages in memory (SHM_LOCKED).</summary>
    public bool IsLocked => LockedBy is not null && !Object.IsHuge;

    /// <summary>Mode as IPC_STAT shows it: with SHM_DEST and SHM_LOCKED.</summary>
    public int ShownMode => Mode | (Destroyed ? SegmentMode.SHM_DEST : 0)
        | (IsLocked ? SegmentMode.SHM_LOCKED : 0);
}

/// <summary>What holds the pages of a segment: an inode of shmem or of hugetlbfs.</summary>
public sealed record MemoryObject
{
    /// <summary>Length in bytes: the segment's size, rounded up to huge pages for a huge object.
    /// </summary>
    public required ulong Length { get; init; }

    /// <summary>Bytes of one of its pages: the base page size, or a huge page size.</summary>
    public required ulong PageSize { get; init; }

    /// <summary>Whether its pages are huge.</summary>
    public bool IsHuge { get; init; }

    /// <summary>Whether memory was promised at its creation: its commit charge, or a huge page
    /// for each of its pages. Without, pages are charged one by one.</summary>
    public bool Promised { get; init; }

    /// <summary>Pages by index in units of <see cref="PageSize"/>. No row: a hole, which has its
    /// promise when <see cref="Promised"/>. A row in state <see cref="PageState.HugeNone"/>: a
    /// hole of a promised huge object that has lost its promise.</summary>
    public PageMap<ObjectPage> Pages { get; init; } = PageMap<ObjectPage>.Empty;

    /// <summary>First byte of each base page, by index in base pages; no row for 0.</summary>
    public PageMap<byte> Contents { get; init; } = PageMap<byte>.Empty;

    /// <summary>Pages in states C and D, or huge pages allocated, in units of
    /// <see cref="PageSize"/>.</summary>
    public ulong Resident { get; init; }

    /// <summary>Pages in states S and W.</summary>
    public ulong Swapped { get; init; }

    /// <summary>Base pages charged to committed memory one by one (not
    /// <see cref="Promised"/>, not huge). May exceed what is allocated: pages that reclaim dropped
    /// are discharged when the object next allocates, frees, or swaps a page.</summary>
    public ulong Charged { get; init; }

    /// <summary>Number of its pages, in units of <see cref="PageSize"/>.</summary>
    public ulong PageCount => new ByteCount(Length).InUnitsOf(new(PageSize));

    /// <summary>Huge pages promised and not allocated.</summary>
    public ulong OpenPromises => IsHuge && Promised ? PageCount - (ulong)Pages.Count : 0;
}

/// <summary>A page of a memory object.</summary>
/// <param name="State">Its state; <see cref="PageState.Dirty"/> also when only a page table entry
/// knows that it was written.</param>
/// <param name="Marked">Whether the page itself is marked dirty (PG_dirty), so that every mapping
/// of it shows it as dirty. Always for pages that are or were swapped.</param>
/// <param name="Mappers">Page table entries that map it, in all address spaces (mapcount).</param>
public readonly record struct ObjectPage(PageState State, bool Marked = false, int Mappers = 0)
{
    /// <summary>Whether the page takes a frame (C, D, W).</summary>
    public bool HoldsFrame => State is PageState.Clean or PageState.Dirty or PageState.SwapCached;

    /// <summary>Whether the page holds a swap slot (W, S).</summary>
    public bool HoldsSlot => State is PageState.SwapCached or PageState.Swapped;

    /// <summary>Whether it is in memory and can be mapped (C, D, huge and allocated).</summary>
    public bool IsResident =>
        State is PageState.Clean or PageState.Dirty or PageState.HugeResident;
}
