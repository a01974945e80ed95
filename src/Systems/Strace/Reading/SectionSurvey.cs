using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>A first look at a section: how its lines name their task, and at which column its
/// results stand.</summary>
internal sealed class SectionSurvey
{
    /// <summary>A column that fewer lines than this share is chance.</summary>
    private const int FewestOfColumn = 2;

    /// <summary>A column must be that of one in so many lines.</summary>
    private const int ColumnShare = 50;

    private readonly Dictionary<int, int> _columns = [];
    private int _leading;
    private int _bracketed;
    private int _plain;

    public SectionSurvey(LogSection section)
    {
        foreach ((int from, int to) in section.Ranges)
        {
            for (int i = from; i < to; i++)
            {
                Count(section.Text.Line(i));
            }
        }

        Style = _leading > _plain + _bracketed ? TaskIdStyle.Leading
            : _bracketed > 0 ? TaskIdStyle.Bracketed : TaskIdStyle.None;
        int aligned = _columns.Values.Sum();
        int least = Math.Max(FewestOfColumn, aligned / ColumnShare);
        ResultColumn = _columns.Where(column => column.Value >= least)
            .Select(column => (int?)column.Key).Min();
    }

    /// <summary>How lines name their task.</summary>
    public TaskIdStyle Style { get; }

    /// <summary>Column of the <c>=</c> of short calls (<c>-a</c>), or null when none is padded.
    /// </summary>
    public int? ResultColumn { get; }

    private void Count(ReadOnlySpan<char> line)
    {
        if (line.IsEmpty)
        {
            return;
        }

        if (line.StartsWith("[pid "))
        {
            _bracketed++;
        }
        else if (StartsLikeCall(line, TaskIdStyle.Leading))
        {
            _leading++;
        }
        else if (StartsLikeCall(line, TaskIdStyle.None))
        {
            _plain++;
        }

        int equals = line.LastIndexOf("  = ");
        if (equals > 0 && line[..equals].TrimEnd(' ').EndsWith(")"))
        {
            _columns[equals + 2] = _columns.GetValueOrDefault(equals + 2) + 1;
        }
    }

    /// <summary>Whether a line may be one of strace. Behind a number any name may stand, else
    /// only a known one.</summary>
    private static bool StartsLikeCall(ReadOnlySpan<char> line, TaskIdStyle style)
    {
        if (!LinePrefix.TryRead(line, style, out LinePrefix prefix))
        {
            return false;
        }

        ReadOnlySpan<char> body = line[prefix.Length..];
        int name = CallLexer.NameLength(body);
        bool isCall = name > 0 && name < body.Length && body[name] == '(';
        return body.StartsWith("+++ ") || body.StartsWith("--- ") || body.StartsWith("<... ")
            || body.StartsWith("[ Process ") || (isCall && (style == TaskIdStyle.Leading
                || KnownSyscalls.Contains(body[..name])));
    }
}
