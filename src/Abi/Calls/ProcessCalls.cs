using System.Collections.Immutable;

namespace ShmCheck.Abi;

/// <summary>fork(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Result">Name of the child.</param>
public sealed record Fork(ProcessHandle Caller, ProcessHandle Result) : SpawnCall(Caller, Result)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Fork;
}

/// <summary>vfork(2): the child shares the address space, and the caller makes no call until the
/// child execs or exits (its calls in between are skipped).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Result">Name of the child.</param>
public sealed record VFork(ProcessHandle Caller, ProcessHandle Result) : SpawnCall(Caller, Result)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.VFork;
}

/// <summary>clone(2) with at least one of the flags that the model knows.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Flags">The flags.</param>
/// <param name="Result">Name of the child.</param>
public sealed record Clone(ProcessHandle Caller, CloneFlags Flags, ProcessHandle Result)
    : SpawnCall(Caller, Result)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Clone;
}

/// <summary>execve(2) of a program that does nothing but wait for calls: a new, empty address
/// space; other threads of the group end.</summary>
/// <param name="Caller">The process that makes it.</param>
public sealed record Exec(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Exec;
}

/// <summary>_exit(2) as the kernel has it: the calling thread ends; the address space goes with
/// its last user.</summary>
/// <param name="Caller">The thread that makes it.</param>
public sealed record Exit(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Exit;
}

/// <summary>exit_group(2): all threads of the group end.</summary>
/// <param name="Caller">A thread of the group.</param>
public sealed record ExitGroup(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.ExitGroup;
}

/// <summary>SIGKILL sent to a process by somebody with the right to: all threads of its group
/// end.</summary>
/// <param name="Victim">The process.</param>
public sealed record Kill(ProcessHandle Victim) : Call
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Kill;
}

/// <summary>unshare(2) with CLONE_NEWIPC.</summary>
/// <param name="Caller">The process that makes it.</param>
public sealed record Unshare(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Unshare;
}

/// <summary>setns(2) into the IPC namespace of another process.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Target">The process whose namespace is entered.</param>
public sealed record SetNs(ProcessHandle Caller, ProcessHandle Target) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetNs;
}

/// <summary>setuid(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Uid">The user.</param>
public sealed record SetUid(ProcessHandle Caller, int Uid) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetUid;
}

/// <summary>setgid(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Gid">The group.</param>
public sealed record SetGid(ProcessHandle Caller, int Gid) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetGid;
}

/// <summary>setresuid(2); -1 leaves an id as it is.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Real">Real user.</param>
/// <param name="Effective">Effective user.</param>
/// <param name="Saved">Saved user.</param>
public sealed record SetResUid(ProcessHandle Caller, int Real, int Effective, int Saved)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetResUid;
}

/// <summary>setresgid(2); -1 leaves an id as it is.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Real">Real group.</param>
/// <param name="Effective">Effective group.</param>
/// <param name="Saved">Saved group.</param>
public sealed record SetResGid(ProcessHandle Caller, int Real, int Effective, int Saved)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetResGid;
}

/// <summary>setgroups(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Groups">The supplementary groups.</param>
public sealed record SetGroups(ProcessHandle Caller, ImmutableArray<int> Groups)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetGroups;

    /// <inheritdoc/>
    public bool Equals(SetGroups? other) => other is not null && base.Equals(other)
        && Groups.AsSpan().SequenceEqual(other.Groups.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(base.GetHashCode());
        foreach (int group in Groups)
        {
            hash.Add(group);
        }

        return hash.ToHashCode();
    }
}

/// <summary>capset(2), of the capabilities that the model knows.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Effective">New effective set.</param>
/// <param name="Permitted">New permitted set.</param>
public sealed record CapSet(ProcessHandle Caller, CapabilitySet Effective, CapabilitySet Permitted)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.CapSet;
}

/// <summary>prctl(2) PR_SET_KEEPCAPS: keep permitted capabilities when all user ids leave 0.
/// </summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Keep">On or off.</param>
public sealed record KeepCaps(ProcessHandle Caller, bool Keep) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.KeepCaps;
}

/// <summary>setrlimit(2) of the soft limit; hard limits are infinite.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Resource">Which limit.</param>
/// <param name="Limit">Bytes; <see cref="Unlimited"/> for no limit. RLIMIT_AS counts beside what
/// the process had mapped before its first call of the model.</param>
public sealed record SetRLimit(ProcessHandle Caller, Resource Resource, ulong Limit)
    : ProcessCall(Caller)
{
    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Unlimited = ulong.MaxValue;

    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SetRLimit;
}
