using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Turns the lines of a section into what they say. Text of the program between them is
/// counted and left out; a line that it or a message of strace interrupts is put together again.
/// </summary>
internal sealed class SectionReader
{
    /// <summary>Where strace aligns results without <c>-a</c>.</summary>
    private const int UsualResultColumn = 40;

    private readonly LogSection _section;
    private readonly StraceFormat _format;
    private readonly SectionSurvey _survey;
    private readonly List<LogLine> _lines = [];
    private readonly StampReader _stamps;

    /// <summary>The call on the last line of strace, as long as it has no end.</summary>
    private LogLine? _open;
    private bool _openIsDoubtful;

    public SectionReader(LogSection section, StraceFormat format)
    {
        _section = section;
        _format = format;
        _survey = new SectionSurvey(section);
        _stamps = new StampReader(format);
        format.TaskIds = _survey.Style != TaskIdStyle.None ? _survey.Style : format.TaskIds;
    }

    /// <summary>How the section names tasks.</summary>
    public TaskIdStyle Style => _survey.Style;

    /// <summary>A bare end of a call where no line was interrupted: only <c>-z</c> does that.
    /// </summary>
    public SourcePosition? BareEnd { get; private set; }

    /// <summary>First line of a summary.</summary>
    public SourcePosition? Summary { get; private set; }

    private bool IsMarked => Style == TaskIdStyle.Leading;

    public List<LogLine> Read()
    {
        foreach ((int from, int to) in _section.Ranges)
        {
            for (int i = from; i < to; i++)
            {
                bool isCut = i == _section.Text.Lines - 1 && _section.Text.EndsWithinLine;
                ReadLine(i, _section.Text.Line(i), isCut);
            }
        }

        DropDoubtful();
        return _lines;
    }

    private void ReadLine(int number, ReadOnlySpan<char> line, bool isCut)
    {
        _format.IsTruncated |= isCut;
        if (line.Trim(' ').IsEmpty || IsAside(number, line))
        {
            return;
        }

        if (NoticeLexer.IsMessage(line))
        {
            AddMessage(number, line, 0);
            return;
        }

        if (TryReadAt(number, line, 0, isCut) || TryContinue(number, line, isCut)
            || TryResume(number, line))
        {
            return;
        }

        NoteBareEnd(number, line);
        _format.CountStray(_section.Text.Position(number, 0));
    }

    /// <summary>Lines that strace prints for other purposes than calls.</summary>
    private bool IsAside(int number, ReadOnlySpan<char> line)
    {
        if (line.StartsWith(" > "))
        {
            _format.StackTraceLines++;
            return true;
        }

        if (line.StartsWith(" | ") && line.EndsWith("|"))
        {
            _format.DumpLines++;
            return true;
        }

        if (Summary is null ? line.StartsWith("% time ") : IsSummary(line))
        {
            Summary ??= _section.Text.Position(number, 0);
            _format.SummaryLines++;
            return true;
        }

        return false;
    }

    private static bool IsSummary(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> text = line.TrimStart(' ');
        return text.StartsWith("------ ") || text.StartsWith("% time ")
            || text.StartsWith("System call usage summary for ")
            || (NumberText.Seconds(text, out _) is > 2 and int length
                && text[length..].StartsWith("    "));
    }

    /// <summary>Reads a line of strace that starts at a column.</summary>
    private bool TryReadAt(int number, ReadOnlySpan<char> line, int column, bool isCut)
    {
        ReadOnlySpan<char> own = line[column..];
        if (!LinePrefix.TryRead(own, Style, out LinePrefix prefix))
        {
            return false;
        }

        EventPlace place = new(
            prefix.Task ?? (Style == TaskIdStyle.None ? _section.Task : null),
            _section.Text.Position(number, column + prefix.Length), null);
        if (NoticeLexer.Read(own[prefix.Length..], place) is StraceEvent notice)
        {
            AddEvent(notice, prefix);
            return true;
        }

        CallText? call = CallLexer.Read(
            own, prefix.Length, knownOnly: !IsMarked && prefix.Task is null, !IsMarked);
        if (call is null)
        {
            return false;
        }

        call = call with { ArgumentsAt = column + call.ArgumentsAt };
        int message = call.Tail == CallTail.Cut ? NoticeLexer.FindMessage(line) : -1;
        bool isInterrupted = message >= call.ArgumentsAt;
        if (!IsMarked && prefix.Task is null && !isInterrupted
            && IsOutputOfProgram(call, column))
        {
            return false;
        }

        if (isCut && call.Tail == CallTail.Complete)
        {
            call = call with { Tail = CallTail.Cut, Result = default, Duration = null };
        }

        if (isInterrupted)
        {
            call = call with { Arguments = line[call.ArgumentsAt..message].ToString() };
        }

        bool isDoubtful = !IsMarked && prefix.Task is null && !isInterrupted && !isCut
            && call.Tail == CallTail.Cut;
        AddCall(call, prefix, place, isDoubtful);
        if (isInterrupted)
        {
            AddMessage(number, line[message..], message);
        }

        return true;
    }

    /// <summary>A program can print what looks like a call, on a line that nothing marks. strace
    /// pads short calls to one column, programs do not; and what has no end stands at the start of
    /// a line and follows nothing else that has none.</summary>
    private bool IsOutputOfProgram(CallText call, int column) => call.Tail switch
    {
        _ when call.Part != CallPart.Entry => false,
        CallTail.Complete => column == 0
            ? call.EqualsAt < _survey.ResultColumn : !IsAligned(call),
        CallTail.Cut => _open is not null || column > 0,
        _ => false,
    };

    private bool IsAligned(CallText call)
    {
        int column = _survey.ResultColumn ?? UsualResultColumn;
        return call.Gap == 1 ? call.EqualsAt >= column : call.EqualsAt == column;
    }

    /// <summary>An unmarked line without an end that nothing continues was text of the
    /// program.</summary>
    private void DropDoubtful()
    {
        if (_open is not null && _openIsDoubtful)
        {
            _lines.RemoveAt(_lines.LastIndexOf(_open));
            _format.CountStray(_open.Position);
        }

        _open = null;
    }

    private void AddCall(
        CallText call, in LinePrefix prefix, EventPlace place, bool isDoubtful)
    {
        DropDoubtful();
        NoteCall(call, prefix);
        var entry = new LogLine(place.Position)
        {
            Call = call with { IsIntruded = !IsMarked },
            Task = place.Task,
            Time = _stamps.Next(prefix),
        };
        _lines.Add(entry);
        _open = IsOpen(call) ? entry : null;
        _openIsDoubtful = isDoubtful;
    }

    /// <summary>What a program prints can end a line like an interrupted call.</summary>
    private bool IsOpen(CallText call) => call.Tail == CallTail.Cut
        || (call.Tail == CallTail.Unfinished && !IsMarked);

    /// <summary>Reads the end of the call that was interrupted.</summary>
    private bool TryContinue(int number, ReadOnlySpan<char> line, bool isCut)
    {
        if (_open is null || isCut)
        {
            return false;
        }

        // Only where a line surely breaks off can output of the program stand before its end.
        bool mustBeClean = _open.Call?.Tail == CallTail.Unfinished;
        CallText text = new CallTailLexer(line, 0, mustBalance: true)
            .Read(CallPart.Continuation, "");
        if (text.Tail == CallTail.Cut || (mustBeClean && text.Tail == CallTail.Complete
            && text.Arguments.Length > 0 && !StartsLikeArguments(text.Arguments)))
        {
            return false;
        }

        if (text.Tail == CallTail.Unfinished)
        {
            // Nothing of the call stands here, and if the program printed this the end is to come.
            return true;
        }

        if (text.Arguments.Length > 0 && !StartsLikeArguments(text.Arguments))
        {
            text = text with { Arguments = "" };
        }

        NoteCall(text, default);
        _lines.Add(new LogLine(_section.Text.Position(number, 0))
        {
            Call = text,
            Task = _open.Task,
            Continues = _open,
        });
        _open = null;
        return true;
    }

    private static bool StartsLikeArguments(string text) =>
        text[0] is ',' or '{' or '[' or '"' or '-' || char.IsAsciiDigit(text[0])
        || text.StartsWith(" => ", StringComparison.Ordinal)
        || text.StartsWith("NULL", StringComparison.Ordinal);

    /// <summary>Reads a line of strace behind text of the program that had no line end.
    /// </summary>
    private bool TryResume(int number, ReadOnlySpan<char> line)
    {
        if (IsMarked)
        {
            return false;
        }

        int start = Style == TaskIdStyle.Bracketed ? line.IndexOf("[pid ") : -1;
        if (start <= 0 || !LinePrefix.TryRead(line[start..], Style, out _))
        {
            start = FindUnmarked(line);
        }

        if (start <= 0 || !TryReadAt(number, line, start, isCut: false))
        {
            return false;
        }

        _format.CountStray(_section.Text.Position(number, 0));
        return true;
    }

    private static int FindUnmarked(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> trimmed = line.TrimEnd(' ');
        if (trimmed.EndsWith(" +++") || trimmed.EndsWith(" ---"))
        {
            string opener = trimmed.EndsWith(" +++") ? "+++ " : "--- SIG";
            return trimmed[..^4].LastIndexOf(opener);
        }

        int open = line.IndexOf('(');
        return open <= 0 ? -1 : open - KnownSyscalls.LongestSuffix(line[..open]);
    }

    private void NoteBareEnd(int number, ReadOnlySpan<char> line)
    {
        if (line.StartsWith(")") && _open is null)
        {
            CallText text = new CallTailLexer(line, 0, mustBalance: true)
                .Read(CallPart.Continuation, "");
            bool isEnd = text.Tail == CallTail.Complete && text.Arguments.Length == 0
                && (IsMarked || text.EqualsAt == _survey.ResultColumn);
            BareEnd ??= isEnd ? _section.Text.Position(number, 0) : null;
        }
    }

    private void AddMessage(int number, ReadOnlySpan<char> text, int column)
    {
        _format.Messages++;
        EventPlace place = new(null, _section.Text.Position(number, column), _stamps.Last);
        if (NoticeLexer.ReadMessage(text, place) is StraceEvent message)
        {
            _lines.Add(new LogLine(place.Position)
            {
                Event = message,
                Task = message.Task,
                Time = place.Time,
            });
        }
    }

    private void AddEvent(StraceEvent notice, in LinePrefix prefix)
    {
        DropDoubtful();
        _format.HasExitNotices |= notice is TaskExited or TaskKilled;
        _format.HasSignals |= notice is SignalDelivered;
        NotePrefix(prefix);
        _lines.Add(new LogLine(notice.Position)
        {
            Event = notice,
            Task = notice.Task,
            Time = _stamps.Next(prefix),
        });
    }

    private void NoteCall(CallText call, in LinePrefix prefix)
    {
        NotePrefix(prefix);
        _format.HasDurations |= call.Duration is not null;
        _format.TamperedCalls += call.Result.Tampering != Tampering.None ? 1 : 0;
    }

    private void NotePrefix(in LinePrefix prefix)
    {
        _format.HasCommandNames |= prefix.HasCommand;
        _format.HasSyscallNumbers |= prefix.HasNumber;
        _format.HasInstructionPointers |= prefix.HasPointer;
    }
}
