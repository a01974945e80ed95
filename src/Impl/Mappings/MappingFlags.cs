using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Flags of a mapping (VM_* of the kernel). The three lowest are
/// <see cref="Protection"/>.</summary>
[Flags]
internal enum MappingFlags
{
    None = 0,
    Read = Protection.PROT_READ,
    Write = Protection.PROT_WRITE,
    Execute = Protection.PROT_EXEC,
    Access = Read | Write | Execute,

    /// <summary>Attached for writing; a read-only attach does not count as shared.</summary>
    Shared = 1 << 3,
    MayWrite = 1 << 4,
    Locked = 1 << 5,
    LockOnFault = 1 << 6,
    AnyLock = Locked | LockOnFault,
    DontCopy = 1 << 7,
    DontDump = 1 << 8,
    RandomRead = 1 << 9,
    SequentialRead = 1 << 10,
    NoReserve = 1 << 11,

    /// <summary>Charged to Committed_AS with its whole length.</summary>
    Account = 1 << 12,
    Huge = 1 << 13,
}
