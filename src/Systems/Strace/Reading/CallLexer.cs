namespace ShmCheck.Systems.Strace;

/// <summary>Reads the part of a call that stands behind the prefix of a line.</summary>
internal static class CallLexer
{
    private const string ResumedStart = "<... ";
    private const string ResumedEnd = " resumed>";

    /// <summary>Length of a name at the start of a text.</summary>
    public static int NameLength(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length
            && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '_' or '?' or '#'))
        {
            length++;
        }

        return length;
    }

    /// <summary>Reads <c>name(arguments</c> and its end, or
    /// <c>&lt;... name resumed&gt;arguments</c> and its end.</summary>
    /// <param name="line">The line.</param>
    /// <param name="start">Where its prefix ends.</param>
    /// <param name="knownOnly">Only names of <see cref="KnownSyscalls"/>.</param>
    /// <param name="mustBalance">See <see cref="CallTailLexer"/>.</param>
    /// <returns>Null when it is no call.</returns>
    public static CallText? Read(
        ReadOnlySpan<char> line, int start, bool knownOnly, bool mustBalance)
    {
        ReadOnlySpan<char> body = line[start..];
        if (body.StartsWith(ResumedStart))
        {
            ReadOnlySpan<char> rest = body[ResumedStart.Length..];
            int resumed = NameLength(rest);
            return resumed > 0 && rest[resumed..].StartsWith(ResumedEnd)
                ? new CallTailLexer(
                    line, start + ResumedStart.Length + resumed + ResumedEnd.Length, false)
                    .Read(CallPart.Resumed, KnownSyscalls.NameOf(rest[..resumed]))
                : null;
        }

        int length = NameLength(body);
        if (length == 0 || length >= body.Length || body[length] != '('
            || (knownOnly && !KnownSyscalls.Contains(body[..length])))
        {
            return null;
        }

        return new CallTailLexer(line, start + length + 1, mustBalance)
            .Read(CallPart.Entry, KnownSyscalls.NameOf(body[..length]));
    }
}
