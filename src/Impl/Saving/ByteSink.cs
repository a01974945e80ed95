using System.Buffers;

namespace ShmCheck.Impl;

/// <summary>Appends numbers, small ones in few bytes (LEB128).</summary>
internal readonly struct ByteSink(IBufferWriter<byte> bytes)
{
    private const int LongestNumber = 10;

    public void Add(ulong number)
    {
        Span<byte> span = bytes.GetSpan(LongestNumber);
        int length = 0;
        for (; number >= 0x80; number >>= 7)
        {
            span[length++] = (byte)(number | 0x80);
        }

        span[length++] = (byte)number;
        bytes.Advance(length);
    }

    public void Add(int number) => Add((uint)number);

    public void Add(bool flag) => Add(flag ? 1u : 0u);
}
