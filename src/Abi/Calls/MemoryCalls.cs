namespace ShmCheck.Abi;

/// <summary>mmap(2) of private anonymous memory.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Hint, or the address under MAP_FIXED.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Protection">Protection.</param>
/// <param name="Flags">Flags beside MAP_PRIVATE|MAP_ANONYMOUS.</param>
/// <param name="Result">Name of the address.</param>
public sealed record MMap(
    ProcessHandle Caller, AddressRef Start, ulong Length, Protection Protection, MapFlags Flags,
    MappingHandle Result)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MMap;
}

/// <summary>munmap(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the range.</param>
/// <param name="Length">Bytes.</param>
public sealed record MUnmap(ProcessHandle Caller, AddressRef Start, ulong Length)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MUnmap;
}

/// <summary>mprotect(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the range.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Protection">New protection.</param>
public sealed record MProtect(
    ProcessHandle Caller, AddressRef Start, ulong Length, Protection Protection)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MProtect;
}

/// <summary>mremap(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the old range.</param>
/// <param name="Length">Old length in bytes; 0 duplicates a shared mapping.</param>
/// <param name="NewLength">New length in bytes.</param>
/// <param name="Flags">Flags.</param>
/// <param name="NewAddress">Where to, under MREMAP_FIXED.</param>
/// <param name="Result">Name of the new address.</param>
public sealed record MRemap(
    ProcessHandle Caller, AddressRef Start, ulong Length, ulong NewLength, MRemapFlags Flags,
    AddressRef NewAddress, MappingHandle Result)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MRemap;
}

/// <summary>mlock(2), or mlock2(2) with MLOCK_ONFAULT.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the range.</param>
/// <param name="Length">Bytes.</param>
/// <param name="OnFault">Lock without faulting in.</param>
public sealed record MLock(
    ProcessHandle Caller, AddressRef Start, ulong Length, bool OnFault = false)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MLock;
}

/// <summary>munlock(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the range.</param>
/// <param name="Length">Bytes.</param>
public sealed record MUnlock(ProcessHandle Caller, AddressRef Start, ulong Length)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MUnlock;
}

/// <summary>mlockall(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Flags">Which mappings.</param>
public sealed record MLockAll(ProcessHandle Caller, MLockAllFlags Flags) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MLockAll;
}

/// <summary>munlockall(2).</summary>
/// <param name="Caller">The process that makes it.</param>
public sealed record MUnlockAll(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MUnlockAll;
}

/// <summary>madvise(2).</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the range.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Advice">The advice.</param>
public sealed record MAdvise(ProcessHandle Caller, AddressRef Start, ulong Length, Advice Advice)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MAdvise;
}

/// <summary>mbind(2): policy 0 is MPOL_DEFAULT, any other number another policy that node 0
/// satisfies.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Start of the range.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Policy">The policy.</param>
public sealed record MBind(ProcessHandle Caller, AddressRef Start, ulong Length, int Policy)
    : RangeCall(Caller, Start, Length)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.MBind;
}

/// <summary>Reads the first byte of a page; the reply is its value.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Address that the page is counted from.</param>
/// <param name="Page">The page.</param>
public sealed record Load(ProcessHandle Caller, AddressRef Start, TouchedPage Page)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Load;
}

/// <summary>Writes the first byte of a page; the reply is 0.</summary>
/// <param name="Caller">The process that makes it.</param>
/// <param name="Start">Address that the page is counted from.</param>
/// <param name="Page">The page.</param>
/// <param name="Value">The byte.</param>
public sealed record Store(ProcessHandle Caller, AddressRef Start, TouchedPage Page, byte Value)
    : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.Store;
}

/// <summary>swapon(2) of the machine's swap device.</summary>
/// <param name="Caller">The process that makes it.</param>
public sealed record SwapOn(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SwapOn;
}

/// <summary>swapoff(2) of the machine's swap device.</summary>
/// <param name="Caller">The process that makes it.</param>
public sealed record SwapOff(ProcessHandle Caller) : ProcessCall(Caller)
{
    /// <inheritdoc/>
    public override CallKind Kind => CallKind.SwapOff;
}
