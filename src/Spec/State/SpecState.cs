using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>A state of the specified machine: immutable, and to be built or amended by hand with
/// <c>with</c>. Counters that Linux keeps are kept here too, and the invariants recompute each
/// from what it counts; whoever amends a table amends its counters.</summary>
public sealed record SpecState
{
    /// <summary>The machine as it started.</summary>
    public required MachineConfig Config { get; init; }

    /// <summary>IPC namespaces by number. One lives while a task is in it or a mapping of one of
    /// its segments exists.</summary>
    public Table<IpcNamespace> Namespaces { get; init; } = Table.Empty<IpcNamespace>();

    /// <summary>Segments of all namespaces by <see cref="SegmentKey.Value"/>: by namespace, then
    /// by index.</summary>
    public Table<Segment> Segments { get; init; } = Table.Empty<Segment>();

    /// <summary>Address spaces by a number that nobody sees.</summary>
    public Table<AddressSpace> Spaces { get; init; } = Table.Empty<AddressSpace>();

    /// <summary>Thread groups (processes) by thread group id.</summary>
    public Table<ThreadGroup> Groups { get; init; } = Table.Empty<ThreadGroup>();

    /// <summary>Tasks (threads) by thread id; those that live.</summary>
    public Table<KernelTask> Tasks { get; init; } = Table.Empty<KernelTask>();

    /// <summary>Huge pages of the default size.</summary>
    public HugePool Pool { get; init; }

    /// <summary>Base pages charged to RLIMIT_MEMLOCK of a user (real uid) by SHM_LOCK; no row for
    /// none.</summary>
    public Table<ulong> LockedByUser { get; init; } = Table.Empty<ulong>();

    /// <summary>Frames taken by pages in states C, D and W, in base pages.</summary>
    public ulong FramesUsed { get; init; }

    /// <summary>Pages in state W, in base pages.</summary>
    public ulong SwapCached { get; init; }

    /// <summary>Slots of the swap device that are taken, in base pages.</summary>
    public ulong SlotsUsed { get; init; }

    /// <summary>Whether the swap device is in use.</summary>
    public bool SwapInUse { get; init; }

    /// <summary>Committed memory (Committed_AS) in base pages.</summary>
    public ulong Committed { get; init; }

    /// <summary>vm.nr_overcommit_hugepages in huge pages.</summary>
    public ulong NrOvercommitHugePages { get; init; }

    /// <summary>vm.hugetlb_shm_group.</summary>
    public int HugetlbShmGroup { get; init; }

    /// <summary>vm.overcommit_memory.</summary>
    public OvercommitMode Overcommit { get; init; }

    /// <summary>vm.overcommit_ratio in percent; negative values are allowed, and count as the
    /// unsigned number with the same bits.</summary>
    public int OvercommitRatio { get; init; }

    /// <summary>The pid given last; the next one is predicted to follow it.</summary>
    public int LastPid { get; init; }

    /// <summary>Number of the next IPC namespace.</summary>
    public int NextNamespace { get; init; }

    /// <summary>Number of the next address space.</summary>
    public ulong NextSpace { get; init; }

    /// <summary>Number of the next attach (open file of a shmat).</summary>
    public ulong NextFile { get; init; } = 1;

    /// <summary>Number of the next <see cref="Mapping.Anon"/>.</summary>
    public ulong NextAnon { get; init; } = 1;

    /// <summary>Frames that nothing takes, in base pages.</summary>
    public ulong FreeFrames =>
        Config.TotalPages - FramesUsed - Pool.Total * Config.PagesPerHugePage;

    /// <summary>SwapTotal in base pages.</summary>
    public ulong SwapTotal => SwapInUse ? Config.SwapSlots : 0;

    /// <summary>CommitLimit in base pages (mm/util.c:vm_commit_limit).</summary>
    public ulong CommitLimit => unchecked(
        (Config.TotalPages - Pool.Total * Config.PagesPerHugePage)
            * (ulong)(long)OvercommitRatio / 100 + SwapTotal);
}

/// <summary>Counters of the huge page pool, in huge pages of the default size.</summary>
/// <param name="Total">HugePages_Total.</param>
/// <param name="Free">HugePages_Free: not holding a page of an object.</param>
/// <param name="Reserved">HugePages_Rsvd: promised and not yet allocated.</param>
/// <param name="Surplus">HugePages_Surp: beyond nr_hugepages.</param>
public readonly record struct HugePool(ulong Total, ulong Free, ulong Reserved, ulong Surplus)
{
    /// <summary>nr_hugepages: the pages that stay.</summary>
    public ulong Persistent => Total - Surplus;
}

/// <summary>An IPC namespace.</summary>
public sealed record IpcNamespace
{
    /// <summary>Number; 0 is the one the machine starts with, others count up.</summary>
    public required int Number { get; init; }

    /// <summary>kernel.shmmax in bytes.</summary>
    public ulong ShmMax { get; init; } = MachineConfig.DefaultShmLimit;

    /// <summary>kernel.shmall in base pages.</summary>
    public ulong ShmAll { get; init; } = MachineConfig.DefaultShmLimit;

    /// <summary>kernel.shmmni.</summary>
    public int ShmMni { get; init; } = 4096;

    /// <summary>kernel.shm_rmid_forced.</summary>
    public bool RmidForced { get; init; }

    /// <summary>kernel.shm_next_id: the identifier wanted for the next segment; -1 none.
    /// </summary>
    public int NextId { get; init; } = -1;

    /// <summary>Sequence number of the identifiers given now (ipc_ids.seq).</summary>
    public int Sequence { get; init; }

    /// <summary>Index from which the next free one is searched (idr_next).</summary>
    public int Cursor { get; init; }

    /// <summary>Index given last (ipc_ids.last_idx); -1 none.</summary>
    public int LastIndex { get; init; } = -1;

    /// <summary>Segments that exist (ipc_ids.in_use).</summary>
    public int InUse { get; init; }

    /// <summary>Pages of all segments (shm_tot), in base pages.</summary>
    public ulong Total { get; init; }
}
