using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Ledgers;

/// <summary>Reads ledgers (docs/ledger.md).</summary>
public sealed class LedgerParser
{
    private const string Header = "# shmcheck ledger ";
    private const string Indentation = "  ";

    private readonly string _file;
    private readonly string[] _lines;
    private readonly RuleAliases _aliases;
    private int _next;

    private LedgerParser(string file, string text, RuleAliases aliases)
    {
        _file = file;
        _lines = [.. text.Split('\n').Select(line => line.TrimEnd('\r'))];
        _aliases = aliases;
    }

    /// <summary>Reads a text.</summary>
    /// <param name="file">The name that errors show.</param>
    /// <param name="text">The text.</param>
    /// <param name="aliases">Old names of rules; those of the catalogue when not given.</param>
    /// <exception cref="TraceFormatException">It is not a ledger.</exception>
    public static Ledger Parse(string file, string text, RuleAliases? aliases = null) =>
        new LedgerParser(file, text, aliases ?? RuleAliases.Known).ParseLedger();

    private Ledger ParseLedger()
    {
        if (_lines[0] != $"{Header}{Ledger.Version}")
        {
            throw new TraceFormatException(_file, 1, 1, $"expected '{Header}{Ledger.Version}'");
        }

        _next = 1;
        LineCursor line = Expect("system");
        string system = Name(line, "the name of a system");
        End(line);
        ImmutableArray<KernelRange> versions =
            NextIs("versions") ? ParseKernels(Expect("versions")) : [];
        var rows = ImmutableArray.CreateBuilder<LedgerRow>();
        while (SkipBlankLines())
        {
            int number = _next + 1;
            LedgerRow row = ParseRow() with { Versions = versions };
            if (rows.Any(other => other.Name == row.Name
                || (IsKnownByFingerprint(other) && IsKnownByFingerprint(row)
                    && FingerprintsOf(other).Intersect(FingerprintsOf(row)).Any())))
            {
                throw new TraceFormatException(_file, number, 1, "expected a row whose name, and "
                    + "whose fingerprint where it is known by that, no other row has; "
                    + $"'{row.Name}' has");
            }

            rows.Add(row);
        }

        return new Ledger(system, rows.ToImmutable()) { Versions = versions };
    }

    private static bool IsKnownByFingerprint(LedgerRow row) =>
        row.Figures.Contains(new WrongFigure.Everything());

    private static IEnumerable<Fingerprint> FingerprintsOf(LedgerRow row) =>
        row.Others.Prepend(row.Fingerprint);

    private LedgerRow ParseRow()
    {
        LineCursor line = Expect("row");
        string name = Name(line, "the name of a row");
        End(line);
        Fingerprint fingerprint = ParseFingerprint(Expect("fingerprint"));
        var others = ImmutableArray.CreateBuilder<Fingerprint>();
        while (NextIs("also"))
        {
            others.Add(ParseFingerprint(Expect("also")));
        }

        LedgerStatus status = ParseStatus(Expect("status"));
        ImmutableArray<KernelRange> kernels =
            NextIs("kernels") ? ParseKernels(Expect("kernels")) : [];
        return new LedgerRow
        {
            Name = name,
            Fingerprint = fingerprint,
            Others = others.ToImmutable(),
            Status = status,
            Kernels = kernels,
            Figures = ParseFigures(),
            About = ParseAbout(),
            Trace = ParseTrace(),
        };
    }

    private Fingerprint ParseFingerprint(LineCursor line)
    {
        string rule = Rule(line);
        line.Expect("|");
        var fields = new List<string>();
        do
        {
            line.SkipBlanks();
            fields.Add(line.TryTake(LedgerRow.AndOthers) ? LedgerRow.AndOthers
                : line.Word("the name of a field"));
        }
        while (line.TryTake(","));
        line.Expect("|");
        line.SkipBlanks();
        int start = line.Position;
        string call = line.Word("the kind of a call");
        if (!Enum.TryParse(call, out CallKind kind) || !Enum.IsDefined(kind)
            || char.IsAsciiDigit(call[0]))
        {
            throw line.Error(start, "expected the kind of a call, for instance Store");
        }

        End(line);
        return Fingerprint.Of(rule, fields, kind);
    }

    private string Rule(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        string name = _aliases.Resolve(line.While(RuleNames.Belongs));
        return RuleNames.Exists(name) ? name : throw line.Error(
            start, $"expected a rule or invariant of the catalogue; there is no '{name}'");
    }

    private static LedgerStatus ParseStatus(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        LedgerStatus? status = null;
        switch (line.While(char.IsAsciiLetter))
        {
            case "defect":
                status = new LedgerStatus.Defect();
                break;
            case "intended":
                status = new LedgerStatus.Intended();
                break;
            case "fixed":
                string version = Name(line, "the version that mends it");
                line.SkipBlanks();
                string link = line.While(c => !char.IsWhiteSpace(c));
                status = link.Length == 0 ? throw line.Error("expected a link")
                    : new LedgerStatus.Fixed(version, link);
                break;
            default:
                break;
        }

        End(line);
        return status
            ?? throw line.Error(start, "expected defect, intended, or fixed VERSION LINK");
    }

    private static ImmutableArray<KernelRange> ParseKernels(LineCursor line)
    {
        var ranges = ImmutableArray.CreateBuilder<KernelRange>();
        do
        {
            line.SkipBlanks();
            int start = line.Position;
            KernelVersion first = ParseVersion(line);
            KernelVersion last = line.TryTake("..") ? ParseVersion(line) : first;
            var range = new KernelRange(first, last);
            ranges.Add(range.Contains(first) ? range
                : throw line.Error(start, "expected the older version first"));
            line.SkipBlanks();
        }
        while (line.TryTake(","));
        End(line);
        return ranges.ToImmutable();
    }

    private static KernelVersion ParseVersion(LineCursor line)
    {
        int start = line.Position;
        var text = new System.Text.StringBuilder(line.While(char.IsAsciiDigit));
        LineCursor ahead = line.Clone();
        while (ahead.TryTake(".") && char.IsAsciiDigit(ahead.Peek))
        {
            line.TryTake(".");
            text.Append('.').Append(line.While(char.IsAsciiDigit));
            ahead = line.Clone();
        }

        return KernelVersion.TryParse(text.ToString(), out KernelVersion version) ? version
            : throw line.Error(start, "expected a kernel version, for instance 6.12 or 6.12.116");
    }

    private ImmutableArray<WrongFigure> ParseFigures()
    {
        var figures = ImmutableArray.CreateBuilder<WrongFigure>();
        do
        {
            LineCursor line = Expect("wrong");
            line.SkipBlanks();
            int start = line.Position;
            WrongFigure figure = line.TryTake("errno ") ? ParseAnswer(line)
                : line.TryTake("order of ") ? ParseOrder(line)
                : line.TryTake("refusal ") ? ParseRefusal(line)
                : line.TryTake("call ") ? ParseSubstitute(line)
                : line.TryTake("division") ? ParseDivision(line)
                : line.TryTake("acceptance ") ? ParseAcceptance(line)
                : line.TryTake("value ")
                    ? new WrongFigure.Returned(Rule(line), ParseValue(line))
                : line.TryTake("rights after ") ? new WrongFigure.Rights(Rule(line))
                : line.TryTake("limit after ") ? new WrongFigure.Limit(Rule(line))
                : line.TryTake("death after ") ? new WrongFigure.Death(Rule(line))
                : line.TryTake("death at ") ? new WrongFigure.DeathAt(Rule(line))
                : line.TryTake("loss shmget of ") ? ParseLoss(line)
                : line.TryTake("fingerprint") ? ParseEverything(line)
                : ParseFigure(line);
            End(line);
            if (figure is WrongFigure.Total total && !figures.OfType<WrongFigure.Single>().Any(
                f => f.Subject == FigureSubject.Segment && f.Field == total.Of.ToString()))
            {
                throw line.Error(start, $"expected a line 'wrong segment {total.Of} ...' above");
            }

            figures.Add(figure);
        }
        while (NextIs("wrong"));
        return figures.ToImmutable();
    }

    private static WrongFigure.Order ParseOrder(LineCursor line) => new(
        Calls(line) ?? throw line.Error("expected a call, for instance mremap(*)"));

    private WrongFigure ParseRefusal(LineCursor line) =>
        Calls(line) is { } calls ? new WrongFigure.RefusedCalls(calls, ParseErrno(line))
            : new WrongFigure.Refusal(Rule(line), ParseErrno(line));

    private WrongFigure ParseAcceptance(LineCursor line)
    {
        string rule = Rule(line);
        line.SkipBlanks();
        return line.TryTake("behind munmap") ? new WrongFigure.Replaced(rule)
            : new WrongFigure.Acceptance(rule);
    }

    private WrongFigure ParseDivision(LineCursor line)
    {
        if (!line.TryTake(" at "))
        {
            return line.TryTake(" of memory") ? new WrongFigure.DividedMemory()
                : new WrongFigure.Divided(line.TryTake(" but ") ? Rule(line) : null);
        }

        CallPattern calls = Calls(line)
            ?? throw line.Error("expected a call, for instance munlockall()");
        line.SkipBlanks();
        return new WrongFigure.DividedAt(calls, line.TryTake("with policy"));
    }

    private static WrongFigure.Substituted ParseSubstitute(LineCursor line)
    {
        CallPattern calls = Calls(line)
            ?? throw line.Error("expected a call, for instance madvise(*, MADV_FREE)");
        line.SkipBlanks();
        bool always = !line.TryTake("may do ");
        if (always)
        {
            line.Expect("does ");
        }

        int start = line.Position;
        CallPattern? other = line.TryTake("nothing") ? null
            : Calls(line) ?? throw line.Error("expected a call or nothing");
        line.SkipBlanks();
        bool whileLocking = line.TryTake("while MCL_FUTURE");
        return other?.CanStandFor(calls) != false
            ? new WrongFigure.Substituted(calls, other, always, whileLocking)
            : throw line.Error(start, "expected '*' only where one stands in the call before");
    }

    /// <summary>Calls as traces write them; null where no parenthesis follows a name.</summary>
    private static CallPattern? Calls(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        string name = line.While(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        if (line.Peek != '(')
        {
            line.Return(start);
            return null;
        }

        string arguments = line.While(c => c != ')');
        line.Expect(")");
        return new CallPattern($"{name}{arguments})");
    }

    private WrongFigure.Everything ParseEverything(LineCursor line)
    {
        line.SkipBlanks();
        return line.TryTake("while huge above ")
            ? new WrongFigure.Everything(HugeAbove: line.Unsigned("bytes"))
            : line.TryTake("while segment above ")
            ? new WrongFigure.Everything(SegmentAbove: line.Unsigned("bytes"))
            : line.TryTake("while swap is ")
            ? new WrongFigure.Everything(SwapSlots: line.Unsigned("slots"))
            : new WrongFigure.Everything(After: line.TryTake("after ") ? Rule(line) : null);
    }

    private static WrongFigure.Deadly ParseLoss(LineCursor line)
    {
        int start = line.Position;
        ulong least = line.Unsigned("bytes");
        line.Expect("..");
        ulong most = line.Unsigned("bytes");
        line.Expect("bytes");
        return least <= most ? new WrongFigure.Deadly(least, most)
            : throw line.Error(start, "expected the smaller size first");
    }

    private WrongFigure.Answer ParseAnswer(LineCursor line)
    {
        string rule = Rule(line);
        Errno right = ParseErrno(line);
        line.Expect("is ");
        return new WrongFigure.Answer(rule, right, ParseErrno(line));
    }

    private static Errno ParseErrno(LineCursor line)
    {
        line.SkipBlanks();
        int start = line.Position;
        string name = line.Word("an errno");
        return Enum.TryParse(name, out Errno errno) && Enum.IsDefined(errno)
            && errno != Errno.None && !char.IsAsciiDigit(name[0])
                ? errno : throw line.Error(start, "expected the name of an errno");
    }

    private WrongFigure ParseFigure(LineCursor line)
    {
        int start = line.Position;
        string word = line.Word("a subject");
        FigureSubject[] subjects = Enum.GetValues<FigureSubject>();
        int found = Array.FindIndex(subjects, s => FigureNames.Of(s) == word);
        if (found < 0)
        {
            throw line.Error(start, "expected errno, order, value, acceptance, refusal, "
                + "call, division, rights, limit, death, loss, fingerprint or one of "
                + string.Join(", ", subjects.Select(FigureNames.Of)));
        }

        FigureSubject subject = subjects[found];
        line.SkipBlanks();
        start = line.Position;
        string field = line.Word("the name of a field");
        if (!FigureNames.FieldsOf(subject).Contains(field))
        {
            throw line.Error(start, $"expected one of "
                + string.Join(", ", FigureNames.FieldsOf(subject)));
        }

        line.SkipBlanks();
        if (subject is FigureSubject.Namespace or FigureSubject.ShmInfo && line.TryTake("sum of "))
        {
            start = line.Position;
            return Enum.TryParse(line.Word("a figure of segments"), out SegmentField of)
                ? new WrongFigure.Total(subject, field, of)
                : throw line.Error(start, "expected a figure of segments");
        }

        if (subject == FigureSubject.Process && line.TryTake("keeps "))
        {
            return FigureNames.Counters.Contains(field)
                ? new WrongFigure.Kept(field, Rule(line))
                : throw line.Error(
                    start, $"expected one of {string.Join(", ", FigureNames.Counters)}");
        }

        SegmentKind kind = FigureNames.HasSegments(subject) ? ParseKind(line) : default;
        WrongValue value = ParseValue(line, subject);
        line.SkipBlanks();
        ulong? size = subject == FigureSubject.Machine && line.TryTake("while charged above ")
            ? line.Unsigned("bytes") : null;
        return new WrongFigure.Single(subject, field, kind, value, size);
    }

    private static SegmentKind ParseKind(LineCursor line)
    {
        int start = line.Position;
        SegmentKind kind = line.Word("any, normal or huge") switch
        {
            "any" => new SegmentKind(),
            "normal" => new SegmentKind(Huge: false),
            "huge" => new SegmentKind(
                Huge: true, line.TryTake("=") ? line.Unsigned("a huge page size") : null),
            _ => throw line.Error(start, "expected any, normal, huge or huge=SIZE"),
        };
        line.SkipBlanks();
        return kind;
    }

    private WrongValue ParseValue(LineCursor line, FigureSubject? subject = null)
    {
        line.SkipBlanks();
        int start = line.Position;
        string how = line.While(char.IsAsciiLetter);
        line.SkipBlanks();
        return (how, subject) switch
        {
            ("is", { } of) when char.IsAsciiLetter(line.Peek) => ParseAnother(line, of),
            ("higher", not null) => new WrongValue.Higher(),
            ("stays", FigureSubject.Segment) => new WrongValue.Stays(Rules(line)),
            ("counts", FigureSubject.Namespace or FigureSubject.ShmInfo) =>
                new WrongValue.Counts(Rule(line)),
            _ => ParsePlainValue(line, start, how),
        };
    }

    private ImmutableArray<string> Rules(LineCursor line)
    {
        var rules = ImmutableArray.CreateBuilder<string>();
        do
        {
            line.SkipBlanks();
            rules.Add(Rule(line));
        }
        while (line.TryTake(","));
        return rules.ToImmutable();
    }

    private static WrongValue.Another ParseAnother(LineCursor line, FigureSubject subject)
    {
        int start = line.Position;
        string field = line.Word("a number or the name of a field");
        return FigureNames.FieldsOf(subject).Contains(field) ? new WrongValue.Another(field)
            : throw line.Error(start, "expected a number or one of "
                + string.Join(", ", FigureNames.FieldsOf(subject)));
    }

    private static WrongValue ParsePlainValue(LineCursor line, int start, string how) =>
        how switch
        {
            "times" => new WrongValue.Times(line.Unsigned("a factor")),
            "plus" => new WrongValue.Plus(line.Signed("a number")),
            "is" => new WrongValue.Constant(line.Unsigned("a number")),
            "any" => new WrongValue.Anything(),
            _ => throw line.Error(start, "expected times N, plus N, is N or any"),
        };

    private ImmutableArray<string> ParseAbout()
    {
        End(Expect("about"));
        return [.. Block("what is wrong, and why")];
    }

    /// <summary>The trace, whose errors are given at the place where it stands here.</summary>
    private Trace ParseTrace()
    {
        End(Expect("trace"));
        int first = _next;
        string text = string.Concat(Block("a trace").Select(line => line + "\n"));
        try
        {
            return TraceParser.Parse(_file, text);
        }
        catch (TraceFormatException problem)
        {
            throw new TraceFormatException(
                _file, first + problem.Line, Indentation.Length + problem.Column,
                problem.Expected);
        }
    }

    /// <summary>Indented lines, without their indentation.</summary>
    private List<string> Block(string expected)
    {
        var lines = new List<string>();
        while (_next < _lines.Length
            && _lines[_next].StartsWith(Indentation, StringComparison.Ordinal))
        {
            lines.Add(_lines[_next++][Indentation.Length..]);
        }

        return lines.Count > 0 ? lines : throw new TraceFormatException(
            _file, _next + 1, 1, $"expected {expected}, indented by two blanks");
    }

    private bool SkipBlankLines()
    {
        while (_next < _lines.Length && (_lines[_next].Length == 0 || _lines[_next][0] == '#'))
        {
            _next++;
        }

        return _next < _lines.Length;
    }

    private bool NextIs(string word) => _next < _lines.Length
        && _lines[_next].StartsWith(word + " ", StringComparison.Ordinal);

    /// <summary>The rest of the next line, which begins with a word.</summary>
    private LineCursor Expect(string word)
    {
        var line = new LineCursor(
            _file, _next + 1, _next < _lines.Length ? _lines[_next] : "");
        _next++;
        return line.TryTake(word) && (line.AtEnd || line.Peek == ' ') ? line
            : throw line.Error(0, $"expected '{word}'");
    }

    private static string Name(LineCursor line, string expected)
    {
        line.SkipBlanks();
        int start = line.Position;
        string name = line.While(RuleNames.Belongs);
        return name.Length > 0 ? name : throw line.Error(start, $"expected {expected}");
    }

    private static void End(LineCursor line)
    {
        line.SkipBlanks();
        if (!line.AtEnd)
        {
            throw line.Error("expected the end of the line");
        }
    }
}
