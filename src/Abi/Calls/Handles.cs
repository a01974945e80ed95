namespace ShmCheck.Abi;

/// <summary>Symbolic name of a process or thread (<c>p1</c> is the first one). Number 0 names
/// nothing: the result is not bound.</summary>
public readonly record struct ProcessHandle(int Number)
{
    /// <summary>The process that a machine starts with.</summary>
    public static ProcessHandle First => new(1);

    /// <inheritdoc/>
    public override string ToString() => $"p{Number}";
}

/// <summary>Symbolic name of a segment, bound by a successful shmget. Number 0 names nothing.
/// </summary>
public readonly record struct SegmentHandle(int Number)
{
    /// <inheritdoc/>
    public override string ToString() => $"s{Number}";
}

/// <summary>Symbolic name of an address that shmat, mmap or mremap returned. The same name means
/// the same number in every process. Number 0 names nothing.</summary>
public readonly record struct MappingHandle(int Number)
{
    /// <inheritdoc/>
    public override string ToString() => $"a{Number}";
}

/// <summary>How a call names a segment.</summary>
public enum SegmentRefKind
{
    /// <summary>The identifier as given.</summary>
    Literal,
    /// <summary>The identifier that a handle is bound to, dead or alive.</summary>
    Handle,
    /// <summary>The index of a handle's identifier under a sequence number that is never in use.
    /// </summary>
    Stale,
    /// <summary>The table index of a handle's identifier (SHM_STAT, SHM_STAT_ANY).</summary>
    Index,
}

/// <summary>The segment argument of a call.</summary>
/// <param name="Kind">How <paramref name="Value"/> is meant.</param>
/// <param name="Value">Handle number, or the literal identifier.</param>
public readonly record struct SegmentRef(SegmentRefKind Kind, int Value)
{
    /// <summary>Bit of an identifier's sequence number that marks a made-up stale id.</summary>
    public const int StaleBit = 1 << 30;

    /// <summary>The identifier bound to a handle.</summary>
    public static implicit operator SegmentRef(SegmentHandle handle) =>
        new(SegmentRefKind.Handle, handle.Number);

    /// <summary>An identifier given as a number.</summary>
    public static SegmentRef Literal(int id) => new(SegmentRefKind.Literal, id);

    /// <summary>A stale identifier with the index of <paramref name="handle"/>.</summary>
    public static SegmentRef Stale(SegmentHandle handle) =>
        new(SegmentRefKind.Stale, handle.Number);

    /// <summary>The table index of <paramref name="handle"/>.</summary>
    public static SegmentRef Index(SegmentHandle handle) =>
        new(SegmentRefKind.Index, handle.Number);

    /// <summary>The handle this refers to, or none for a literal.</summary>
    public SegmentHandle? Handle =>
        Kind == SegmentRefKind.Literal ? null : new SegmentHandle(Value);

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        SegmentRefKind.Literal => $"{Value}",
        SegmentRefKind.Handle => $"s{Value}",
        SegmentRefKind.Stale => $"stale(s{Value})",
        SegmentRefKind.Index => $"index(s{Value})",
        _ => throw new InvalidOperationException($"unknown kind {Kind}"),
    };
}

/// <summary>How a call names an address.</summary>
public enum AddressRefKind
{
    /// <summary>The number as given; 0 is NULL.</summary>
    Literal,
    /// <summary>The address a handle is bound to, plus or minus bytes.</summary>
    Handle,
    /// <summary>A page of the reserved window of the process, plus or minus bytes.</summary>
    Window,
}

/// <summary>The address argument of a call.</summary>
/// <param name="Kind">How <paramref name="Base"/> is meant.</param>
/// <param name="Base">Handle number, page of the window, or the literal address.</param>
/// <param name="Offset">Bytes to add; 0 for a literal.</param>
public readonly record struct AddressRef(AddressRefKind Kind, ulong Base, long Offset)
{
    /// <summary>The null pointer.</summary>
    public static AddressRef Null => default;

    /// <summary>The address bound to a handle.</summary>
    public static implicit operator AddressRef(MappingHandle handle) => Of(handle, 0);

    /// <summary>The address bound to a handle plus <paramref name="offset"/> bytes.</summary>
    public static AddressRef Of(MappingHandle handle, long offset) =>
        new(AddressRefKind.Handle, (ulong)handle.Number, offset);

    /// <summary>Page <paramref name="page"/> of the window plus <paramref name="offset"/> bytes.
    /// </summary>
    public static AddressRef Window(ulong page, long offset = 0) =>
        new(AddressRefKind.Window, page, offset);

    /// <summary>An address given as a number.</summary>
    public static AddressRef Literal(ulong address) => new(AddressRefKind.Literal, address, 0);

    /// <summary>The handle this refers to, if any.</summary>
    public MappingHandle? Handle =>
        Kind == AddressRefKind.Handle ? new MappingHandle((int)Base) : null;

    /// <inheritdoc/>
    public override string ToString()
    {
        string text = Kind switch
        {
            AddressRefKind.Literal => new Address(Base).ToString(),
            AddressRefKind.Handle => $"a{Base}",
            AddressRefKind.Window => $"@{Base}",
            _ => throw new InvalidOperationException($"unknown kind {Kind}"),
        };
        return Offset == 0 ? text : $"{text}{Offset:+0;-0}";
    }
}

/// <summary>The key of shmget(2).</summary>
/// <param name="Value">The key; 0 is IPC_PRIVATE.</param>
public readonly record struct ShmKey(int Value)
{
    /// <summary>Always a new segment.</summary>
    public static ShmKey Private => default;

    /// <summary>Whether this is IPC_PRIVATE.</summary>
    public bool IsPrivate => Value == 0;

    /// <inheritdoc/>
    public override string ToString() => IsPrivate ? "IPC_PRIVATE" : $"0x{Value:x}";
}

/// <summary>A page counted from an address: in base pages, or in huge pages of the machine's
/// default size.</summary>
public readonly record struct TouchedPage(ulong Index, bool Huge = false)
{
    /// <inheritdoc/>
    public override string ToString() => Huge ? $"hpage {Index}" : $"page {Index}";
}

/// <summary>Pages <paramref name="First"/> to <paramref name="Last"/> of an object, both
/// included, in base pages (huge pages for a huge segment).</summary>
public readonly record struct PageRange(ulong First, ulong Last)
{
    /// <inheritdoc/>
    public override string ToString() => $"{First}-{Last}";
}
