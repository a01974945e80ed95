using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Reads constants and numbers in every style of strace: names joined by <c>|</c>, bits
/// in hexadecimal, <c>21&lt;&lt;SHM_HUGE_SHIFT</c>, <c>8192*1024</c>, <c>NULL</c>, numbers with
/// their names as a comment.</summary>
internal ref struct ConstantText
{
    private readonly ConstantTable _table;
    private ReadOnlySpan<char> _rest;
    private string? _unknown;

    private ConstantText(ReadOnlySpan<char> text, ConstantTable table)
    {
        _rest = text;
        _table = table;
    }

    /// <summary>Reads a word of flags.</summary>
    /// <param name="text">The whole argument or field.</param>
    /// <param name="table">The names that can occur.</param>
    /// <param name="word">The word.</param>
    /// <returns>Whether the text is a word of flags, of known and unknown names.</returns>
    public static bool TryRead(ReadOnlySpan<char> text, ConstantTable table, out FlagWord word)
    {
        var reader = new ConstantText(text, table);
        bool valid = reader.TryReadSum(out ulong bits);
        word = new FlagWord(bits, reader._unknown);
        return valid;
    }

    /// <summary>Reads a number without names but <c>NULL</c>.</summary>
    public static bool TryNumber(ReadOnlySpan<char> text, out ulong value)
    {
        bool valid = TryRead(text, ConstantTable.Empty, out FlagWord word)
            && word.UnknownNames is null;
        value = valid ? word.Bits : 0;
        return valid;
    }

    private bool TryReadSum(out ulong bits)
    {
        bits = 0;
        while (true)
        {
            if (!TryReadProduct(out ulong term))
            {
                return false;
            }

            bits |= term;
            SkipComments();
            if (_rest.IsEmpty)
            {
                return true;
            }

            if (_rest[0] != '|')
            {
                return false;
            }

            _rest = _rest[1..];
        }
    }

    private bool TryReadProduct(out ulong value)
    {
        if (!TryReadFactor(out value))
        {
            return false;
        }

        while (true)
        {
            SkipComments();
            bool shift = _rest.StartsWith("<<");
            if (!shift && !_rest.StartsWith("*"))
            {
                return true;
            }

            _rest = _rest[(shift ? 2 : 1)..];
            if (!TryReadFactor(out ulong factor) || (shift && factor > 63))
            {
                return false;
            }

            value = shift ? value << (int)factor : unchecked(value * factor);
        }
    }

    private bool TryReadFactor(out ulong value)
    {
        _rest = _rest.TrimStart(' ');
        int length = NumberText.Literal(_rest, out value);
        if (length > 0)
        {
            _rest = _rest[length..];
            return SkipDecoration();
        }

        while (length < _rest.Length && IsName(_rest[length]))
        {
            length++;
        }

        if (length == 0 || char.IsAsciiDigit(_rest[0]))
        {
            return false;
        }

        ReadOnlySpan<char> name = _rest[..length];
        if (!_table.TryGet(name, out value) && !name.SequenceEqual("NULL"))
        {
            _unknown = _unknown is null ? name.ToString() : $"{_unknown}|{name}";
        }

        _rest = _rest[length..];
        return SkipDecoration();
    }

    /// <summary>A process id carries its command (<c>-Y</c>).</summary>
    private bool SkipDecoration()
    {
        if (_rest.Length < 2 || _rest[0] != '<' || _rest[1] == '<')
        {
            return true;
        }

        int end = Nesting.SkipDecoration(_rest, 0);
        _rest = end < 0 ? _rest : _rest[end..];
        return end >= 0;
    }

    private void SkipComments()
    {
        ReadOnlySpan<char> text = _rest.TrimStart(' ');
        while (text.StartsWith("/*"))
        {
            int end = Nesting.SkipComment(text, 0);
            if (end < 0)
            {
                return;
            }

            text = text[end..].TrimStart(' ');
        }

        _rest = text;
    }

    private static bool IsName(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '?';
}
