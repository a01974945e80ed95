namespace ShmCheck.Systems.Strace;

/// <summary>Finds its way in argument texts: strings, comments, brackets, and what <c>-y</c> and
/// <c>-Y</c> add in angle brackets.</summary>
internal static class Nesting
{
    /// <summary>Brackets within brackets that are followed; strace itself prints far fewer.
    /// </summary>
    public const int MaxDepth = 64;

    /// <summary>Characters of the longest path (PATH_MAX, linux/limits.h), each one escaped.
    /// </summary>
    private const int LongestDecoration = 4 * 4096;

    /// <summary>Whether every bracket, string and comment of a text that opens also closes.
    /// </summary>
    public static bool IsBalanced(ReadOnlySpan<char> text)
    {
        int at = 0;
        while (at >= 0 && at < text.Length)
        {
            at = NextSeparator(text, at);
            at += at >= 0 ? 1 : 0;
        }

        return at >= 0;
    }

    /// <summary>The place of the next comma outside of all brackets.</summary>
    /// <returns>Its index, the length of the text when there is none, or -1 when the text is not
    /// balanced.</returns>
    public static int NextSeparator(ReadOnlySpan<char> text, int start) =>
        Walk(text, start, stopsBehindBracket: false);

    /// <summary>Index behind the bracket that closes the one at <paramref name="start"/>, or -1.
    /// </summary>
    public static int SkipBrackets(ReadOnlySpan<char> text, int start) =>
        Walk(text, start, stopsBehindBracket: true);

    private static int Walk(ReadOnlySpan<char> text, int start, bool stopsBehindBracket)
    {
        Span<char> closers = stackalloc char[MaxDepth];
        int depth = 0;
        int i = start;
        while (i >= 0 && i < text.Length)
        {
            char c = text[i];
            if (c == ',' && depth == 0)
            {
                return i;
            }

            if (c is '(' or '[' or '{')
            {
                if (depth == MaxDepth)
                {
                    return -1;
                }

                closers[depth++] = Closer(c);
                i++;
            }
            else if (c is ')' or ']' or '}')
            {
                if (depth == 0 || closers[--depth] != c)
                {
                    return -1;
                }

                i++;
                if (depth == 0 && stopsBehindBracket)
                {
                    return i;
                }
            }
            else
            {
                i = SkipOne(text, i);
            }
        }

        return depth == 0 && !stopsBehindBracket ? i : -1;
    }

    /// <summary>Index behind the string that starts at <paramref name="start"/>, or -1.
    /// </summary>
    public static int SkipString(ReadOnlySpan<char> text, int start)
    {
        for (int i = start + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                return i + 1;
            }
        }

        return -1;
    }

    /// <summary>Index behind the comment that starts at <paramref name="start"/>, or -1.
    /// </summary>
    public static int SkipComment(ReadOnlySpan<char> text, int start)
    {
        int end = text[(start + 2)..].IndexOf("*/");
        return end < 0 ? -1 : start + 2 + end + 2;
    }

    /// <summary>Index behind the angle brackets that start at <paramref name="start"/>, or -1.
    /// Paths and names of commands have theirs escaped; those of sockets and devices nest, and
    /// the arrow of a connected socket is no bracket.</summary>
    public static int SkipDecoration(ReadOnlySpan<char> text, int start)
    {
        int depth = 0;
        int end = Math.Min(text.Length, start + LongestDecoration);
        for (int i = start; i < end; i++)
        {
            if (text[i] == '<')
            {
                depth++;
            }
            else if (text[i] == '>' && text[i - 1] != '-' && --depth == 0)
            {
                return i + 1;
            }
        }

        return -1;
    }

    /// <summary>Whether an angle bracket opens the decoration of the number or name before it.
    /// </summary>
    public static bool OpensDecoration(ReadOnlySpan<char> text, int at) =>
        at > 0 && char.IsAsciiLetterOrDigit(text[at - 1])
        && at + 1 < text.Length && text[at + 1] is not ('<' or ' ' or '=');

    private static int SkipOne(ReadOnlySpan<char> text, int i)
    {
        switch (text[i])
        {
            case '"':
                return SkipString(text, i);
            case '/' when i + 1 < text.Length && text[i + 1] == '*':
                return SkipComment(text, i);
            case '<' when OpensDecoration(text, i):
                int end = SkipDecoration(text, i);
                return end < 0 ? i + 1 : end;
            case '<' when i + 1 < text.Length && text[i + 1] == '<':
                return i + 2;
            default:
                return i + 1;
        }
    }

    private static char Closer(char opener) => opener switch
    {
        '(' => ')',
        '[' => ']',
        _ => '}',
    };
}
