using System.Collections.Immutable;

namespace ShmCheck.Abi.Recordings;

/// <summary>Which ids a call sets.</summary>
public enum IdCall
{
    /// <summary>setuid(2), setgid(2).</summary>
    Set,
    /// <summary>setreuid(2), setregid(2).</summary>
    SetRealEffective,
    /// <summary>setresuid(2), setresgid(2).</summary>
    SetRealEffectiveSaved,
    /// <summary>setfsuid(2), setfsgid(2).</summary>
    SetFileSystem,
}

/// <summary>A call that sets user or group ids. -1 leaves an id as it is.</summary>
/// <param name="Call">Which of them.</param>
/// <param name="OfGroup">Group ids.</param>
/// <param name="First">The only id, or the real one.</param>
/// <param name="Effective">The effective id, if the call has one.</param>
/// <param name="Saved">The saved id, if the call has one.</param>
public sealed record SetIdArguments(
    IdCall Call, bool OfGroup, int First, int? Effective = null, int? Saved = null)
    : SyscallArguments;

/// <summary>setgroups(2).</summary>
/// <param name="Count">How many.</param>
/// <param name="Groups">Those shown; default when none is.</param>
/// <param name="IsCut">There are more than shown.</param>
public sealed record SetGroupsArguments(ulong Count, ImmutableArray<int> Groups, bool IsCut)
    : SyscallArguments;

/// <summary>capset(2).</summary>
/// <param name="Process">Whose; 0 is the caller's.</param>
/// <param name="Sets">The sets; null when only their address is shown.</param>
public sealed record CapSetArguments(int Process, CapabilitySets? Sets) : SyscallArguments;

/// <summary>Sets of capabilities, as bits 1 &lt;&lt; number.</summary>
/// <param name="Effective">In use.</param>
/// <param name="Permitted">Can be used.</param>
/// <param name="Inheritable">Kept by execve.</param>
public sealed record CapabilitySets(ulong Effective, ulong Permitted, ulong Inheritable);
