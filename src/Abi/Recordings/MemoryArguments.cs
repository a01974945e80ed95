using System.Collections.Immutable;

namespace ShmCheck.Abi.Recordings;

/// <summary>mmap(2) or mmap2(2).</summary>
/// <param name="Address">Hint, or the address under MAP_FIXED.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Protection">Protection.</param>
/// <param name="Flags">Flags, huge page size included.</param>
/// <param name="Descriptor">The file; -1 none.</param>
/// <param name="Offset">Offset in bytes.</param>
public sealed record MMapArguments(
    ulong Address, ulong Length, FlagWord Protection, FlagWord Flags, FileDescriptor Descriptor,
    ulong Offset) : SyscallArguments
{
    /// <summary>Kind of mapping: MAP_SHARED 1, MAP_PRIVATE 2, MAP_SHARED_VALIDATE 3.</summary>
    public const ulong MAP_TYPE = 0xf;
    /// <summary>Exactly there, replacing what is mapped.</summary>
    public const ulong MAP_FIXED = 0x10;
    /// <summary>No file.</summary>
    public const ulong MAP_ANONYMOUS = 0x20;
    /// <summary>No commit charge.</summary>
    public const ulong MAP_NORESERVE = 0x4000;
    /// <summary>Fault everything in.</summary>
    public const ulong MAP_POPULATE = 0x8000;
    /// <summary>Huge pages.</summary>
    public const ulong MAP_HUGETLB = 0x40000;
    /// <summary>Exactly there, if nothing is mapped.</summary>
    public const ulong MAP_FIXED_NOREPLACE = 0x100000;
    /// <summary>Position of the log2 of the huge page size.</summary>
    public const int MAP_HUGE_SHIFT = 26;
}

/// <summary>munmap(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
public sealed record MUnmapArguments(ulong Address, ulong Length) : SyscallArguments;

/// <summary>mremap(2).</summary>
/// <param name="Address">Old start.</param>
/// <param name="Length">Old length in bytes.</param>
/// <param name="NewLength">New length in bytes.</param>
/// <param name="Flags">Flags.</param>
/// <param name="NewAddress">New start, where shown: strace does so under MREMAP_FIXED.</param>
public sealed record MRemapArguments(
    ulong Address, ulong Length, ulong NewLength, FlagWord Flags, ulong? NewAddress)
    : SyscallArguments;

/// <summary>mprotect(2) or pkey_mprotect(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Protection">New protection.</param>
/// <param name="Key">Protection key; null for mprotect.</param>
public sealed record MProtectArguments(
    ulong Address, ulong Length, FlagWord Protection, int? Key) : SyscallArguments;

/// <summary>madvise(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Advice">The advice, as in <see cref="Abi.Advice"/> or another number.</param>
public sealed record MAdviseArguments(ulong Address, ulong Length, FlagWord Advice)
    : SyscallArguments;

/// <summary>process_madvise(2).</summary>
/// <param name="Process">A pidfd.</param>
/// <param name="Ranges">The ranges; default when they are not shown.</param>
/// <param name="Advice">The advice.</param>
public sealed record ProcessMAdviseArguments(
    FileDescriptor Process, ImmutableArray<MemoryRange> Ranges, FlagWord Advice)
    : SyscallArguments;

/// <summary>A range of addresses.</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct MemoryRange(ulong Address, ulong Length);

/// <summary>mlock(2) or mlock2(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Flags">MLOCK_ONFAULT is 1; null for mlock.</param>
public sealed record MLockArguments(ulong Address, ulong Length, FlagWord? Flags)
    : SyscallArguments;

/// <summary>munlock(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
public sealed record MUnlockArguments(ulong Address, ulong Length) : SyscallArguments;

/// <summary>mlockall(2).</summary>
/// <param name="Flags">MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4.</param>
public sealed record MLockAllArguments(FlagWord Flags) : SyscallArguments;

/// <summary>munlockall(2).</summary>
public sealed record MUnlockAllArguments : SyscallArguments;

/// <summary>mbind(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Policy">MPOL_DEFAULT 0 and so on, with its MPOL_F flags.</param>
/// <param name="Nodes">The nodes as printed.</param>
/// <param name="Flags">MPOL_MF flags.</param>
public sealed record MBindArguments(
    ulong Address, ulong Length, FlagWord Policy, string Nodes, FlagWord Flags)
    : SyscallArguments;

/// <summary>set_mempolicy(2).</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Nodes">The nodes as printed.</param>
public sealed record SetMemPolicyArguments(FlagWord Policy, string Nodes) : SyscallArguments;

/// <summary>remap_file_pages(2).</summary>
/// <param name="Address">Start.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Protection">Must be 0.</param>
/// <param name="Page">Page of the file.</param>
/// <param name="Flags">Flags.</param>
public sealed record RemapFilePagesArguments(
    ulong Address, ulong Length, FlagWord Protection, ulong Page, FlagWord Flags)
    : SyscallArguments;

/// <summary>brk(2).</summary>
/// <param name="Address">The new end of the heap; 0 only asks.</param>
public sealed record BrkArguments(ulong Address) : SyscallArguments;
