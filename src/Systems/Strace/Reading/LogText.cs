using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>The text of one file, by lines.</summary>
internal sealed class LogText
{
    private readonly string _text;
    private readonly List<(int Start, int Length)> _lines = [];

    public LogText(string name, string text)
    {
        Name = name;
        _text = text;
        int start = 0;
        while (start < text.Length)
        {
            int end = text.IndexOf('\n', start);
            int next = end < 0 ? text.Length : end;
            int length = next - start;
            length -= length > 0 && text[next - 1] == '\r' ? 1 : 0;
            _lines.Add((start, length));
            start = next + 1;
        }
    }

    /// <summary>Name of the file, as given.</summary>
    public string Name { get; }

    public int Lines => _lines.Count;

    /// <summary>The last line ends with the file, not with a line end.</summary>
    public bool EndsWithinLine => _text.Length > 0 && _text[^1] != '\n';

    /// <summary>There is nothing in it.</summary>
    public bool IsBlank => string.IsNullOrWhiteSpace(_text);

    /// <summary>A character that no strace prints.</summary>
    public bool LooksBinary => _text.Contains('\0', StringComparison.Ordinal);

    /// <summary>A line, counted from 0, without its end.</summary>
    public ReadOnlySpan<char> Line(int index)
    {
        (int start, int length) = _lines[index];
        return _text.AsSpan(start, length);
    }

    public SourcePosition Position(int line, int column) => new(Name, line + 1, column + 1);
}

/// <summary>Lines of a file that belong to one stream of strace output: a whole file, or what
/// stands under one <c>==&gt; NAME &lt;==</c>.</summary>
internal sealed class LogSection(LogText text, int? task)
{
    public LogText Text { get; } = text;

    /// <summary>The task whose calls these are, where the name of the file tells it.</summary>
    public int? Task { get; } = task;

    /// <summary>First line and line behind the last, in their order.</summary>
    public List<(int From, int To)> Ranges { get; } = [];

    /// <summary>Cuts a file at the headers that head(1) and tail(1) print.</summary>
    public static List<LogSection> Split(LogText text)
    {
        var sections = new List<LogSection>();
        var byName = new Dictionary<string, LogSection>();
        LogSection current = new(text, TaskOf(text.Name));
        int start = 0;
        for (int i = 0; i < text.Lines; i++)
        {
            if (HeaderName(text, i) is not string name)
            {
                continue;
            }

            Close(sections, current, start, i);
            if (!byName.TryGetValue(name, out LogSection? section))
            {
                section = new LogSection(text, TaskOf(name));
                byName.Add(name, section);
            }

            current = section;
            start = i + 1;
        }

        Close(sections, current, start, text.Lines);
        return sections;
    }

    private static void Close(List<LogSection> sections, LogSection section, int from, int to)
    {
        if (from >= to)
        {
            return;
        }

        if (section.Ranges.Count == 0)
        {
            sections.Add(section);
        }

        section.Ranges.Add((from, to));
    }

    private static string? HeaderName(LogText text, int line)
    {
        ReadOnlySpan<char> header = text.Line(line);
        bool isHeader = header.Length > 8 && header.StartsWith("==> ")
            && header.EndsWith(" <==") && (line == 0 || text.Line(line - 1).Trim().IsEmpty
                || text.Line(0).StartsWith("==> "));
        return isHeader ? header[4..^4].ToString() : null;
    }

    /// <summary><c>-ff</c> appends the thread id to the name of the file.</summary>
    private static int? TaskOf(string name)
    {
        int dot = name.LastIndexOf('.');
        ReadOnlySpan<char> suffix = name.AsSpan(dot + 1);
        return dot >= 0 && NumberText.Decimal(suffix, out ulong task) == suffix.Length
            && !suffix.IsEmpty && task is > 0 and <= LinePrefix.MaxTask ? (int)task : null;
    }
}
