using System.Collections.Immutable;

namespace ShmCheck.Abi;

/// <summary>When a page that is swapped out leaves memory.</summary>
public enum SwapKind
{
    /// <summary>Within the call (zram): nothing stays in the swap cache.</summary>
    Synchronous,
    /// <summary>Later (a file, a disk): a page swapped out stays in the swap cache.</summary>
    Asynchronous,
}

/// <summary>Overcommit modes (vm.overcommit_memory).</summary>
public enum OvercommitMode
{
    /// <summary>0: refuse only what is obviously too much.</summary>
    Heuristic = 0,
    /// <summary>1: never refuse.</summary>
    Always = 1,
    /// <summary>2: refuse beyond CommitLimit.</summary>
    Never = 2,
}

/// <summary>The machine that a sequence of calls runs on, at its start: one process
/// (<c>p1</c>, root with all capabilities, RLIMIT_MEMLOCK 8 MiB) in an empty IPC namespace.
/// </summary>
public sealed record MachineConfig
{
    /// <summary>Where the reserved window of every process starts; aligned to every huge page
    /// size up to 1 GiB. Kernel-chosen addresses never lie in the window.</summary>
    public const ulong WindowStart = 0x20_0000_0000;

    /// <summary>Length of the window in bytes (16 GiB).</summary>
    public const ulong WindowLength = 0x4_0000_0000;

    /// <summary>End of the user address space (TASK_SIZE of x86-64 with four levels).</summary>
    public const ulong TaskSize = 0x7fff_ffff_f000;

    /// <summary>Lowest address a process without CAP_SYS_RAWIO may map (vm.mmap_min_addr).
    /// </summary>
    public const ulong MinMapAddress = 0x10000;

    /// <summary>Default of shmmax and shmall: ULONG_MAX - (1 &lt;&lt; 24).</summary>
    public const ulong DefaultShmLimit = ulong.MaxValue - (1ul << 24);

    /// <summary>RLIMIT_MEMLOCK of the first process, in bytes.</summary>
    public const ulong DefaultMemLock = 8ul << 20;

    /// <summary>Which kernel's behaviour.</summary>
    public KernelProfile Profile { get; init; } = KernelProfile.Linux6_18;

    /// <summary>Base page size in bytes, a power of two of at least 4096.</summary>
    public ulong PageSize { get; init; } = 4096;

    /// <summary>Frames of base-page size beside those of the initial huge page pool. Together
    /// they are the memory of the machine: the pool grows out of free frames, and gives frames
    /// back when it shrinks.</summary>
    public ulong Frames { get; init; } = 4096;

    /// <summary>Huge pages of the default size in the pool at the start.</summary>
    public ulong HugePages { get; init; }

    /// <summary>Default huge page size in bytes, a power of two above the page size.</summary>
    public ulong HugePageSize { get; init; } = 2ul << 20;

    /// <summary>Other huge page sizes the kernel knows, in bytes; their pools are and stay empty.
    /// </summary>
    public ImmutableArray<ulong> OtherHugePageSizes { get; init; } = [1ul << 30];

    /// <summary>Slots of the swap device; 0 for none. The device is in use from the start.
    /// </summary>
    public ulong SwapSlots { get; init; }

    /// <summary>Kind of the swap device.</summary>
    public SwapKind SwapKind { get; init; } = SwapKind.Synchronous;

    /// <summary>kernel.shmmax in bytes.</summary>
    public ulong ShmMax { get; init; } = DefaultShmLimit;

    /// <summary>kernel.shmall in base pages.</summary>
    public ulong ShmAll { get; init; } = DefaultShmLimit;

    /// <summary>kernel.shmmni, 0 to 32768.</summary>
    public int ShmMni { get; init; } = 4096;

    /// <summary>kernel.shm_rmid_forced.</summary>
    public bool ShmRmidForced { get; init; }

    /// <summary>vm.overcommit_memory.</summary>
    public OvercommitMode Overcommit { get; init; } = OvercommitMode.Heuristic;

    /// <summary>vm.overcommit_ratio in percent. The reserves for administrators and users
    /// (vm.admin_reserve_kbytes, vm.user_reserve_kbytes) are 0.</summary>
    public int OvercommitRatio { get; init; } = 50;

    /// <summary>vm.nr_overcommit_hugepages.</summary>
    public ulong NrOvercommitHugePages { get; init; }

    /// <summary>vm.hugetlb_shm_group.</summary>
    public int HugetlbShmGroup { get; init; }

    /// <summary>Base pages in one huge page of the default size.</summary>
    public ulong PagesPerHugePage => HugePageSize / PageSize;

    /// <summary>All memory in base pages: frames and the initial pool (MemTotal).</summary>
    public ulong TotalPages => Frames + HugePages * PagesPerHugePage;

    /// <inheritdoc/>
    public bool Equals(MachineConfig? other) => other is not null
        && Scalars() == other.Scalars() && Limits() == other.Limits()
        && OtherHugePageSizes.AsSpan().SequenceEqual(other.OtherHugePageSizes.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Scalars(), Limits());

    private (KernelProfile, ulong, ulong, ulong, ulong, ulong, SwapKind) Scalars() =>
        (Profile, PageSize, Frames, HugePages, HugePageSize, SwapSlots, SwapKind);

    private (ulong, ulong, int, bool, OvercommitMode, int, ulong, int) Limits() =>
        (ShmMax, ShmAll, ShmMni, ShmRmidForced, Overcommit, OvercommitRatio,
            NrOvercommitHugePages, HugetlbShmGroup);
}
