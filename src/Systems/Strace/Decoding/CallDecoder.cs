using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Decodes the arguments of the calls that concern the model.</summary>
internal static class CallDecoder
{
    /// <summary>Decodes a call; all that is known of it must be there already.</summary>
    public static SyscallArguments Decode(StraceCall call)
    {
        SyscallArguments arguments = Decode(call, call.ArgumentText);
        if (arguments is UndecodedArguments && call.IsIntruded
            && Decode(call, IntrusionTrimmer.Trim(call)) is var trimmed and not UndecodedArguments)
        {
            return trimmed;
        }

        return arguments;
    }

    private static SyscallArguments Decode(StraceCall call, string text)
    {
        Family? family = FamilyOf(call.Name);
        if (family is null)
        {
            return OtherArguments.Instance;
        }

        if (call.Completion == CallCompletion.EntryMissing)
        {
            return new UndecodedArguments("the beginning of the call", call.Entry);
        }

        var reader = new ArgumentReader(text);
        SyscallArguments arguments = OtherArguments.Instance;
        if (reader.Expected is null)
        {
            arguments = family switch
            {
                Family.Shm => ShmDecoder.Decode(call.Name, ref reader),
                Family.Process => ProcessDecoder.Decode(call.Name, ref reader),
                Family.Memory => MemoryDecoder.Decode(call.Name, ref reader),
                Family.File => FileDecoder.Decode(call.Name, ref reader),
                Family.Credentials => CredentialDecoder.Decode(call.Name, ref reader),
                _ => throw new InvalidOperationException($"unknown family {family}"),
            };
        }

        return reader.Expected is string expected
            ? new UndecodedArguments(expected, call.PositionOf(reader.FailedAt)) : arguments;
    }

    private enum Family
    {
        Shm,
        Process,
        Memory,
        File,
        Credentials,
    }

    private static Family? FamilyOf(string name) => name switch
    {
        "shmget" or "shmat" or "shmdt" or "shmctl" => Family.Shm,
        "fork" or "vfork" or "clone" or "clone3" or "execve" or "execveat" or "exit"
            or "exit_group" or "wait4" or "waitpid" or "waitid" or "kill" or "tkill" or "tgkill"
            or "unshare" or "setns" or "prctl" or "setrlimit" or "prlimit64" or "personality"
            => Family.Process,
        "mmap" or "mmap2" or "munmap" or "mremap" or "mprotect" or "pkey_mprotect" or "madvise"
            or "process_madvise" or "mlock" or "mlock2" or "munlock" or "mlockall"
            or "munlockall" or "mbind" or "set_mempolicy" or "remap_file_pages" or "brk"
            => Family.Memory,
        "open" or "openat" or "openat2" or "creat" or "close" or "dup" or "dup2" or "dup3"
            or "fcntl" or "fcntl64" or "write" or "pwrite64" or "memfd_create" or "ftruncate"
            or "ftruncate64" or "fallocate" or "mount" or "umount" or "umount2" or "swapon"
            or "swapoff" => Family.File,
        "setuid" or "setgid" or "setreuid" or "setregid" or "setresuid" or "setresgid"
            or "setgroups" or "setfsuid" or "setfsgid" or "setuid32" or "setgid32"
            or "setreuid32" or "setregid32" or "setresuid32" or "setresgid32" or "setgroups32"
            or "setfsuid32" or "setfsgid32" or "capset" => Family.Credentials,
        _ => null,
    };
}
