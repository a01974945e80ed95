namespace ShmCheck.Abi;

/// <summary>Figures of the whole machine, counted from what they were at its start.</summary>
public enum GlobalField
{
    /// <summary>HugePages_Total of the default size, in huge pages.</summary>
    HugePages_Total,
    /// <summary>HugePages_Free, in huge pages.</summary>
    HugePages_Free,
    /// <summary>HugePages_Rsvd, in huge pages.</summary>
    HugePages_Rsvd,
    /// <summary>HugePages_Surp, in huge pages.</summary>
    HugePages_Surp,
    /// <summary>Slots of the swap device in use, in base pages (SwapTotal - SwapFree).</summary>
    SwapUsed,
    /// <summary>Swap cache, in kB.</summary>
    SwapCached,
    /// <summary>Shmem of meminfo, in kB.</summary>
    Shmem,
    /// <summary>Committed_AS of meminfo, in kB.</summary>
    Committed_AS,
}

/// <summary>Figures of an IPC namespace (SHM_INFO).</summary>
public enum NamespaceField
{
    /// <summary>Number of the namespace; 0 is the one the machine started with. A key.</summary>
    Namespace,
    /// <summary>Segments that exist.</summary>
    used_ids,
    /// <summary>Pages of all segments, in base pages.</summary>
    shm_tot,
    /// <summary>Resident ones, in base pages.</summary>
    shm_rss,
    /// <summary>Swapped ones, in base pages.</summary>
    shm_swp,
    /// <summary>Highest index in use, 0 if none.</summary>
    max_index,
}

/// <summary>Figures of a segment (IPC_STAT and /proc/sysvipc/shm).</summary>
public enum SegmentField
{
    /// <summary>Number of the namespace. A key.</summary>
    Namespace,
    /// <summary>Identifier. A key.</summary>
    shmid,
    /// <summary>Key, 0 when SHM_DEST.</summary>
    key,
    /// <summary>Owner.</summary>
    uid,
    /// <summary>Owner's group.</summary>
    gid,
    /// <summary>Creator.</summary>
    cuid,
    /// <summary>Creator's group.</summary>
    cgid,
    /// <summary>Permission bits, SHM_DEST, SHM_LOCKED.</summary>
    mode,
    /// <summary>Size in bytes.</summary>
    segsz,
    /// <summary>Pid of the creator.</summary>
    cpid,
    /// <summary>Pid of the last attacher or detacher.</summary>
    lpid,
    /// <summary>Attaches: mappings of the segment in all address spaces.</summary>
    nattch,
    /// <summary>Last attach, in seconds.</summary>
    atime,
    /// <summary>Last detach, in seconds.</summary>
    dtime,
    /// <summary>Creation or last IPC_SET, in seconds.</summary>
    ctime,
    /// <summary>Resident pages, in base pages.</summary>
    rss,
    /// <summary>Swapped pages, in base pages.</summary>
    swp,
}

/// <summary>Figures of a process (/proc/PID/status), one row for each thread group alive.
/// </summary>
public enum ProcessField
{
    /// <summary>Thread group id. A key.</summary>
    Pid,
    /// <summary>Size of all mappings of the model, in kB, beside what the program itself maps.
    /// </summary>
    VmSize,
    /// <summary>Locked mappings, in kB.</summary>
    VmLck,
    /// <summary>Resident pages of shared memory, in kB.</summary>
    RssShmem,
    /// <summary>Swapped private pages, in kB; shared memory contributes nothing.</summary>
    VmSwap,
    /// <summary>Mapped huge pages, in kB.</summary>
    HugetlbPages,
}

/// <summary>Figures of a mapping of a segment (/proc/PID/smaps), by process, then by address.
/// </summary>
public enum MappingField
{
    /// <summary>Thread group id. A key.</summary>
    Pid,
    /// <summary>First address. A key.</summary>
    Start,
    /// <summary>Address behind the last.</summary>
    End,
    /// <summary>Identifier of the segment (inode number).</summary>
    shmid,
    /// <summary>Page of the object at the start, in base pages.</summary>
    Offset,
    /// <summary>Protection, as <see cref="Abi.Protection"/>.</summary>
    Protection,
    /// <summary>Pages with a page table entry here, in kB (normal pages only).</summary>
    Rss,
    /// <summary>Rss with each page divided by the number of its mappers, in kB, rounded down.
    /// </summary>
    Pss,
    /// <summary>Clean pages mapped more than once, in kB.</summary>
    Shared_Clean,
    /// <summary>Dirty pages mapped more than once, in kB.</summary>
    Shared_Dirty,
    /// <summary>Clean pages mapped only here, in kB.</summary>
    Private_Clean,
    /// <summary>Dirty pages mapped only here, in kB.</summary>
    Private_Dirty,
    /// <summary>Swapped pages of the object within the mapping, in kB.</summary>
    Swap,
    /// <summary>Resident pages of a locked mapping (Pss of it), in kB.</summary>
    Locked,
    /// <summary>Huge pages mapped more than once, in kB.</summary>
    Shared_Hugetlb,
    /// <summary>Huge pages mapped only here, in kB.</summary>
    Private_Hugetlb,
}

/// <summary>Figures of the page frames that a mapping of a segment maps, from its start up to
/// <see cref="Observation.MostPagesOfFrames"/>, each in pages of the mapping (/proc/PID/pagemap,
/// /proc/kpagecount, /proc/kpageflags).</summary>
public enum FrameField
{
    /// <summary>Thread group id. A key.</summary>
    Pid,
    /// <summary>First address of the mapping. A key.</summary>
    Start,
    /// <summary>Pages with a page table entry here.</summary>
    Present,
    /// <summary>Page table entries of all processes that map those pages.</summary>
    Mapcount,
    /// <summary>Those of them that are huge (KPF_HUGE).</summary>
    Huge,
    /// <summary>Those that can go to swap (KPF_SWAPBACKED): shared memory of base pages.
    /// </summary>
    SwapBacked,
    /// <summary>Those that are in the swap cache (KPF_SWAPCACHE).</summary>
    SwapCache,
}

/// <summary>The tables of an <see cref="Observation"/>.</summary>
public enum ObservationTable
{
    /// <summary>One row of <see cref="GlobalField"/>.</summary>
    Global,
    /// <summary>Rows of <see cref="NamespaceField"/>.</summary>
    Namespaces,
    /// <summary>Rows of <see cref="SegmentField"/>.</summary>
    Segments,
    /// <summary>Rows of <see cref="ProcessField"/>.</summary>
    Processes,
    /// <summary>Rows of <see cref="MappingField"/>.</summary>
    Mappings,
    /// <summary>Rows of <see cref="FrameField"/>.</summary>
    Frames,
}
