using System.Text;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Undoes the quoting of strings and paths (<c>\n</c>, <c>\33</c>, <c>\x1b</c>).
/// </summary>
internal static class QuotedTextReader
{
    /// <summary>Reads a whole argument that is a string.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out QuotedText value)
    {
        value = default;
        int end = text.Length > 1 && text[0] == '"' ? Nesting.SkipString(text, 0) : -1;
        if (end < 0)
        {
            return false;
        }

        ReadOnlySpan<char> rest = text[end..].TrimEnd(' ');
        bool isCut = rest.StartsWith("...");
        value = new QuotedText(Unescape(text[1..(end - 1)]), isCut);
        return isCut ? rest.Length == 3 : rest.IsEmpty;
    }

    /// <summary>Replaces escapes by the bytes they stand for, one character each.</summary>
    public static string Unescape(ReadOnlySpan<char> text)
    {
        if (!text.Contains('\\'))
        {
            return text.ToString();
        }

        var plain = new StringBuilder(text.Length);
        int i = 0;
        while (i < text.Length)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                i += 1 + AppendEscape(plain, text[(i + 1)..]);
            }
            else
            {
                plain.Append(text[i++]);
            }
        }

        return plain.ToString();
    }

    /// <returns>Characters of the escape behind its backslash.</returns>
    private static int AppendEscape(StringBuilder plain, ReadOnlySpan<char> text)
    {
        const int longestOctal = 3;
        const int longestHexadecimal = 2;
        int digits = NumberText.Octal(text[..Math.Min(longestOctal, text.Length)], out ulong octal);
        if (digits > 0)
        {
            plain.Append((char)(octal & 0xff));
            return digits;
        }

        if (text[0] == 'x')
        {
            ReadOnlySpan<char> rest = text[1..];
            digits = NumberText.Hexadecimal(
                rest[..Math.Min(longestHexadecimal, rest.Length)], out ulong value);
            plain.Append(digits > 0 ? (char)value : 'x');
            return 1 + digits;
        }

        plain.Append(text[0] switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'v' => '\v',
            'f' => '\f',
            char other => other,
        });
        return 1;
    }
}
