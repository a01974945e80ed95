namespace ShmCheck.Abi;

/// <summary>Index of a base page within a memory object (page 0 holds byte 0).</summary>
public readonly record struct PageIndex(ulong Value);

/// <summary>Index of a physical frame of base-page size.</summary>
public readonly record struct FrameIndex(uint Value);

/// <summary>Index of a huge page of the pool.</summary>
public readonly record struct HugePageIndex(uint Value);

/// <summary>Index of a slot of the swap device.</summary>
public readonly record struct SlotIndex(uint Value);

/// <summary>A virtual address in bytes.</summary>
public readonly record struct Address(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value == 0 ? "NULL" : $"0x{Value:x}";
}

/// <summary>A process or thread id as the kernel hands it out.</summary>
public readonly record struct Pid(int Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Value}";
}

/// <summary>A System V identifier: <c>sequence * 32768 + index</c> (ipc/util.h).</summary>
public readonly record struct ShmId(int Value)
{
    /// <summary>Bits of an identifier that are the table index.</summary>
    public const int IndexBits = 15;

    /// <summary>Indices that a table can have.</summary>
    public const int IndexLimit = 1 << IndexBits;

    /// <summary>The table index of this identifier.</summary>
    public int Index => Value & (IndexLimit - 1);

    /// <summary>The sequence number of this identifier.</summary>
    public int Sequence => Value >> IndexBits;

    /// <summary>The identifier made of a sequence number and an index.</summary>
    public static ShmId Of(int sequence, int index) => new((sequence << IndexBits) | index);

    /// <inheritdoc/>
    public override string ToString() => $"{Value}";
}
