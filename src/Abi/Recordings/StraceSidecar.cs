using System.Collections.Immutable;

namespace ShmCheck.Abi.Recordings;

/// <summary>What <c>LOG.meta.json</c> says about a log: how it was recorded, and the state of the
/// machine at its start. Whatever it does not say is null or empty.</summary>
public sealed record StraceSidecar
{
    private const ulong KiB = 1024;

    /// <summary>Name of the file it was read from.</summary>
    public required string File { get; init; }

    /// <summary>Name of the log.</summary>
    public string? Id { get; init; }

    /// <summary>The program traced.</summary>
    public string? Program { get; init; }

    /// <summary>Its version.</summary>
    public string? Version { get; init; }

    /// <summary>Its command line.</summary>
    public string? Command { get; init; }

    /// <summary>The command line of strace.</summary>
    public StraceCommandLine? Strace { get; init; }

    /// <summary>Exit status of the program.</summary>
    public string? ExitStatus { get; init; }

    /// <summary><c>fresh</c>: the run had an IPC namespace of its own. Anything else, or null: it
    /// may have shared one.</summary>
    public string? IpcNamespace { get; init; }

    /// <summary>What is peculiar about the run.</summary>
    public string? Note { get; init; }

    /// <summary>Kernel release.</summary>
    public string? Kernel { get; init; }

    /// <summary>Architecture of the kernel.</summary>
    public string? Architecture { get; init; }

    /// <summary>What the program itself reported.</summary>
    public string? Verdict { get; init; }

    /// <summary>How long the run took.</summary>
    public double? Seconds { get; init; }

    /// <summary>Base page size in bytes.</summary>
    public ulong? PageSize { get; init; }

    /// <summary>Settings at the start, by name (<c>kernel.shmmax</c>, <c>MemTotal</c>), as read.
    /// </summary>
    public ImmutableDictionary<string, string> Settings { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    /// <summary>Settings that were different at the end: their value then.</summary>
    public ImmutableDictionary<string, string> Changed { get; init; } =
        ImmutableDictionary<string, string>.Empty;

    /// <summary>Segments that existed at the start; default when it is not said.</summary>
    public ImmutableArray<SharedMemoryRow> SegmentsBefore { get; init; }

    /// <summary>Segments that existed at the end; default when it is not said.</summary>
    public ImmutableArray<SharedMemoryRow> SegmentsAfter { get; init; }

    /// <summary>How often each shm call occurs in the log.</summary>
    public ImmutableDictionary<string, int> ShmCalls { get; init; } =
        ImmutableDictionary<string, int>.Empty;

    /// <summary>Credentials of the traced program at its start.</summary>
    public SidecarCredentials? Credentials { get; init; }

    /// <summary>A sysctl at the start; a negative one as its two's complement.</summary>
    public ulong? Sysctl(Sysctl name) => Number(SysctlText.Of(name));

    /// <summary>Those of <see cref="Settings"/> that are numbers, with or without a unit:
    /// <c>24684092kB</c> is in bytes; a negative one as its two's complement.</summary>
    public ImmutableDictionary<string, ulong> Numbers { get; init; } =
        ImmutableDictionary<string, ulong>.Empty;

    /// <summary>A setting that is a number; null when it is none, or not said.</summary>
    public ulong? Number(string setting) =>
        Numbers.TryGetValue(setting, out ulong value) ? value : null;

    /// <summary>RLIMIT_MEMLOCK in bytes at the start, all bits set for no limit. The file has it
    /// as <c>ulimit -l</c> prints it: in KiB, or <c>unlimited</c>.</summary>
    public ulong? MemlockLimit =>
        Settings.TryGetValue("rlimit_memlock", out string? text)
            && text is "unlimited" or "infinity"
            ? ulong.MaxValue
            : Number("rlimit_memlock") is ulong value and <= ulong.MaxValue / KiB
                ? value * KiB : null;

    /// <summary>The huge page pools at the start, by ascending size.</summary>
    public ImmutableArray<HugePagePool> Pools
    {
        get
        {
            const string start = "hugepages-";
            const string end = "kB.nr_hugepages";
            var pools = ImmutableArray.CreateBuilder<HugePagePool>();
            foreach (string name in Settings.Keys)
            {
                if (name.StartsWith(start, StringComparison.Ordinal)
                    && name.EndsWith(end, StringComparison.Ordinal)
                    && ulong.TryParse(name[start.Length..^end.Length], out ulong size))
                {
                    string pool = $"{start}{size}kB.";
                    pools.Add(new HugePagePool(
                        new ByteCount(size * KiB), Number(pool + "nr_hugepages") ?? 0,
                        Number(pool + "free_hugepages"), Number(pool + "resv_hugepages"),
                        Number(pool + "surplus_hugepages"),
                        Number(pool + "nr_overcommit_hugepages")));
                }
            }

            pools.Sort((one, other) => one.Size.Value.CompareTo(other.Size.Value));
            return pools.ToImmutable();
        }
    }
}

/// <summary>A pool of huge pages of one size.</summary>
/// <param name="Size">Size of a page in bytes.</param>
/// <param name="Total">Pages in the pool, surplus ones included.</param>
/// <param name="Free">Pages that are free.</param>
/// <param name="Reserved">Pages promised and not yet used.</param>
/// <param name="Surplus">Pages beyond the persistent pool.</param>
/// <param name="Overcommit">Surplus pages admitted.</param>
public readonly record struct HugePagePool(
    ByteCount Size, ulong Total, ulong? Free, ulong? Reserved, ulong? Surplus, ulong? Overcommit);

/// <summary>Credentials at the start of a log.</summary>
/// <param name="Uid">User.</param>
/// <param name="Gid">Group.</param>
/// <param name="Groups">Supplementary groups; default when it is not said.</param>
/// <param name="Capabilities">Effective capabilities as bits; null when it is not said.</param>
public sealed record SidecarCredentials(
    int? Uid, int? Gid, ImmutableArray<int> Groups, ulong? Capabilities);

/// <summary>A line of <c>/proc/sysvipc/shm</c>.</summary>
public sealed record SharedMemoryRow
{
    /// <summary>The key.</summary>
    public int Key { get; init; }

    /// <summary>The identifier.</summary>
    public int Id { get; init; }

    /// <summary>Permission bits, SHM_DEST, SHM_LOCKED.</summary>
    public int Mode { get; init; }

    /// <summary>Size in bytes.</summary>
    public ulong Size { get; init; }

    /// <summary>Pid of the creator.</summary>
    public int CreatorPid { get; init; }

    /// <summary>Pid of the last shmat or shmdt.</summary>
    public int LastPid { get; init; }

    /// <summary>Attaches.</summary>
    public ulong Attaches { get; init; }

    /// <summary>Owner.</summary>
    public int Uid { get; init; }

    /// <summary>Owner's group.</summary>
    public int Gid { get; init; }

    /// <summary>Creator.</summary>
    public int Cuid { get; init; }

    /// <summary>Creator's group.</summary>
    public int Cgid { get; init; }

    /// <summary>Last attach, in seconds since 1970.</summary>
    public long AttachTime { get; init; }

    /// <summary>Last detach, in seconds since 1970.</summary>
    public long DetachTime { get; init; }

    /// <summary>Last change, in seconds since 1970.</summary>
    public long ChangeTime { get; init; }

    /// <summary>Bytes in memory, where the kernel shows it.</summary>
    public ulong? Resident { get; init; }

    /// <summary>Bytes in swap, where the kernel shows it.</summary>
    public ulong? Swapped { get; init; }
}
