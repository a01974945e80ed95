namespace ShmCheck.Abi.Recordings;

/// <summary>open(2), openat(2) or creat(2).</summary>
/// <param name="Directory">The directory; AT_FDCWD for open.</param>
/// <param name="Path">The path; null when only its address is shown.</param>
/// <param name="Flags">Flags.</param>
public sealed record OpenArguments(
    FileDescriptor Directory, QuotedText? Path, FlagWord Flags) : SyscallArguments;

/// <summary>close(2).</summary>
/// <param name="Descriptor">The descriptor.</param>
public sealed record CloseArguments(FileDescriptor Descriptor) : SyscallArguments;

/// <summary>dup(2), dup2(2), dup3(2), or fcntl(2) with F_DUPFD or F_DUPFD_CLOEXEC.</summary>
/// <param name="Descriptor">The descriptor.</param>
/// <param name="Target">The new one of dup2 and dup3, the lowest admitted one of fcntl; null for
/// dup.</param>
public sealed record DupArguments(FileDescriptor Descriptor, int? Target) : SyscallArguments;

/// <summary>write(2) or pwrite64(2).</summary>
/// <param name="Descriptor">The file.</param>
/// <param name="Text">What is written, as far as shown; null when only its address is.</param>
/// <param name="Count">Bytes.</param>
/// <param name="Offset">Where (pwrite64).</param>
public sealed record WriteArguments(
    FileDescriptor Descriptor, QuotedText? Text, ulong Count, ulong? Offset) : SyscallArguments;

/// <summary>memfd_create(2).</summary>
/// <param name="Name">The name; null when only its address is shown.</param>
/// <param name="Flags">Flags; MFD_HUGETLB is 4.</param>
public sealed record MemFdCreateArguments(QuotedText? Name, FlagWord Flags) : SyscallArguments;

/// <summary>ftruncate(2).</summary>
/// <param name="Descriptor">The file.</param>
/// <param name="Length">New length in bytes.</param>
public sealed record FTruncateArguments(FileDescriptor Descriptor, ulong Length)
    : SyscallArguments;

/// <summary>fallocate(2).</summary>
/// <param name="Descriptor">The file.</param>
/// <param name="Mode">Mode.</param>
/// <param name="Offset">Start in bytes.</param>
/// <param name="Length">Bytes.</param>
public sealed record FAllocateArguments(
    FileDescriptor Descriptor, FlagWord Mode, ulong Offset, ulong Length) : SyscallArguments;

/// <summary>mount(2).</summary>
/// <param name="Source">Device.</param>
/// <param name="Target">Where.</param>
/// <param name="Type">Kind of file system.</param>
/// <param name="Flags">Flags.</param>
/// <param name="Data">Options, where they are a string.</param>
public sealed record MountArguments(
    QuotedText? Source, QuotedText? Target, QuotedText? Type, FlagWord Flags, QuotedText? Data)
    : SyscallArguments;

/// <summary>umount(2) or umount2(2).</summary>
/// <param name="Target">Where.</param>
/// <param name="Flags">Flags; 0 for umount.</param>
public sealed record UMountArguments(QuotedText? Target, FlagWord Flags) : SyscallArguments;

/// <summary>swapon(2).</summary>
/// <param name="Path">The device.</param>
/// <param name="Flags">Flags, priority in the low 15 bits.</param>
public sealed record SwapOnArguments(QuotedText? Path, FlagWord Flags) : SyscallArguments;

/// <summary>swapoff(2).</summary>
/// <param name="Path">The device.</param>
public sealed record SwapOffArguments(QuotedText? Path) : SyscallArguments;
