namespace ShmCheck.Abi.Recordings;

/// <summary>A word of flags, or one constant.</summary>
/// <param name="Bits">What is known of it: named bits, and bits that are printed as numbers.
/// </param>
/// <param name="UnknownNames">Names that this reader does not know, joined by <c>|</c>: their bits
/// are missing. Null when there are none.</param>
public readonly record struct FlagWord(ulong Bits, string? UnknownNames = null)
{
    /// <summary>Whether all these bits are set.</summary>
    public bool Has(ulong bits) => (Bits & bits) == bits;

    /// <inheritdoc/>
    public override string ToString() =>
        UnknownNames is null ? $"0x{Bits:x}" : $"0x{Bits:x}|{UnknownNames}";
}
