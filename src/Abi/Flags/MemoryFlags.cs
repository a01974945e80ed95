using System.Text;

namespace ShmCheck.Abi;

/// <summary>Protection of a mapping (mprotect(2)).</summary>
[Flags]
public enum Protection
{
    /// <summary>No access.</summary>
    PROT_NONE = 0,
    /// <summary>May be read.</summary>
    PROT_READ = 1,
    /// <summary>May be written.</summary>
    PROT_WRITE = 2,
    /// <summary>May be executed.</summary>
    PROT_EXEC = 4,
}

/// <summary>Flags of an anonymous private mmap(2) beside MAP_PRIVATE|MAP_ANONYMOUS, which are
/// always set.</summary>
[Flags]
public enum MapFlags
{
    /// <summary>The address is a hint.</summary>
    None = 0,
    /// <summary>Exactly there, replacing what is mapped.</summary>
    MAP_FIXED = 0x10,
    /// <summary>No commit charge in overcommit modes 0 and 1.</summary>
    MAP_NORESERVE = 0x4000,
    /// <summary>Exactly there, EEXIST if something is mapped.</summary>
    MAP_FIXED_NOREPLACE = 0x100000,
}

/// <summary>Flags of mremap(2).</summary>
[Flags]
public enum MRemapFlags
{
    /// <summary>Resize in place only.</summary>
    None = 0,
    /// <summary>May move.</summary>
    MREMAP_MAYMOVE = 1,
    /// <summary>Move to the given address, replacing what is mapped there.</summary>
    MREMAP_FIXED = 2,
    /// <summary>Leave the old range mapped, without its page table entries.</summary>
    MREMAP_DONTUNMAP = 4,
}

/// <summary>Flags of mlockall(2).</summary>
[Flags]
public enum MLockAllFlags
{
    /// <summary>No flag: EINVAL.</summary>
    None = 0,
    /// <summary>Lock what is mapped now.</summary>
    MCL_CURRENT = 1,
    /// <summary>Lock what will be mapped.</summary>
    MCL_FUTURE = 2,
}

/// <summary>Advice of madvise(2), numbered as on Linux.</summary>
public enum Advice
{
    /// <summary>No special treatment: clears MADV_RANDOM and MADV_SEQUENTIAL.</summary>
    MADV_NORMAL = 0,
    /// <summary>Expect random references.</summary>
    MADV_RANDOM = 1,
    /// <summary>Expect sequential references.</summary>
    MADV_SEQUENTIAL = 2,
    /// <summary>Prefetch: bring swapped pages into the swap cache.</summary>
    MADV_WILLNEED = 3,
    /// <summary>Drop the page table entries.</summary>
    MADV_DONTNEED = 4,
    /// <summary>Free lazily; EINVAL on shared mappings.</summary>
    MADV_FREE = 8,
    /// <summary>Punch a hole into the object.</summary>
    MADV_REMOVE = 9,
    /// <summary>Not inherited by fork.</summary>
    MADV_DONTFORK = 10,
    /// <summary>Inherited by fork again.</summary>
    MADV_DOFORK = 11,
    /// <summary>Leave out of core dumps.</summary>
    MADV_DONTDUMP = 16,
    /// <summary>Back into core dumps.</summary>
    MADV_DODUMP = 17,
    /// <summary>Deactivate the pages.</summary>
    MADV_COLD = 20,
    /// <summary>Reclaim the pages now.</summary>
    MADV_PAGEOUT = 21,
    /// <summary>Fault all pages in as a read would.</summary>
    MADV_POPULATE_READ = 22,
    /// <summary>Fault all pages in as a write would.</summary>
    MADV_POPULATE_WRITE = 23,
}

/// <summary>Flags of clone(2) that the model knows.</summary>
[Flags]
public enum CloneFlags
{
    /// <summary>As fork.</summary>
    None = 0,
    /// <summary>Share the address space.</summary>
    CLONE_VM = 0x100,
    /// <summary>The parent waits until the child execs or exits.</summary>
    CLONE_VFORK = 0x4000,
    /// <summary>Same thread group (needs CLONE_VM).</summary>
    CLONE_THREAD = 0x10000,
    /// <summary>New IPC namespace.</summary>
    CLONE_NEWIPC = 0x8000000,
}

/// <summary>Commands of shmctl(2), numbered as on Linux.</summary>
public enum ShmCommand
{
    /// <summary>Remove the segment.</summary>
    IPC_RMID = 0,
    /// <summary>Set owner and mode.</summary>
    IPC_SET = 1,
    /// <summary>Read the segment's data.</summary>
    IPC_STAT = 2,
    /// <summary>Read the limits.</summary>
    IPC_INFO = 3,
    /// <summary>Lock the segment into memory.</summary>
    SHM_LOCK = 11,
    /// <summary>Unlock it.</summary>
    SHM_UNLOCK = 12,
    /// <summary>As IPC_STAT, by table index.</summary>
    SHM_STAT = 13,
    /// <summary>Read the totals.</summary>
    SHM_INFO = 14,
    /// <summary>As SHM_STAT, without the permission test.</summary>
    SHM_STAT_ANY = 15,
}

/// <summary>Resource limits the model knows (getrlimit(2)), in bytes.</summary>
public enum Resource
{
    /// <summary>Bytes a process may lock; SHM_LOCK counts per user.</summary>
    RLIMIT_MEMLOCK = 8,
    /// <summary>Bytes of address space.</summary>
    RLIMIT_AS = 9,
}

/// <summary>Capabilities the model knows (capabilities(7)), as bits 1 &lt;&lt; number.</summary>
[Flags]
public enum CapabilitySet : ulong
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Change group ids freely.</summary>
    CAP_SETGID = 1ul << 6,
    /// <summary>Change user ids freely.</summary>
    CAP_SETUID = 1ul << 7,
    /// <summary>Lock memory without limit; create huge segments.</summary>
    CAP_IPC_LOCK = 1ul << 14,
    /// <summary>Override the permission test of System V objects.</summary>
    CAP_IPC_OWNER = 1ul << 15,
    /// <summary>Map below mmap_min_addr.</summary>
    CAP_SYS_RAWIO = 1ul << 17,
    /// <summary>Own every System V object; swapon, swapoff; unshare namespaces.</summary>
    CAP_SYS_ADMIN = 1ul << 21,
    /// <summary>Override resource limits.</summary>
    CAP_SYS_RESOURCE = 1ul << 24,
    /// <summary>All that the model knows.</summary>
    All = CAP_SETGID | CAP_SETUID | CAP_IPC_LOCK | CAP_IPC_OWNER | CAP_SYS_RAWIO
        | CAP_SYS_ADMIN | CAP_SYS_RESOURCE,
}

/// <summary>Prints memory flags as strace does.</summary>
public static class MemoryFlagText
{
    /// <summary>For instance <c>PROT_READ|PROT_WRITE</c>.</summary>
    public static string Of(Protection protection) =>
        protection == 0 ? nameof(Protection.PROT_NONE) : Join(protection);

    /// <summary>For instance <c>MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED</c>.</summary>
    public static string Of(MapFlags flags) => flags == 0
        ? "MAP_PRIVATE|MAP_ANONYMOUS" : "MAP_PRIVATE|MAP_ANONYMOUS|" + Join(flags);

    /// <summary>For instance <c>MREMAP_MAYMOVE|MREMAP_FIXED</c>, or <c>0</c>.</summary>
    public static string Of(MRemapFlags flags) => flags == 0 ? "0" : Join(flags);

    /// <summary>For instance <c>MCL_FUTURE</c>, or <c>0</c>.</summary>
    public static string Of(MLockAllFlags flags) => flags == 0 ? "0" : Join(flags);

    /// <summary>For instance <c>CLONE_VM|CLONE_THREAD</c>, or <c>0</c>.</summary>
    public static string Of(CloneFlags flags) => flags == 0 ? "0" : Join(flags);

    /// <summary>For instance <c>CAP_IPC_LOCK|CAP_SYS_ADMIN</c>, or <c>0</c>.</summary>
    public static string Of(CapabilitySet set) => set switch
    {
        CapabilitySet.None => "0",
        CapabilitySet.All => "ALL",
        _ => Join(set),
    };

    private static string Join<T>(T flags)
        where T : struct, Enum
    {
        var text = new StringBuilder();
        ulong rest = (ulong)Convert.ToInt64(flags);
        foreach (T value in Enum.GetValues<T>())
        {
            ulong bit = Convert.ToUInt64(value);
            if (ulong.PopCount(bit) != 1 || (rest & bit) == 0)
            {
                continue;
            }

            FlagText.Separate(text);
            text.Append(value);
            rest &= ~bit;
        }

        FlagText.AppendRest(text, (int)rest);
        return text.ToString();
    }
}
