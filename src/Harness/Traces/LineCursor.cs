using System.Diagnostics;
using System.Globalization;

namespace ShmCheck.Harness.Traces;

/// <summary>A place within one line of a trace, with the errors that name it.</summary>
internal sealed class LineCursor(string file, int number, string text)
{
    public int Position { get; private set; }

    public bool AtEnd => Position == text.Length;

    public char Peek => AtEnd ? '\0' : text[Position];

    /// <summary>Goes back to a position that was read before.</summary>
    public void Return(int position)
    {
        Debug.Assert(position <= Position, "Only what was read can be read again.");
        Position = position;
    }

    /// <summary>Another cursor at the same place.</summary>
    public LineCursor Clone() => new(file, number, text) { Position = Position };

    public bool SkipBlanks()
    {
        while (!AtEnd && text[Position] is ' ' or '\t')
        {
            Position++;
        }

        return true;
    }

    public TraceFormatException Error(int position, string expected) =>
        new(file, number, position + 1, expected);

    public TraceFormatException Error(string expected) => Error(Position, expected);

    public void Expect(string token)
    {
        SkipBlanks();
        if (!TryTake(token))
        {
            throw Error($"expected '{token}'");
        }
    }

    public bool TryTake(string token)
    {
        if (string.CompareOrdinal(text, Position, token, 0, token.Length) != 0)
        {
            return false;
        }

        Position += token.Length;
        return true;
    }

    /// <summary>Takes a word that ends with the line or with a blank.</summary>
    public bool TryTakeWord(string word)
    {
        int start = Position;
        if (TryTake(word) && (AtEnd || Peek is ' ' or '\t'))
        {
            return true;
        }

        Position = start;
        return false;
    }

    public string While(Func<char, bool> belongs)
    {
        int start = Position;
        while (!AtEnd && belongs(text[Position]))
        {
            Position++;
        }

        return text[start..Position];
    }

    /// <summary>A name: letters, digits and underscores.</summary>
    public string Word(string expected)
    {
        int start = Position;
        string word = While(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        return word.Length > 0 ? word : throw Error(start, $"expected {expected}");
    }

    /// <summary>What is left of the line.</summary>
    public string Rest()
    {
        string rest = text[Position..];
        Position = text.Length;
        return rest;
    }

    /// <summary>A decimal, octal (0...) or hexadecimal (0x...) number with an optional K, M or G.
    /// </summary>
    public ulong Unsigned(string expected)
    {
        int start = Position;
        bool hex = TryTake("0x");
        string digits = While(hex ? char.IsAsciiHexDigit : char.IsAsciiDigit);
        ulong? value = hex ? ParseHex(digits) : digits.Length > 1 && digits[0] == '0'
            ? ParseOctal(digits) : ParseDecimal(digits);
        if (value is null)
        {
            throw Error(start, $"expected {expected}: a number below 2^64");
        }

        int shift = hex ? 0 : Peek switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        if (shift == 0)
        {
            return value.Value;
        }

        Position++;
        return value.Value <= ulong.MaxValue >> shift ? value.Value << shift
            : throw Error(start, $"expected {expected}: a number below 2^64");
    }

    /// <summary>A number that may be negative, within 64 bits.</summary>
    public long Signed(string expected)
    {
        int start = Position;
        bool negative = TryTake("-");
        ulong value = Unsigned(expected);
        return value <= long.MaxValue ? negative ? -(long)value : (long)value
            : throw Error(start, $"expected {expected}: a number of at most 63 bits");
    }

    /// <summary>A number that may be negative, within 32 bits.</summary>
    public int Int32(string expected)
    {
        int start = Position;
        long value = Signed(expected);
        return value is >= int.MinValue and <= int.MaxValue ? (int)value
            : throw Error(start, $"expected {expected}: a number of at most 32 bits");
    }

    private static ulong? ParseDecimal(string digits) =>
        ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value : null;

    private static ulong? ParseHex(string digits) => ulong.TryParse(
        digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value)
            ? value : null;

    private static ulong? ParseOctal(string digits)
    {
        ulong value = 0;
        foreach (char digit in digits)
        {
            if (digit > '7' || value >> 61 != 0)
            {
                return null;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return value;
    }
}
