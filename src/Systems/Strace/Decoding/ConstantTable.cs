using System.Collections.Frozen;
using System.Globalization;

namespace ShmCheck.Systems.Strace;

/// <summary>Names of constants and their values on Linux/x86.</summary>
internal sealed class ConstantTable
{
    private readonly FrozenDictionary<string, ulong>.AlternateLookup<ReadOnlySpan<char>> _values;

    /// <param name="definitions">Pairs of a name and a number, apart by white space; numbers as in
    /// C: decimal, octal, hexadecimal.</param>
    private ConstantTable(params ReadOnlySpan<string> definitions)
    {
        var values = new Dictionary<string, ulong>();
        foreach (string text in definitions)
        {
            string[] words = text.Split(
                (char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < words.Length; i += 2)
            {
                int length = NumberText.Literal(words[i + 1], out ulong value);
                if (length != words[i + 1].Length || !values.TryAdd(words[i], value))
                {
                    throw new InvalidOperationException($"bad definition of {words[i]}");
                }
            }
        }

        _values = values.ToFrozenDictionary().GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The value of a name.</summary>
    public bool TryGet(ReadOnlySpan<char> name, out ulong value) =>
        _values.TryGetValue(name, out value);

    /// <summary>No names.</summary>
    public static ConstantTable Empty { get; } = new();

    /// <summary>shmget(2): key and flags (linux/ipc.h, linux/shm.h).</summary>
    public static ConstantTable ShmGet { get; } = new("""
        IPC_PRIVATE 0 IPC_CREAT 01000 IPC_EXCL 02000 SHM_HUGETLB 04000 SHM_NORESERVE 010000
        SHM_HUGE_SHIFT 26 SHM_R 0400 SHM_W 0200
        """);

    /// <summary>shmat(2) (linux/shm.h).</summary>
    public static ConstantTable ShmAt { get; } = new("""
        SHM_RDONLY 010000 SHM_RND 020000 SHM_REMAP 040000 SHM_EXEC 0100000
        """);

    /// <summary>shmctl(2) (linux/ipc.h, linux/shm.h).</summary>
    public static ConstantTable ShmCtl { get; } = new("""
        IPC_RMID 0 IPC_SET 1 IPC_STAT 2 IPC_INFO 3 SHM_LOCK 11 SHM_UNLOCK 12 SHM_STAT 13
        SHM_INFO 14 SHM_STAT_ANY 15 IPC_64 0x100
        """);

    /// <summary>Protection of mappings (asm-generic/mman-common.h).</summary>
    public static ConstantTable Protection { get; } = new("""
        PROT_NONE 0 PROT_READ 1 PROT_WRITE 2 PROT_EXEC 4 PROT_SEM 8
        PROT_GROWSDOWN 0x1000000 PROT_GROWSUP 0x2000000
        """);

    /// <summary>mmap(2) (asm-generic/mman.h, linux/mman.h, asm/mman.h).</summary>
    public static ConstantTable MMap { get; } = new("""
        MAP_FILE 0 MAP_SHARED 1 MAP_PRIVATE 2 MAP_SHARED_VALIDATE 3 MAP_DROPPABLE 8
        MAP_FIXED 0x10 MAP_ANONYMOUS 0x20 MAP_ANON 0x20 MAP_32BIT 0x40 MAP_ABOVE4G 0x80
        MAP_GROWSDOWN 0x100 MAP_DENYWRITE 0x800 MAP_EXECUTABLE 0x1000 MAP_LOCKED 0x2000
        MAP_NORESERVE 0x4000 MAP_POPULATE 0x8000 MAP_NONBLOCK 0x10000 MAP_STACK 0x20000
        MAP_HUGETLB 0x40000 MAP_SYNC 0x80000 MAP_FIXED_NOREPLACE 0x100000
        MAP_UNINITIALIZED 0x4000000 MAP_HUGE_SHIFT 26
        """);

    /// <summary>mremap(2) (linux/mman.h).</summary>
    public static ConstantTable MRemap { get; } = new("""
        MREMAP_MAYMOVE 1 MREMAP_FIXED 2 MREMAP_DONTUNMAP 4
        """);

    /// <summary>madvise(2) (asm-generic/mman-common.h).</summary>
    public static ConstantTable Advice { get; } = new("""
        MADV_NORMAL 0 MADV_RANDOM 1 MADV_SEQUENTIAL 2 MADV_WILLNEED 3 MADV_DONTNEED 4
        MADV_FREE 8 MADV_REMOVE 9 MADV_DONTFORK 10 MADV_DOFORK 11 MADV_MERGEABLE 12
        MADV_UNMERGEABLE 13 MADV_HUGEPAGE 14 MADV_NOHUGEPAGE 15 MADV_DONTDUMP 16
        MADV_DODUMP 17 MADV_WIPEONFORK 18 MADV_KEEPONFORK 19 MADV_COLD 20 MADV_PAGEOUT 21
        MADV_POPULATE_READ 22 MADV_POPULATE_WRITE 23 MADV_DONTNEED_LOCKED 24 MADV_COLLAPSE 25
        MADV_HWPOISON 100 MADV_SOFT_OFFLINE 101 MADV_GUARD_INSTALL 102 MADV_GUARD_REMOVE 103
        """);

    /// <summary>mlock2(2) and mlockall(2) (asm-generic/mman.h).</summary>
    public static ConstantTable MLock { get; } = new("""
        MLOCK_ONFAULT 1 MCL_CURRENT 1 MCL_FUTURE 2 MCL_ONFAULT 4
        """);

    /// <summary>mbind(2) and set_mempolicy(2) (linux/mempolicy.h).</summary>
    public static ConstantTable Policy { get; } = new("""
        MPOL_DEFAULT 0 MPOL_PREFERRED 1 MPOL_BIND 2 MPOL_INTERLEAVE 3 MPOL_LOCAL 4
        MPOL_PREFERRED_MANY 5 MPOL_WEIGHTED_INTERLEAVE 6 MPOL_F_NUMA_BALANCING 0x2000
        MPOL_F_RELATIVE_NODES 0x4000 MPOL_F_STATIC_NODES 0x8000
        MPOL_MF_STRICT 1 MPOL_MF_MOVE 2 MPOL_MF_MOVE_ALL 4
        """);

    /// <summary>memfd_create(2) (linux/memfd.h).</summary>
    public static ConstantTable MemFd { get; } = new("""
        MFD_CLOEXEC 1 MFD_ALLOW_SEALING 2 MFD_HUGETLB 4 MFD_NOEXEC_SEAL 8 MFD_EXEC 0x10
        MFD_HUGE_SHIFT 26
        """);

    /// <summary>fallocate(2) (linux/falloc.h).</summary>
    public static ConstantTable FAllocate { get; } = new("""
        FALLOC_FL_KEEP_SIZE 1 FALLOC_FL_PUNCH_HOLE 2 FALLOC_FL_NO_HIDE_STALE 4
        FALLOC_FL_COLLAPSE_RANGE 8 FALLOC_FL_ZERO_RANGE 0x10 FALLOC_FL_INSERT_RANGE 0x20
        FALLOC_FL_UNSHARE_RANGE 0x40 FALLOC_FL_WRITE_ZEROES 0x80
        """);

    /// <summary>open(2), dup3(2), fcntl(2) (asm-generic/fcntl.h, linux/fcntl.h).</summary>
    public static ConstantTable Open { get; } = new("""
        O_RDONLY 0 O_WRONLY 1 O_RDWR 2 O_ACCMODE 3 O_CREAT 0100 O_EXCL 0200 O_NOCTTY 0400
        O_TRUNC 01000 O_APPEND 02000 O_NONBLOCK 04000 O_DSYNC 010000 FASYNC 020000
        O_DIRECT 040000 O_LARGEFILE 0100000 O_DIRECTORY 0200000 O_NOFOLLOW 0400000
        O_NOATIME 01000000 O_CLOEXEC 02000000 __O_SYNC 04000000 O_SYNC 04010000
        O_PATH 010000000 __O_TMPFILE 020000000 O_TMPFILE 020200000 AT_FDCWD -100
        F_DUPFD 0 F_DUPFD_CLOEXEC 1030
        """);

    /// <summary>mount(2) and umount2(2) (linux/mount.h, linux/fs.h).</summary>
    public static ConstantTable Mount { get; } = new("""
        MS_RDONLY 1 MS_NOSUID 2 MS_NODEV 4 MS_NOEXEC 8 MS_SYNCHRONOUS 0x10 MS_REMOUNT 0x20
        MS_MANDLOCK 0x40 MS_DIRSYNC 0x80 MS_NOSYMFOLLOW 0x100 MS_NOATIME 0x400
        MS_NODIRATIME 0x800 MS_BIND 0x1000 MS_MOVE 0x2000 MS_REC 0x4000 MS_SILENT 0x8000
        MS_POSIXACL 0x10000 MS_UNBINDABLE 0x20000 MS_PRIVATE 0x40000 MS_SLAVE 0x80000
        MS_SHARED 0x100000 MS_RELATIME 0x200000 MS_KERNMOUNT 0x400000 MS_I_VERSION 0x800000
        MS_STRICTATIME 0x1000000 MS_LAZYTIME 0x2000000 MS_MGC_VAL 0xc0ed0000
        MNT_FORCE 1 MNT_DETACH 2 MNT_EXPIRE 4 UMOUNT_NOFOLLOW 8
        """);

    /// <summary>clone(2), clone3(2), unshare(2), setns(2) (linux/sched.h); clone(2) adds the
    /// signal in the low byte.</summary>
    public static ConstantTable Clone { get; } = new("""
        CLONE_NEWTIME 0x80 CLONE_VM 0x100 CLONE_FS 0x200 CLONE_FILES 0x400
        CLONE_SIGHAND 0x800 CLONE_PIDFD 0x1000 CLONE_PTRACE 0x2000 CLONE_VFORK 0x4000
        CLONE_PARENT 0x8000 CLONE_THREAD 0x10000 CLONE_NEWNS 0x20000 CLONE_SYSVSEM 0x40000
        CLONE_SETTLS 0x80000 CLONE_PARENT_SETTID 0x100000 CLONE_CHILD_CLEARTID 0x200000
        CLONE_DETACHED 0x400000 CLONE_UNTRACED 0x800000 CLONE_CHILD_SETTID 0x1000000
        CLONE_NEWCGROUP 0x2000000 CLONE_NEWUTS 0x4000000 CLONE_NEWIPC 0x8000000
        CLONE_NEWUSER 0x10000000 CLONE_NEWPID 0x20000000 CLONE_NEWNET 0x40000000
        CLONE_IO 0x80000000 CLONE_CLEAR_SIGHAND 0x100000000 CLONE_INTO_CGROUP 0x200000000
        """, SignalNumbers.Definitions);

    /// <summary>Signals, where one is an argument.</summary>
    public static ConstantTable Signals { get; } = new(SignalNumbers.Definitions);

    /// <summary>Resource limits (asm-generic/resource.h); no limit is all ones.</summary>
    public static ConstantTable Resources { get; } = new("""
        RLIMIT_CPU 0 RLIMIT_FSIZE 1 RLIMIT_DATA 2 RLIMIT_STACK 3 RLIMIT_CORE 4 RLIMIT_RSS 5
        RLIMIT_NPROC 6 RLIMIT_NOFILE 7 RLIMIT_MEMLOCK 8 RLIMIT_AS 9 RLIMIT_LOCKS 10
        RLIMIT_SIGPENDING 11 RLIMIT_MSGQUEUE 12 RLIMIT_NICE 13 RLIMIT_RTPRIO 14
        RLIMIT_RTTIME 15 RLIM_INFINITY -1 RLIM64_INFINITY -1
        """);

    /// <summary>prctl(2), as far as it concerns credentials and memory (linux/prctl.h).
    /// </summary>
    public static ConstantTable Prctl { get; } = new("""
        PR_SET_PDEATHSIG 1 PR_GET_PDEATHSIG 2 PR_GET_DUMPABLE 3 PR_SET_DUMPABLE 4
        PR_GET_KEEPCAPS 7 PR_SET_KEEPCAPS 8 PR_SET_NAME 15 PR_GET_NAME 16
        PR_CAPBSET_READ 23 PR_CAPBSET_DROP 24 PR_GET_SECUREBITS 27 PR_SET_SECUREBITS 28
        PR_SET_MM 35 PR_SET_CHILD_SUBREAPER 36 PR_GET_CHILD_SUBREAPER 37
        PR_SET_NO_NEW_PRIVS 38 PR_GET_NO_NEW_PRIVS 39 PR_SET_THP_DISABLE 41
        PR_GET_THP_DISABLE 42 PR_CAP_AMBIENT 47 PR_SET_MDWE 65 PR_GET_MDWE 66
        PR_SET_MEMORY_MERGE 67 PR_GET_MEMORY_MERGE 68 PR_SET_VMA 0x53564d41
        """);

    /// <summary>wait4(2) and waitid(2) (linux/wait.h).</summary>
    public static ConstantTable Wait { get; } = new("""
        WNOHANG 1 WUNTRACED 2 WSTOPPED 2 WEXITED 4 WCONTINUED 8 WNOWAIT 0x1000000
        __WNOTHREAD 0x20000000 __WALL 0x40000000 __WCLONE 0x80000000
        P_ALL 0 P_PID 1 P_PGID 2 P_PIDFD 3
        """);

    /// <summary>swapon(2) (linux/swap.h).</summary>
    public static ConstantTable SwapOn { get; } = new("""
        SWAP_FLAG_PREFER 0x8000 SWAP_FLAG_DISCARD 0x10000 SWAP_FLAG_DISCARD_ONCE 0x20000
        SWAP_FLAG_DISCARD_PAGES 0x40000
        """);

    /// <summary>personality(2) (linux/personality.h).</summary>
    public static ConstantTable Personality { get; } = new("""
        PER_LINUX 0 PER_LINUX32 8 UNAME26 0x20000 ADDR_NO_RANDOMIZE 0x40000
        FDPIC_FUNCPTRS 0x80000 MMAP_PAGE_ZERO 0x100000 ADDR_COMPAT_LAYOUT 0x200000
        READ_IMPLIES_EXEC 0x400000 ADDR_LIMIT_32BIT 0x800000 SHORT_INODE 0x1000000
        WHOLE_SECONDS 0x2000000 STICKY_TIMEOUTS 0x4000000 ADDR_LIMIT_3GB 0x8000000
        """);

    /// <summary>Capabilities as numbers (linux/capability.h): printed as
    /// <c>1&lt;&lt;CAP_CHOWN</c>.</summary>
    public static ConstantTable Capabilities { get; } = new(DefineCapabilities());

    private static string DefineCapabilities()
    {
        const string names = """
            CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
            LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER
            SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
            SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
            MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
            CHECKPOINT_RESTORE
            """;
        string[] words = names.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', words.Select((name, number) =>
            string.Create(CultureInfo.InvariantCulture, $"CAP_{name} {number}")));
    }
}
