using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>A number of a command line: as it is, or as what a register of the agent holds and
/// something is done to.</summary>
/// <param name="Number">The number, or what is done with.</param>
/// <param name="Register">Letter of the register, 0 for none.</param>
/// <param name="Index">Number of the register.</param>
/// <param name="Operation">What is done to it, 0 for nothing.</param>
internal readonly record struct Operand(
    long Number, char Register = '\0', int Index = 0, char Operation = '\0')
{
    /// <summary>Whether the number is printed without a sign.</summary>
    public bool IsUnsigned { get; init; }

    /// <summary>A number without a sign.</summary>
    public static Operand Unsigned(ulong number) => new((long)number) { IsUnsigned = true };

    /// <summary>What a register holds.</summary>
    public static Operand Of(char register, int index) => new(0, register, index);

    /// <summary>What a register holds, plus or minus something.</summary>
    public static Operand Of(char register, int index, long offset) => offset == 0
        ? Of(register, index)
        : new(Math.Abs(offset), register, index, offset > 0 ? '+' : '-') { IsUnsigned = true };
}

/// <summary>Says what the references of calls are on a command line: numbers that the agent has
/// returned, or the registers that it keeps them in.</summary>
/// <param name="pageSize">Base page size in bytes.</param>
internal sealed class OperandWriter(ulong pageSize)
{
    /// <summary>What handles stand for; none when registers are to stand for them.</summary>
    public Bindings? Bindings { get; set; }

    /// <summary>A process.</summary>
    public Operand Of(ProcessHandle handle)
    {
        if (Bindings is null)
        {
            return handle.Number == 0 ? new Operand(0) : Operand.Of('p', handle.Number);
        }

        Bindings.TryResolve(handle, out int tid);
        return new Operand(tid);
    }

    /// <summary>A segment.</summary>
    public Operand Of(SegmentRef reference)
    {
        if (Bindings is null && reference.Kind != SegmentRefKind.Literal)
        {
            return reference.Kind switch
            {
                SegmentRefKind.Stale =>
                    new(SegmentRef.StaleBit, 's', reference.Value, '^'),
                SegmentRefKind.Index => new(ShmId.IndexLimit - 1, 's', reference.Value, '&'),
                _ => Operand.Of('s', reference.Value),
            };
        }

        int id = reference.Value;
        Bindings?.TryResolve(reference, out id);
        return new Operand(id);
    }

    /// <summary>An address, and bytes behind it.</summary>
    public Operand Of(AddressRef reference, ulong bytes = 0)
    {
        if (Bindings is null && reference.Kind == AddressRefKind.Handle)
        {
            return Operand.Of(
                'a', (int)reference.Base, unchecked(reference.Offset + (long)bytes));
        }

        (Bindings ?? Unbound).TryResolve(reference, pageSize, out ulong address);
        return Operand.Unsigned(unchecked(address + bytes));
    }

    /// <summary>The first byte of a page that a touch is of: those are the contents that the
    /// specification knows.</summary>
    /// <param name="reference">Where the page is counted from.</param>
    /// <param name="bytes">Bytes from there on.</param>
    public Operand OfPage(AddressRef reference, ulong bytes)
    {
        if (Bindings is null && reference.Kind == AddressRefKind.Handle)
        {
            // What a handle stands for is a multiple of a page.
            long offset = unchecked(reference.Offset + (long)bytes);
            return Operand.Of('a', (int)reference.Base, offset & -(long)pageSize);
        }

        Operand address = Of(reference, bytes);
        return Operand.Unsigned((ulong)address.Number & (0 - pageSize));
    }

    private static Bindings Unbound { get; } = new();
}
