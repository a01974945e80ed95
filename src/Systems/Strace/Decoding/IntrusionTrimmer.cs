using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Cuts off text of the program that got behind the arguments printed at the entry of a
/// call: <c>write(2, "hello\n", 6hello</c>. Only what can belong to an argument stays.</summary>
internal static class IntrusionTrimmer
{
    /// <summary>The arguments of a call, without what follows the first half's last one.
    /// </summary>
    public static string Trim(StraceCall call)
    {
        string text = call.ArgumentText;
        int end = call.Fragments.Count > 1 ? call.Fragments[1].Offset : text.Length;
        return string.Concat(text.AsSpan(0, OwnLength(text.AsSpan(0, end))), text.AsSpan(end));
    }

    private static int OwnLength(ReadOnlySpan<char> text)
    {
        int last = 0;
        int next = Nesting.NextSeparator(text, 0);
        while (next >= 0 && next < text.Length)
        {
            last = next + 1;
            next = Nesting.NextSeparator(text, last);
        }

        while (last < text.Length && text[last] == ' ')
        {
            last++;
        }

        return last + ValueLength(text[last..]);
    }

    /// <summary>Length of the longest argument that a text starts with.</summary>
    private static int ValueLength(ReadOnlySpan<char> text)
    {
        int end = TermLength(text);
        while (end > 0 && end < text.Length)
        {
            int joint = JointLength(text[end..]);
            int term = joint == 0 ? 0 : TermLength(text[(end + joint)..]);
            if (term == 0)
            {
                return end;
            }

            end += joint + term;
        }

        return end;
    }

    private static int JointLength(ReadOnlySpan<char> text) =>
        text.StartsWith("<<") ? 2 : text[0] is '|' or '*' ? 1 : 0;

    private static int TermLength(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return 0;
        }

        if (text[0] == '"')
        {
            int end = Math.Max(0, Nesting.SkipString(text, 0));
            return end + (end > 0 && text[end..].StartsWith("...") ? 3 : 0);
        }

        if (text[0] is '{' or '[')
        {
            return Math.Max(0, Nesting.SkipBrackets(text, 0));
        }

        int length = NumberText.Literal(text, out _);
        while (length < text.Length && NumberText.Literal(text, out _) == 0
            && (char.IsAsciiLetterUpper(text[length]) || text[length] == '_'
                || (length > 0 && char.IsAsciiDigit(text[length]))))
        {
            length++;
        }

        return WithDecoration(text, length);
    }

    private static int WithDecoration(ReadOnlySpan<char> text, int length)
    {
        bool opens = length > 0 && length < text.Length && text[length] == '<'
            && Nesting.OpensDecoration(text, length);
        int end = opens ? Nesting.SkipDecoration(text, length) : -1;
        return end < 0 ? length : end + (text[end..].StartsWith("(deleted)") ? 9 : 0);
    }
}
