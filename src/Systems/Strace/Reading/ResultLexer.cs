using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Reads what stands behind the <c>=</c> of a call, to the end of the line.</summary>
internal ref struct ResultLexer
{
    private ReadOnlySpan<char> _rest;

    private ResultLexer(ReadOnlySpan<char> text) => _rest = text;

    /// <summary>Reads a result.</summary>
    /// <param name="text">All that stands behind <c>= </c>.</param>
    /// <param name="result">The result.</param>
    /// <param name="duration">Nanoseconds inside the call, where shown.</param>
    /// <returns>Whether the whole text is a result.</returns>
    public static bool TryRead(
        ReadOnlySpan<char> text, out StraceResult result, out long? duration)
    {
        var lexer = new ResultLexer(text.TrimEnd());
        duration = null;
        return lexer.TryReadValue(out result)
            && lexer.TryReadNotes(ref result)
            && lexer.TryReadDuration(ref duration)
            && lexer._rest.IsEmpty;
    }

    private bool TryReadValue(out StraceResult result)
    {
        result = default;
        if (_rest.StartsWith("?"))
        {
            _rest = _rest[1..];
            result = ReadAbsence();
            return true;
        }

        int length = NumberText.Literal(_rest, out ulong bits);
        if (length == 0)
        {
            return false;
        }

        bool negative = _rest[0] == '-';
        _rest = _rest[length..];
        result = new StraceResult(ResultKind.Value, unchecked((long)bits));
        return (negative && TryReadError(ref result)) || TryReadDecoration(ref result);
    }

    private StraceResult ReadAbsence()
    {
        const string unavailable = " <unavailable>";
        if (_rest.StartsWith(unavailable))
        {
            _rest = _rest[unavailable.Length..];
            return new StraceResult(ResultKind.Unavailable);
        }

        string? name = ReadErrorName();
        return name is null
            ? new StraceResult(ResultKind.NoReturn)
            : new StraceResult(ResultKind.Restarted, ErrorName: name);
    }

    private bool TryReadError(ref StraceResult result)
    {
        const string unnamed = " (errno ";
        if (_rest.StartsWith(unnamed))
        {
            ReadOnlySpan<char> number = _rest[unnamed.Length..];
            int length = NumberText.Decimal(number, out ulong value);
            if (length == 0 || value > int.MaxValue || !number[length..].StartsWith(")"))
            {
                return false;
            }

            _rest = number[(length + 1)..];
            result = result with { Kind = ResultKind.Error, ErrorNumber = (int)value };
            return true;
        }

        string? name = ReadErrorName();
        if (name is not null)
        {
            result = result with { Kind = ResultKind.Error, ErrorName = name };
        }

        return name is not null;
    }

    private string? ReadErrorName()
    {
        if (!_rest.StartsWith(" E"))
        {
            return null;
        }

        int end = 2;
        while (end < _rest.Length
            && (char.IsAsciiLetterUpper(_rest[end]) || char.IsAsciiDigit(_rest[end])
                || _rest[end] == '_'))
        {
            end++;
        }

        string name = _rest[1..end].ToString();
        _rest = _rest[end..];
        SkipText();
        return name;
    }

    /// <summary>Skips the text of an error: the first parentheses behind its name.</summary>
    private void SkipText()
    {
        int end = EndOfParentheses(_rest);
        if (end > 0 && !IsTampering(_rest[2..(end - 1)]))
        {
            _rest = _rest[end..];
        }
    }

    private bool TryReadDecoration(ref StraceResult result)
    {
        if (_rest.IsEmpty || _rest[0] != '<')
        {
            return true;
        }

        int end = Nesting.SkipDecoration(_rest, 0);
        if (end < 0)
        {
            return false;
        }

        string decoration = _rest[1..(end - 1)].ToString();
        _rest = _rest[end..];
        const string deleted = "(deleted)";
        if (_rest.StartsWith(deleted))
        {
            decoration += deleted;
            _rest = _rest[deleted.Length..];
        }

        result = result with { Decoration = decoration };
        return true;
    }

    private bool TryReadNotes(ref StraceResult result)
    {
        while (_rest.Length > 2 && _rest[0] == ' ')
        {
            if (_rest[1] == '/' && _rest[2] == '*')
            {
                int close = Nesting.SkipComment(_rest, 1);
                if (close < 0)
                {
                    return false;
                }

                _rest = _rest[close..];
                continue;
            }

            int end = EndOfParentheses(_rest);
            if (end < 0)
            {
                return true;
            }

            result = WithNote(result, _rest[2..(end - 1)]);
            _rest = _rest[end..];
        }

        return true;
    }

    private static StraceResult WithNote(StraceResult result, ReadOnlySpan<char> note)
    {
        if (!IsTampering(note))
        {
            return result with { Note = result.Note ?? note.ToString() };
        }

        Tampering tampering = note switch
        {
            "INJECTED" => Tampering.ResultInjected,
            "INJECTED: args" => Tampering.ArgumentsInjected,
            "DELAYED" => Tampering.Delayed,
            _ => Tampering.ResultInjected | Tampering.ArgumentsInjected,
        };
        return result with { Tampering = result.Tampering | tampering };
    }

    private static bool IsTampering(ReadOnlySpan<char> note) =>
        note.StartsWith("INJECTED") || note.SequenceEqual("DELAYED");

    /// <summary>Index behind <c> (...)</c> at the start, or -1.</summary>
    private static int EndOfParentheses(ReadOnlySpan<char> text)
    {
        if (!text.StartsWith(" ("))
        {
            return -1;
        }

        int depth = 0;
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == '(')
            {
                depth++;
            }
            else if (text[i] == ')' && --depth == 0)
            {
                return i + 1;
            }
        }

        return -1;
    }

    private bool TryReadDuration(ref long? duration)
    {
        if (!_rest.StartsWith(" <"))
        {
            return true;
        }

        int length = NumberText.Seconds(_rest[2..], out long nanoseconds);
        if (length == 0 || !_rest[(2 + length)..].SequenceEqual(">"))
        {
            return false;
        }

        duration = nanoseconds;
        _rest = default;
        return true;
    }
}
