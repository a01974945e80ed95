using ShmCheck.Abi;

namespace ShmCheck.Harness.Coverage;

/// <summary>A system call that fails with an errno.</summary>
/// <param name="Call">Name of the call, as Linux and the rules have it.</param>
/// <param name="Errno">The errno.</param>
public readonly record struct CallErrno(string Call, Errno Errno)
{
    /// <summary>The name of a call: the system call's, or the event's.</summary>
    public static string NameOf(CallKind kind) => kind switch
    {
        CallKind.ShmCtlStat or CallKind.ShmCtlSet or CallKind.ShmCtlRmid or CallKind.ShmCtlLock
            or CallKind.ShmCtlUnlock or CallKind.ShmCtlIpcInfo or CallKind.ShmCtlShmInfo
            or CallKind.ShmCtlStatIndex or CallKind.ShmCtlOther => "shmctl",
        CallKind.Exec => "execve",
        CallKind.ExitGroup => "exit_group",
        CallKind.SetSysctl => "sysctl",
        CallKind.KeepCaps => "prctl",
        _ => kind.ToString().ToLowerInvariant(),
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Call} {Errno}";
}
