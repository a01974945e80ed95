namespace ShmCheck.Systems.Strace;

/// <summary>Reads numbers as strace prints them. Nothing here wraps around: a number that does
/// not fit is not a number.</summary>
internal static class NumberText
{
    /// <summary>Reads decimal digits at the start of a text.</summary>
    /// <returns>How many characters they take; 0 when there are none or they do not fit.
    /// </returns>
    public static int Decimal(ReadOnlySpan<char> text, out ulong value)
    {
        value = 0;
        int length = 0;
        while (length < text.Length && char.IsAsciiDigit(text[length]))
        {
            ulong digit = (ulong)(text[length] - '0');
            if (value > (ulong.MaxValue - digit) / 10)
            {
                return 0;
            }

            value = value * 10 + digit;
            length++;
        }

        return length;
    }

    /// <summary>Reads hexadecimal digits at the start of a text.</summary>
    public static int Hexadecimal(ReadOnlySpan<char> text, out ulong value) =>
        PowerOfTwo(text, 4, out value);

    /// <summary>Reads octal digits at the start of a text.</summary>
    public static int Octal(ReadOnlySpan<char> text, out ulong value) =>
        PowerOfTwo(text, 3, out value);

    /// <summary>Reads a number with an optional sign, in decimal, or in hexadecimal behind
    /// <c>0x</c>, or in octal behind <c>0</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="bits">The number; a negative one as its two's complement.</param>
    /// <returns>How many characters it takes, 0 when there is none.</returns>
    public static int Literal(ReadOnlySpan<char> text, out ulong bits)
    {
        bool negative = text.Length > 0 && text[0] == '-';
        ReadOnlySpan<char> digits = negative ? text[1..] : text;
        int length;
        if (digits.Length > 1 && digits[0] == '0' && digits[1] is 'x' or 'X')
        {
            length = Hexadecimal(digits[2..], out bits);
            length += length == 0 ? 0 : 2;
        }
        else
        {
            length = digits.Length > 1 && digits[0] == '0' && char.IsAsciiDigit(digits[1])
                ? Octal(digits, out bits) : Decimal(digits, out bits);
        }

        if (length == 0 || !negative)
        {
            return length;
        }

        bits = unchecked(0ul - bits);
        return length + 1;
    }

    /// <summary>Reads seconds with an optional fraction, as nanoseconds.</summary>
    public static int Seconds(ReadOnlySpan<char> text, out long nanoseconds)
    {
        nanoseconds = 0;
        int length = Decimal(text, out ulong seconds);
        if (length == 0 || seconds > long.MaxValue / NanosecondsPerSecond - 1)
        {
            return 0;
        }

        nanoseconds = (long)seconds * NanosecondsPerSecond;
        if (length == text.Length || text[length] != '.')
        {
            return length;
        }

        int fraction = Fraction(text[(length + 1)..], out long part);
        nanoseconds += part;
        return fraction == 0 ? 0 : length + 1 + fraction;
    }

    /// <summary>Reads the digits behind a decimal point, as nanoseconds.</summary>
    public static int Fraction(ReadOnlySpan<char> text, out long nanoseconds)
    {
        int length = Decimal(text, out ulong digits);
        nanoseconds = 0;
        if (length is 0 or > 9)
        {
            return 0;
        }

        nanoseconds = (long)digits;
        for (int i = length; i < 9; i++)
        {
            nanoseconds *= 10;
        }

        return length;
    }

    public const long NanosecondsPerSecond = 1_000_000_000;

    private static int PowerOfTwo(ReadOnlySpan<char> text, int bitsPerDigit, out ulong value)
    {
        value = 0;
        int length = 0;
        while (length < text.Length)
        {
            int digit = DigitOf(text[length]);
            if (digit < 0 || digit >> bitsPerDigit != 0)
            {
                break;
            }

            if (value >> (64 - bitsPerDigit) != 0)
            {
                return 0;
            }

            value = (value << bitsPerDigit) | (uint)digit;
            length++;
        }

        return length;
    }

    private static int DigitOf(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };
}
