using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Groups of calls that the reader itself must know.</summary>
internal static class CallKinds
{
    /// <summary>Calls that exist for 32-bit programs on x86 only.</summary>
    public static bool Is32BitOnly(string name) => name is "mmap2" or "ipc" or "socketcall"
        or "_llseek" or "fcntl64" or "fstatat64" or "stat64" or "lstat64" or "fstat64"
        or "ftruncate64" or "truncate64" or "statfs64" or "fstatfs64" or "waitpid" or "ugetrlimit"
        or "sigreturn" or "sigaction" or "sigprocmask" or "umount" or "nice" or "stime"
        or "clock_gettime64" or "clock_nanosleep_time64" or "futex_time64" or "ppoll_time64"
        or "pselect6_time64" or "utimensat_time64" or "rt_sigtimedwait_time64" or "sendfile64"
        or "setuid32" or "setgid32" or "setreuid32" or "setregid32" or "setresuid32"
        or "setresgid32" or "setgroups32" or "setfsuid32" or "setfsgid32" or "getuid32"
        or "getgid32" or "geteuid32" or "getegid32" or "getgroups32" or "getresuid32"
        or "getresgid32" or "chown32" or "fchown32" or "lchown32" or "fadvise64_64";

    /// <summary>Calls that 32-bit programs on x86 do not have.</summary>
    public static bool Is64BitOnly(string name) => name is "newfstatat";

    /// <summary>Whether the call starts a task.</summary>
    public static bool IsSpawn(string name) =>
        name is "clone" or "clone3" or "fork" or "vfork";

    /// <summary>The task that a call started.</summary>
    public static int? ChildOf(StraceCall call) =>
        IsSpawn(call.Name) ? ChildOf(call.Result) : null;

    /// <summary>The task that the result of such a call names.</summary>
    public static int? ChildOf(StraceResult result) =>
        result is { Kind: ResultKind.Value, Value: > 0 and <= LinePrefix.MaxTask }
            ? (int)result.Value : null;

    /// <summary>Whether the call returns an address.</summary>
    public static bool ReturnsAddress(string name) =>
        name is "mmap" or "mmap2" or "mremap" or "shmat" or "brk";
}
