using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>A thread group: what the outside calls a process.</summary>
public sealed record ThreadGroup
{
    /// <summary>Thread group id: the pid of the process.</summary>
    public required int Tgid { get; init; }

    /// <summary>RLIMIT_MEMLOCK in bytes.</summary>
    public ulong MemLock { get; init; } = MachineConfig.DefaultMemLock;

    /// <summary>RLIMIT_AS in bytes.</summary>
    public ulong AddressSpaceLimit { get; init; } = SetRLimit.Unlimited;
}

/// <summary>A thread (<c>struct task_struct</c>).</summary>
public sealed record KernelTask
{
    /// <summary>Thread id.</summary>
    public required int Tid { get; init; }

    /// <summary>Thread group id.</summary>
    public required int Tgid { get; init; }

    /// <summary>Its address space, a key of <see cref="SpecState.Spaces"/>.</summary>
    public required ulong Space { get; init; }

    /// <summary>Its IPC namespace.</summary>
    public required int Namespace { get; init; }

    /// <summary>Users, groups and capabilities.</summary>
    public required Credentials Credentials { get; init; }

    /// <summary>The vfork child it waits for, a thread id; 0 none.</summary>
    public int WaitsFor { get; init; }
}

/// <summary>Users, groups and capabilities of a task (<c>struct cred</c>). The filesystem ids
/// always equal the effective ones here.</summary>
public sealed record Credentials
{
    /// <summary>Real user.</summary>
    public int Uid { get; init; }

    /// <summary>Effective user.</summary>
    public int Euid { get; init; }

    /// <summary>Saved user.</summary>
    public int Suid { get; init; }

    /// <summary>Real group.</summary>
    public int Gid { get; init; }

    /// <summary>Effective group.</summary>
    public int Egid { get; init; }

    /// <summary>Saved group.</summary>
    public int Sgid { get; init; }

    /// <summary>Supplementary groups.</summary>
    public ImmutableArray<int> Groups { get; init; } = [];

    /// <summary>Capabilities that may be made effective.</summary>
    public CapabilitySet Permitted { get; init; } = CapabilitySet.All;

    /// <summary>Capabilities that count.</summary>
    public CapabilitySet Effective { get; init; } = CapabilitySet.All;

    /// <summary>PR_SET_KEEPCAPS.</summary>
    public bool KeepCaps { get; init; }

    /// <summary>Whether a capability is effective.</summary>
    public bool Has(CapabilitySet capability) => (Effective & capability) != 0;

    /// <summary>Whether a group is the effective one or a supplementary one
    /// (kernel/groups.c:in_group_p).</summary>
    public bool IsInGroup(int group) => Egid == group || Groups.Contains(group);
}
