namespace ShmCheck.Abi.Recordings;

/// <summary>shmget(2).</summary>
/// <param name="Key">The key.</param>
/// <param name="Size">Size in bytes; of a 32-bit program the low 32 bits.</param>
/// <param name="Flags">Flags and mode.</param>
public sealed record ShmGetArguments(ShmKey Key, ulong Size, ShmGetFlags Flags)
    : SyscallArguments;

/// <summary>shmat(2).</summary>
/// <param name="Id">The segment.</param>
/// <param name="Address">Where, or 0.</param>
/// <param name="Flags">Flags.</param>
/// <param name="ResultIsHidden">A raw ipc(2) call: the result is 0, and the address stands in the
/// memory of the program.</param>
public sealed record ShmAtArguments(
    int Id, ulong Address, ShmAtFlags Flags, bool ResultIsHidden = false) : SyscallArguments;

/// <summary>shmdt(2).</summary>
/// <param name="Address">The address of the attach.</param>
public sealed record ShmDtArguments(ulong Address) : SyscallArguments;

/// <summary>shmctl(2).</summary>
/// <param name="Id">The segment, or an index.</param>
/// <param name="RawCommand">The command as the program passed it, IPC_64 included.</param>
/// <param name="Buffer">The third argument, where the log shows the pointer and not the
/// structure.</param>
/// <param name="Data">The structure that the kernel filled in: <see cref="SegmentStat"/>,
/// <see cref="ShmLimits"/> or <see cref="ShmTotals"/>.</param>
/// <param name="Change">The structure that IPC_SET read.</param>
public sealed record ShmCtlArguments(
    int Id, int RawCommand, ulong? Buffer, ReplyData? Data = null, ShmChange? Change = null)
    : SyscallArguments
{
    /// <summary>Version bit that 32-bit programs add to the command (linux/ipc.h). The entry point
    /// of 64-bit programs does not know it: there it is part of an unknown command.</summary>
    public const int Ipc64 = 0x100;

    /// <summary>The version bit is set.</summary>
    public bool HasIpc64 => (RawCommand & Ipc64) != 0;

    /// <summary>The command without the version bit; a number that
    /// <see cref="ShmCommand"/> does not name is an unknown one.</summary>
    public ShmCommand Command => (ShmCommand)(RawCommand & ~Ipc64);
}

/// <summary>What IPC_SET asks for.</summary>
/// <param name="Uid">New owner; -1 is invalid.</param>
/// <param name="Gid">New group; -1 is invalid.</param>
/// <param name="Mode">New mode.</param>
public sealed record ShmChange(int Uid, int Gid, int Mode);
