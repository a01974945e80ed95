using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Which part of a call a line shows.</summary>
internal enum CallPart
{
    /// <summary>The call from its name on.</summary>
    Entry,
    /// <summary>The rest, behind <c>&lt;... NAME resumed&gt;</c>.</summary>
    Resumed,
    /// <summary>The rest of the line before, after a message or text of the program.</summary>
    Continuation,
}

/// <summary>How the text of a call ends.</summary>
internal enum CallTail
{
    /// <summary>Without an end: the line was interrupted or cut.</summary>
    Cut,
    /// <summary><c>&lt;unfinished ...&gt;</c>, or <c>&lt;pid changed to N ...&gt;</c> of an execve
    /// that goes on under another id.</summary>
    Unfinished,
    /// <summary><c>&lt;detached ...&gt;</c></summary>
    Detached,
    /// <summary>With a result.</summary>
    Complete,
}

/// <summary>The text of a call on one line.</summary>
internal sealed record CallText
{
    public required CallPart Part { get; init; }

    public required CallTail Tail { get; init; }

    public string Name { get; init; } = "";

    public string Arguments { get; init; } = "";

    /// <summary>Index in the line of the first character of the arguments.</summary>
    public int ArgumentsAt { get; init; }

    public StraceResult Result { get; init; }

    public long? Duration { get; init; }

    /// <summary>Index in the line of the <c>=</c>, and blanks between it and the parenthesis.
    /// </summary>
    public int EqualsAt { get; init; } = -1;

    public int Gap { get; init; }

    /// <summary>Text of the program may stand in the arguments.</summary>
    public bool IsIntruded { get; init; }
}

/// <summary>Finds the end of a call in the text behind its opening parenthesis.</summary>
internal readonly ref struct CallTailLexer
{
    /// <summary>How many <c>) = </c> are tried: what stands behind the true one has few.
    /// </summary>
    private const int MostTries = 16;

    private readonly ReadOnlySpan<char> _line;
    private readonly int _start;
    private readonly bool _mustBalance;

    /// <param name="line">The line.</param>
    /// <param name="start">Where the arguments start.</param>
    /// <param name="mustBalance">The arguments must be balanced: text of a program that looks
    /// like the end of a call can stand in the line.</param>
    public CallTailLexer(ReadOnlySpan<char> line, int start, bool mustBalance)
    {
        _line = line.TrimEnd(' ');
        _start = Math.Min(start, _line.Length);
        _mustBalance = mustBalance;
    }

    public CallText Read(CallPart part, string name) =>
        ReadMarker(part, name) ?? ReadResult(part, name)
            ?? Make(part, name, CallTail.Cut, _line.Length);

    private CallText? ReadMarker(CallPart part, string name)
    {
        if (!_line.EndsWith(" ...>"))
        {
            return null;
        }

        int open = _line.LastIndexOf('<');
        if (open < _start)
        {
            return null;
        }

        ReadOnlySpan<char> marker = _line[(open + 1)..^5];
        open -= open > _start && _line[open - 1] == ' ' ? 1 : 0;
        return marker switch
        {
            "unfinished" => Make(part, name, CallTail.Unfinished, open),
            _ when marker.StartsWith("pid changed to ") =>
                Make(part, name, CallTail.Unfinished, open),
            "detached" => Make(part, name, CallTail.Detached, open),
            _ => null,
        };
    }

    /// <summary>Tries each <c>) = </c> from the last one: a string, a path or a comment can
    /// contain one, but what follows it there is never a result to the end of the line.</summary>
    private CallText? ReadResult(CallPart part, string name)
    {
        int end = _line.Length;
        for (int tries = 0; tries < MostTries && end > _start; tries++)
        {
            int equals = _line[_start..end].LastIndexOf("= ");
            if (equals < 0)
            {
                return null;
            }

            equals += _start;
            int close = equals - 1;
            while (close > _start && _line[close] == ' ')
            {
                close--;
            }

            if (close >= _start && _line[close] == ')' && close < equals - 1
                && ResultLexer.TryRead(
                    _line[(equals + 2)..], out StraceResult result, out long? duration)
                && (!_mustBalance || Nesting.IsBalanced(_line[_start..close])))
            {
                return MakeComplete(part, name, close) with
                {
                    Result = result,
                    Duration = duration,
                    EqualsAt = equals,
                    Gap = equals - close - 1,
                };
            }

            end = equals;
        }

        return null;
    }

    /// <summary>A call killed inside prints <c> &lt;unfinished ...&gt;) = ?</c>.</summary>
    private CallText MakeComplete(CallPart part, string name, int close)
    {
        const string killed = "<unfinished ...>";
        ReadOnlySpan<char> arguments = _line[_start..close];
        bool isKilled = arguments.EndsWith(killed);
        return Make(part, name, CallTail.Complete,
            isKilled ? Math.Max(_start, close - killed.Length - 1) : close);
    }

    private CallText Make(CallPart part, string name, CallTail tail, int end) => new()
    {
        Part = part,
        Tail = tail,
        Name = name,
        Arguments = _line[_start..end].ToString(),
        ArgumentsAt = _start,
    };
}
