using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>Reads traces (docs/trace-format.md).</summary>
public static class TraceParser
{
    private const string Header = "# shmcheck trace ";
    private const Errno HighestErrno = (Errno)4095;

    /// <summary>Reads a file.</summary>
    /// <exception cref="TraceFormatException">It is not a trace.</exception>
    public static Trace ParseFile(string path) => Parse(path, File.ReadAllText(path));

    /// <summary>Reads a text.</summary>
    /// <param name="file">The name that errors show.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="TraceFormatException">It is not a trace.</exception>
    public static Trace Parse(string file, string text)
    {
        string[] lines = text.Split('\n');
        if (!lines[0].StartsWith(Header, StringComparison.Ordinal)
            || lines[0][Header.Length..].TrimEnd('\r') != $"{Trace.Version}")
        {
            throw new TraceFormatException(file, 1, 1, $"expected '{Header}{Trace.Version}'");
        }

        // The text ends with a line feed, so that what follows the last one is not a line.
        int count = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length;
        MachineConfig machine = ParseMachine(new LineCursor(file, 2, Line(lines, 1)));
        var parsed = ImmutableArray.CreateBuilder<TraceLine>();
        for (int i = 2; i < count; i++)
        {
            parsed.Add(ParseLine(new LineCursor(file, i + 1, Line(lines, i))));
        }

        return new Trace(machine, parsed.ToImmutable());
    }

    private static string Line(string[] lines, int index) =>
        index < lines.Length ? lines[index].TrimEnd('\r') : "";

    private static MachineConfig ParseMachine(LineCursor line) =>
        line.TryTakeWord("machine")
            ? MachineText.Parse(line)
            : throw line.Error(0, "expected a line 'machine profile=... page=... frames=...'");

    private static TraceLine ParseLine(LineCursor line)
    {
        if (line.AtEnd)
        {
            return new TraceComment(null);
        }

        if (line.TryTake("#"))
        {
            return new TraceComment(line.Rest());
        }

        TraceLine parsed = line.TryTakeWord("observe")
            ? new TracedObservation(ParseRows(line)) : ParseCall(line);
        line.SkipBlanks();
        return line.AtEnd ? parsed : throw line.Error("expected the end of the line");
    }

    private static TracedCall ParseCall(LineCursor line)
    {
        Call call = CallParser.Parse(line);
        line.SkipBlanks();
        if (line.TryTake("!"))
        {
            call = call with { Injection = ParseInjection(line) };
            line.SkipBlanks();
        }

        if (line.AtEnd)
        {
            return new TracedCall(call, null);
        }

        line.Expect("=");
        line.SkipBlanks();
        return ParseReply(line, call);
    }

    private static Injection ParseInjection(LineCursor line)
    {
        int start = line.Position;
        AllocationKind kind = line.Word("a kind of allocation") switch
        {
            "frame" => AllocationKind.Frame,
            "slot" => AllocationKind.Slot,
            "huge" => AllocationKind.Huge,
            "id" => AllocationKind.Id,
            "bookkeeping" => AllocationKind.Bookkeeping,
            _ => throw line.Error(start, "expected frame, slot, huge, id or bookkeeping"),
        };
        line.Expect("#");
        start = line.Position;
        int nth = line.Int32("which allocation");
        return nth >= 1 ? new Injection(kind, nth)
            : throw line.Error(start, "expected a number from 1");
    }

    private static TracedCall ParseReply(LineCursor line, Call call)
    {
        int start = line.Position;
        if (CallParser.TryBindResult(call, line, out Call bound))
        {
            return line.TryTake("?") ? new TracedCall(bound, null)
                : new TracedCall(bound, new ExpectedReply.Bound());
        }

        if (line.TryTake("ok"))
        {
            return new TracedCall(call, new ExpectedReply.Bound());
        }

        if (line.TryTake("SIG"))
        {
            return new TracedCall(call, new ExpectedReply.Raised(ParseSignal(line, start)));
        }

        if (line.TryTake("-1 "))
        {
            return new TracedCall(call, new ExpectedReply.Error(ParseErrno(line)));
        }

        ExpectedValue result = ParseValue(line);
        line.SkipBlanks();
        ImmutableArray<ExpectedField> fields = line.Peek == '{' ? ParseFields(line) : [];
        return new TracedCall(call, new ExpectedReply.Value(result, fields));
    }

    private static Signal ParseSignal(LineCursor line, int start) =>
        Enum.TryParse("SIG" + line.Word("a signal"), out Signal signal) && signal != Signal.None
            ? signal : throw line.Error(start, "expected SIGBUS, SIGSEGV or SIGKILL");

    private static Errno ParseErrno(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        string name = line.Word("an errno");
        return Enum.TryParse(name, out Errno errno) && errno is > Errno.None and <= HighestErrno
            && Enum.IsDefined(errno) != char.IsAsciiDigit(name[0])
                ? errno : throw line.Error(start, "expected the name of an errno such as EINVAL, "
                    + "or the number of one that has no name here");
    }

    private static ImmutableArray<ExpectedField> ParseFields(LineCursor line)
    {
        line.Expect("{");
        var fields = ImmutableArray.CreateBuilder<ExpectedField>();
        do
        {
            line.SkipBlanks();
            fields.Add(ParseField(line));
            line.SkipBlanks();
        }
        while (line.TryTake(","));
        line.Expect("}");
        return fields.ToImmutable();
    }

    private static ExpectedField ParseField(LineCursor line)
    {
        int start = line.Position;
        string name = line.Word("the name of a field");
        if (!FieldText.IsKnown(name))
        {
            throw line.Error(start, $"expected a field that systems show; there is no '{name}'");
        }

        line.Expect("=");
        return new ExpectedField(name, ParseValue(line));
    }

    private static ExpectedValue ParseValue(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        if (line.TryTake("set"))
        {
            return ExpectedValue.Set;
        }

        if (line.TryTake("p"))
        {
            return CallParser.Process(line, start);
        }

        if (line.TryTake("s"))
        {
            return CallParser.Segment(line, start);
        }

        return line.Peek == '-' ? (ulong)line.Signed("a value") : line.Unsigned("a value");
    }

    private static ImmutableArray<ExpectedRow> ParseRows(LineCursor line)
    {
        var rows = ImmutableArray.CreateBuilder<ExpectedRow>();
        while (line.SkipBlanks() && !line.AtEnd)
        {
            if (TryParseSubject(line, out ExpectedRow row))
            {
                line.SkipBlanks();
                rows.Add(row with { Fields = ParseFields(line) });
                continue;
            }

            // Figures of the machine that stand side by side are one row.
            ExpectedField field = ParseField(line);
            if (rows is [.., { Kind: ExpectedRowKind.Global } machine])
            {
                rows[^1] = machine with { Fields = machine.Fields.Add(field) };
            }
            else
            {
                rows.Add(row with { Fields = [field] });
            }
        }

        return rows.Count > 0 ? rows.ToImmutable()
            : throw line.Error("expected what is observed, for instance s1 {nattch=1}");
    }

    private static bool TryParseSubject(LineCursor line, out ExpectedRow row)
    {
        int start = line.Position;
        (ExpectedRowKind kind, int number) = line switch
        {
            _ when line.TryTake("ipc") =>
                (ExpectedRowKind.Namespace, line.Int32("the number of a namespace")),
            _ when line.Peek == 's' && !IsField(line) && line.TryTake("s") =>
                (ExpectedRowKind.Segment, CallParser.Segment(line, start).Number),
            _ when line.Peek == 'p' && line.TryTake("p") =>
                (ExpectedRowKind.Process, CallParser.Process(line, start).Number),
            _ => (ExpectedRowKind.Global, 0),
        };
        AddressRef address = default;
        if (kind == ExpectedRowKind.Process && line.TryTake(":"))
        {
            kind = ExpectedRowKind.Mapping;
            address = CallParser.Address(line);
        }

        row = new ExpectedRow(kind, number, address, []);
        return kind != ExpectedRowKind.Global;
    }

    /// <summary>Whether a name begins here that is a field's, such as <c>shm_tot</c>.</summary>
    private static bool IsField(LineCursor line)
    {
        LineCursor ahead = line.Clone();
        return FieldText.IsKnown(ahead.Word("a name"));
    }
}
