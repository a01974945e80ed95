namespace ShmCheck.Impl;

/// <summary>Collects numbers, small ones in few bytes (LEB128). Keeps its memory.</summary>
internal sealed class ByteSink
{
    private const int LongestNumber = 10;
    private byte[] _bytes = new byte[512];
    private int _length;

    /// <summary>What has been added.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void Add(ulong number)
    {
        if (_bytes.Length - _length < LongestNumber)
        {
            Array.Resize(ref _bytes, _bytes.Length * 2);
        }

        for (; number >= 0x80; number >>= 7)
        {
            _bytes[_length++] = (byte)(number | 0x80);
        }

        _bytes[_length++] = (byte)number;
    }

    public void Add(int number) => Add((uint)number);

    public void Add(bool flag) => Add(flag ? 1u : 0u);
}
