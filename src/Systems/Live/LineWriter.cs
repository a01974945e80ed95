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
    public LineWriter Line(Operand task, string operation) =>
        Operand(task, first: true).Word(operation);

    /// <summary>Begins a line with the register that is to hold what the call returns.</summary>
    public void Result(char register, int index)
    {
        Put(register);
        Put(index);
        Put('=');
    }

    /// <summary>Adds a number, or a register with what is done to it.</summary>
    public LineWriter Operand(Operand operand) => Operand(operand, first: false);

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
    public LineWriter Number(long number) => Operand(new Operand(number));

    /// <summary>Adds an unsigned number.</summary>
    public LineWriter Number(ulong number) => Operand(Live.Operand.Unsigned(number));

    /// <summary>Adds 0 or 1.</summary>
    public LineWriter Flag(bool flag) => Number(flag ? 1L : 0);

    /// <summary>Ends a line.</summary>
    public void End()
    {
        Reserve(1);
        _bytes[_length++] = (byte)'\n';
    }

    private LineWriter Operand(Operand operand, bool first)
    {
        if (!first)
        {
            Put(' ');
        }

        if (operand.Register != 0)
        {
            Put('$');
            Put(operand.Register);
            Put(operand.Index);
            if (operand.Operation == 0)
            {
                return this;
            }

            Put(operand.Operation);
        }

        Reserve(24);
        Span<byte> rest = _bytes.AsSpan(_length);
        _ = operand.IsUnsigned
            ? Utf8Formatter.TryFormat((ulong)operand.Number, rest, out int written)
            : Utf8Formatter.TryFormat(operand.Number, rest, out written);
        _length += written;
        return this;
    }

    private void Put(char letter)
    {
        Reserve(1);
        _bytes[_length++] = (byte)letter;
    }

    private void Put(int number)
    {
        Reserve(12);
        Utf8Formatter.TryFormat(number, _bytes.AsSpan(_length), out int written);
        _length += written;
    }

    private void Reserve(int more)
    {
        if (_length + more > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + more));
        }
    }
}
