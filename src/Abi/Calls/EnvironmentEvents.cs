namespace ShmCheck.Abi;

/// <summary>Knobs of the machine that can be turned during a run.</summary>
public enum Sysctl
{
    /// <summary>Size of the persistent huge page pool, in huge pages.</summary>
    NrHugePages,
    /// <summary>Surplus huge pages allowed beyond the pool.</summary>
    NrOvercommitHugePages,
    /// <summary>Group that may create huge segments.</summary>
    HugetlbShmGroup,
    /// <summary>0 heuristic, 1 always, 2 never.</summary>
    OvercommitMemory,
    /// <summary>Percent of memory that counts in mode 2.</summary>
    OvercommitRatio,
    /// <summary>Largest segment in bytes.</summary>
    ShmMax,
    /// <summary>All segments together, in base pages.</summary>
    ShmAll,
    /// <summary>Number of segments, 0 to 32768.</summary>
    ShmMni,
    /// <summary>Destroy segments that nobody attaches.</summary>
    ShmRmidForced,
    /// <summary>Identifier wanted for the next segment; -1 none.</summary>
    ShmNextId,
}

/// <summary>A write to a sysctl by root.</summary>
/// <param name="Name">The knob.</param>
/// <param name="Value">Its new value; only shmmax and shmall use all 64 bits, the others are
/// signed integers.</param>
/// <param name="InNamespaceOf">For a knob of the IPC namespace: whose; none means the namespace
/// that the machine started with.</param>
public sealed record SetSysctl(Sysctl Name, ulong Value, ProcessHandle InNamespaceOf = default)
    : Call
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetSysctl;
}

/// <summary>Background reclaim of pages of a segment, whoever maps them: clean pages are dropped,
/// dirty ones written to swap, clean swap-cache copies dropped. Has no effect on locked pages,
/// huge pages, holes and swapped pages.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="Pages">The pages.</param>
public sealed record Reclaim(SegmentHandle Segment, PageRange Pages) : Call
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Reclaim;
}

/// <summary>The names of <see cref="Sysctl"/> under /proc/sys, with dots.</summary>
public static class SysctlText
{
    /// <summary>Whether each IPC namespace has such a knob.</summary>
    public static bool IsOfNamespace(Sysctl name) => name is Sysctl.ShmMax or Sysctl.ShmAll
        or Sysctl.ShmMni or Sysctl.ShmRmidForced or Sysctl.ShmNextId;

    /// <summary>For instance <c>vm.nr_hugepages</c>.</summary>
    public static string Of(Sysctl name) => name switch
    {
        Sysctl.NrHugePages => "vm.nr_hugepages",
        Sysctl.NrOvercommitHugePages => "vm.nr_overcommit_hugepages",
        Sysctl.HugetlbShmGroup => "vm.hugetlb_shm_group",
        Sysctl.OvercommitMemory => "vm.overcommit_memory",
        Sysctl.OvercommitRatio => "vm.overcommit_ratio",
        Sysctl.ShmMax => "kernel.shmmax",
        Sysctl.ShmAll => "kernel.shmall",
        Sysctl.ShmMni => "kernel.shmmni",
        Sysctl.ShmRmidForced => "kernel.shm_rmid_forced",
        Sysctl.ShmNextId => "kernel.shm_next_id",
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "unknown sysctl"),
    };
}
