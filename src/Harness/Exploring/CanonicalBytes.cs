using System.Buffers;
using System.Buffers.Binary;

namespace ShmCheck.Harness.Exploring;

/// <summary>Bytes that are written again and again: numbers take few bytes when they are small
/// (LEB128), words always eight. Keeps its memory.</summary>
internal sealed class CanonicalBytes : IBufferWriter<byte>
{
    private const int LongestNumber = 10;
    private byte[] _bytes = new byte[1024];
    private int _length;

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void CopyFrom(CanonicalBytes other)
    {
        Clear();
        Reserve(other._length);
        other.Written.CopyTo(_bytes);
        _length = other._length;
    }

    public void Put(ulong number)
    {
        Reserve(LongestNumber);
        for (; number >= 0x80; number >>= 7)
        {
            _bytes[_length++] = (byte)(number | 0x80);
        }

        _bytes[_length++] = (byte)number;
    }

    public void Put(int number) => Put((uint)number);

    public void PutWord(ulong word)
    {
        Reserve(sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length), word);
        _length += sizeof(ulong);
    }

    public void Put(NodeKey digest)
    {
        PutWord(digest.High);
        PutWord(digest.Low);
    }

    public void Put(bool flag) => Put(flag ? 1ul : 0);

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }
    }
}
