namespace ShmCheck.Abi;

/// <summary>A length or size in bytes.</summary>
/// <param name="Value">Bytes.</param>
public readonly record struct ByteCount(ulong Value)
{
    /// <summary>The number of units of <paramref name="unit"/> bytes that hold this many bytes,
    /// rounded up. Never overflows.</summary>
    public ulong InUnitsOf(ByteCount unit) =>
        Value / unit.Value + (Value % unit.Value == 0 ? 0ul : 1ul);

    /// <inheritdoc/>
    public override string ToString() => $"{Value}";
}

/// <summary>A number of base pages (the page size is a property of the machine).</summary>
/// <param name="Value">Base pages.</param>
public readonly record struct PageCount(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Value}";
}

/// <summary>A number of huge pages of one size.</summary>
/// <param name="Value">Huge pages.</param>
public readonly record struct HugePageCount(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Value}";
}
