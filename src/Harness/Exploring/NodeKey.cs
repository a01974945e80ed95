using System.Buffers.Binary;
using System.Numerics;

namespace ShmCheck.Harness.Exploring;

/// <summary>128 bits that stand for the canonical bytes of a node (MurmurHash3, x64, 128 bits, by
/// Austin Appleby). With 10^9 nodes the chance that any two share one is below 10^-20.</summary>
/// <param name="High">First half.</param>
/// <param name="Low">Second half.</param>
internal readonly record struct NodeKey(ulong High, ulong Low)
{
    private const int BlockBytes = 16;
    private const ulong FirstFactor = 0x87c37b91114253d5;
    private const ulong SecondFactor = 0x4cf5ad432745937f;

    /// <summary>The key of bytes. Never the one whose halves are both 0.</summary>
    public static NodeKey Of(ReadOnlySpan<byte> bytes)
    {
        ulong high = 0;
        ulong low = 0;
        ReadOnlySpan<byte> rest = bytes;
        for (; rest.Length >= BlockBytes; rest = rest[BlockBytes..])
        {
            Mix(rest, ref high, ref low);
        }

        Span<byte> tail = stackalloc byte[BlockBytes];
        tail.Clear();
        rest.CopyTo(tail);
        low ^= SpreadLow(BinaryPrimitives.ReadUInt64LittleEndian(tail[8..]));
        high ^= SpreadHigh(BinaryPrimitives.ReadUInt64LittleEndian(tail));
        high ^= (ulong)bytes.Length;
        low ^= (ulong)bytes.Length;
        high += low;
        low += high;
        high = Finish(high);
        low = Finish(low);
        high += low;
        low += high;
        return (high | low) == 0 ? new NodeKey(0, 1) : new NodeKey(high, low);
    }

    private static void Mix(ReadOnlySpan<byte> block, ref ulong high, ref ulong low)
    {
        high ^= SpreadHigh(BinaryPrimitives.ReadUInt64LittleEndian(block));
        high = BitOperations.RotateLeft(high, 27) + low;
        high = high * 5 + 0x52dce729;
        low ^= SpreadLow(BinaryPrimitives.ReadUInt64LittleEndian(block[8..]));
        low = BitOperations.RotateLeft(low, 31) + high;
        low = low * 5 + 0x38495ab5;
    }

    private static ulong SpreadHigh(ulong word) =>
        BitOperations.RotateLeft(word * FirstFactor, 31) * SecondFactor;

    private static ulong SpreadLow(ulong word) =>
        BitOperations.RotateLeft(word * SecondFactor, 33) * FirstFactor;

    private static ulong Finish(ulong word)
    {
        word = (word ^ (word >> 33)) * 0xff51afd7ed558ccd;
        word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53;
        return word ^ (word >> 33);
    }
}
