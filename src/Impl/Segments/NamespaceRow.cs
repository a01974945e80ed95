namespace ShmCheck.Impl;

/// <summary>One IPC namespace.</summary>
internal struct NamespaceRow
{
    /// <summary>Mappings of its segments, in whatever process.</summary>
    public ulong Mappings;

    /// <summary>shm_tot in base pages.</summary>
    public ulong TotalPages;

    /// <summary>shm_rss in base pages.</summary>
    public ulong ResidentPages;

    /// <summary>shm_swp in base pages.</summary>
    public ulong SwappedPages;

    /// <summary>kernel.shmmax in bytes.</summary>
    public ulong MaxSize;

    /// <summary>kernel.shmall in base pages.</summary>
    public ulong MaxPages;

    /// <summary>kernel.shmmni.</summary>
    public ulong MaxSegments;

    /// <summary>0 for the namespace that the machine started with, and never used again.
    /// </summary>
    public int Number;

    /// <summary>Tasks in the namespace.</summary>
    public int Tasks;

    /// <summary>The namespace with the next higher number, 0 if none.</summary>
    public int Next;

    public int Previous;

    /// <summary>kernel.shm_rmid_forced.</summary>
    public byte DestroysOrphans;
}
