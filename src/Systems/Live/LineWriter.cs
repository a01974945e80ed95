using System.Buffers.Text;

namespace ShmCheck.Systems.Live;

/// <summary>Writes command lines into a buffer that it keeps.</summary>
internal sealed class LineWriter
{
    private byte[] _bytes = new byte[1024];
    private int _length;

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Forgets what has been written.</summary>
    public void Clear() => _length = 0;

    /// <summary>Begins a line: who is to do what.</summary>
    public LineWriter Line(long task, string operation) => Number(task, first: true).Word(operation);

    /// <summary>Adds a word.</summary>
    public LineWriter Word(string word)
    {
        Reserve(word.Length + 1);
        _bytes[_length++] = (byte)' ';
        foreach (char letter in word)
        {
            _bytes[_length++] = (byte)letter;
        }

        return this;
    }

    /// <summary>Adds a signed number.</summary>
    public LineWriter Number(long number) => Number(number, first: false);

    /// <summary>Adds an unsigned number.</summary>
    public LineWriter Number(ulong number)
    {
        Reserve(24);
        _bytes[_length++] = (byte)' ';
        Utf8Formatter.TryFormat(number, _bytes.AsSpan(_length), out int written);
        _length += written;
        return this;
    }

    /// <summary>Adds 0 or 1.</summary>
    public LineWriter Flag(bool flag) => Number(flag ? 1L : 0);

    /// <summary>Ends a line.</summary>
    public void End()
    {
        Reserve(1);
        _bytes[_length++] = (byte)'\n';
    }

    private LineWriter Number(long number, bool first)
    {
        Reserve(24);
        if (!first)
        {
            _bytes[_length++] = (byte)' ';
        }

        Utf8Formatter.TryFormat(number, _bytes.AsSpan(_length), out int written);
        _length += written;
        return this;
    }

    private void Reserve(int more)
    {
        if (_length + more > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + more));
        }
    }
}
