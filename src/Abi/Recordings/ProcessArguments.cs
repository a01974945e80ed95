using System.Collections.Immutable;

namespace ShmCheck.Abi.Recordings;

/// <summary>fork(2).</summary>
public sealed record ForkArguments : SyscallArguments;

/// <summary>vfork(2).</summary>
public sealed record VForkArguments : SyscallArguments;

/// <summary>clone(2) or clone3(2).</summary>
/// <param name="Flags">The flags, without the signal.</param>
/// <param name="ExitSignal">The signal that the parent gets at the end of the child; 0 none.
/// </param>
/// <param name="Stack">Stack of the child; 0 is the parent's.</param>
public sealed record CloneArguments(FlagWord Flags, int ExitSignal, ulong Stack)
    : SyscallArguments
{
    /// <summary>Share the address space.</summary>
    public const ulong CLONE_VM = 0x100;
    /// <summary>The parent waits until the child execs or ends.</summary>
    public const ulong CLONE_VFORK = 0x4000;
    /// <summary>Same thread group.</summary>
    public const ulong CLONE_THREAD = 0x10000;
    /// <summary>New IPC namespace.</summary>
    public const ulong CLONE_NEWIPC = 0x8000000;
    /// <summary>New user namespace.</summary>
    public const ulong CLONE_NEWUSER = 0x10000000;
    /// <summary>New pid namespace: pids in structures are those of the namespace.</summary>
    public const ulong CLONE_NEWPID = 0x20000000;
}

/// <summary>execve(2) or execveat(2).</summary>
/// <param name="Path">The program; null when only its address is shown.</param>
/// <param name="Arguments">Its arguments as printed.</param>
public sealed record ExecArguments(QuotedText? Path, string Arguments) : SyscallArguments;

/// <summary>exit(2) or exit_group(2).</summary>
/// <param name="Status">Exit status as passed.</param>
/// <param name="WholeGroup">exit_group.</param>
public sealed record ExitArguments(int Status, bool WholeGroup) : SyscallArguments;

/// <summary>wait4(2), waitpid(2) or waitid(2).</summary>
/// <param name="IdType">P_ALL 0, P_PID 1, P_PGID 2, P_PIDFD 3; null for wait4.</param>
/// <param name="Id">Whom to wait for.</param>
/// <param name="Status">What was learned, as printed; null when nothing was.</param>
/// <param name="Options">Options.</param>
public sealed record WaitArguments(int? IdType, int Id, string? Status, FlagWord Options)
    : SyscallArguments;

/// <summary>kill(2), tkill(2) or tgkill(2).</summary>
/// <param name="Group">Process or group of kill, thread group of tgkill; null for tkill.</param>
/// <param name="Thread">Thread; null for kill.</param>
/// <param name="Signal">The signal; 0 only tests.</param>
public sealed record KillArguments(int? Group, int? Thread, int Signal) : SyscallArguments;

/// <summary>unshare(2).</summary>
/// <param name="Flags">CLONE_NEWIPC and others.</param>
public sealed record UnshareArguments(FlagWord Flags) : SyscallArguments;

/// <summary>setns(2).</summary>
/// <param name="Namespace">The namespace, or a pidfd.</param>
/// <param name="Types">Which kinds; 0 any.</param>
public sealed record SetNsArguments(FileDescriptor Namespace, FlagWord Types)
    : SyscallArguments;

/// <summary>prctl(2).</summary>
/// <param name="Option">Number of the option.</param>
/// <param name="OptionName">Its name where this reader does not know it: then
/// <paramref name="Option"/> is 0.</param>
/// <param name="Value">The second argument, if it is a number.</param>
/// <param name="Rest">The other arguments as printed.</param>
public sealed record PrctlArguments(
    int Option, string? OptionName, ulong? Value, ImmutableArray<string> Rest) : SyscallArguments
{
    /// <summary>PR_SET_KEEPCAPS.</summary>
    public const int SetKeepCaps = 8;
}

/// <summary>setrlimit(2) or prlimit64(2).</summary>
/// <param name="Process">Whose limit; 0 is the caller's.</param>
/// <param name="Resource">Number of the resource (8 is RLIMIT_MEMLOCK, 9 is RLIMIT_AS).</param>
/// <param name="Change">The new limit; null when it is only read, or not shown.</param>
/// <param name="Previous">The limit before; null when not asked for, or not shown.</param>
/// <param name="IsHidden">A new limit is set, and the log shows its address only.</param>
public sealed record RLimitArguments(
    int Process, int Resource, RLimit? Change, RLimit? Previous, bool IsHidden)
    : SyscallArguments;

/// <summary>A resource limit; all bits set is no limit.</summary>
/// <param name="Soft">The limit.</param>
/// <param name="Hard">The most that it can be set to.</param>
public readonly record struct RLimit(ulong Soft, ulong Hard);

/// <summary>personality(2).</summary>
/// <param name="Value">The new one; 0xffffffff only asks.</param>
public sealed record PersonalityArguments(FlagWord Value) : SyscallArguments;
