using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ShmCheck.Faults.Patches;

/// <summary>Reads a fault: lines <c>Name: value</c>, then a unified diff as git writes it.
/// </summary>
public sealed partial class FaultParser
{
    private const string OldFile = "--- a/";
    private const string NewFile = "+++ b/";
    private readonly string _file;
    private readonly string[] _lines;
    private readonly Dictionary<string, string> _headers = [];
    private int _at;

    private FaultParser(string file, string text)
    {
        _file = file;
        _lines = text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
    }

    /// <summary>Reads a fault.</summary>
    /// <param name="file">Name of the file; the fault is called so.</param>
    /// <param name="text">What it holds.</param>
    /// <exception cref="FaultException">It is malformed.</exception>
    public static Fault Parse(string file, string text) => new FaultParser(file, text).Fault();

    [GeneratedRegex(@"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")]
    private static partial Regex HunkHeader { get; }

    private Fault Fault()
    {
        Headers();
        var files = ImmutableArray.CreateBuilder<FileDiff>();
        while (_at < _lines.Length)
        {
            files.Add(File());
        }

        if (files.Count == 0)
        {
            throw Wrong($"'{OldFile}PATH'");
        }

        return new Fault
        {
            Id = Path.GetFileNameWithoutExtension(_file),
            Title = Header("Title"),
            Recreates = Header("Re-creates"),
            Versions = Header("Versions"),
            CaughtBy = List("Caught-by"),
            Shows = List("Shows"),
            Kind = Header("Kind") switch
            {
                "sequential" => FaultKind.Sequential,
                "injected" => FaultKind.Injected,
                string other => throw new FaultException(
                    $"{_file}: Kind: expected 'sequential' or 'injected', not '{other}'"),
            },
            Files = files.ToImmutable(),
        };
    }

    /// <summary>Everything up to the first file; a line that starts with a blank carries on the
    /// value before it.</summary>
    private void Headers()
    {
        string? last = null;
        for (; _at < _lines.Length
            && !_lines[_at].StartsWith(OldFile, StringComparison.Ordinal); _at++)
        {
            string line = _lines[_at];
            if (line.Length == 0 || IsGitLine(line))
            {
                continue;
            }

            if (line[0] == ' ' && last is not null)
            {
                _headers[last] += line;
                continue;
            }

            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (colon < 0)
            {
                throw Wrong($"'Name: value' or '{OldFile}PATH'");
            }

            last = line[..colon];
            if (!_headers.TryAdd(last, line[(colon + 2)..]))
            {
                throw Wrong($"'{last}' only once");
            }
        }
    }

    private FileDiff File()
    {
        string path = Take(OldFile);
        if (Take(NewFile) != path)
        {
            _at--;
            throw Wrong($"'{NewFile}{path}': faults neither make nor rename files");
        }

        var hunks = ImmutableArray.CreateBuilder<Hunk>();
        while (_at < _lines.Length && HunkHeader.Match(_lines[_at]) is { Success: true } header)
        {
            _at++;
            hunks.Add(Hunk(header));
        }

        while (_at < _lines.Length && IsGitLine(_lines[_at]))
        {
            _at++;
        }

        return hunks.Count > 0 ? new FileDiff(path, hunks.ToImmutable())
            : throw Wrong("'@@ -LINE,COUNT +LINE,COUNT @@'");
    }

    private Hunk Hunk(Match header)
    {
        int old = Count(header.Groups[2]);
        int now = Count(header.Groups[3]);
        var lines = ImmutableArray.CreateBuilder<HunkLine>();
        while (old > 0 || now > 0)
        {
            HunkLine line = Line();
            lines.Add(line);
            old -= line.Kind == HunkLineKind.Added ? 0 : 1;
            now -= line.Kind == HunkLineKind.Removed ? 0 : 1;
        }

        return new Hunk(
            int.Parse(header.Groups[1].Value, CultureInfo.InvariantCulture), lines.ToImmutable());
    }

    private HunkLine Line()
    {
        string line = _at < _lines.Length ? _lines[_at++] : "?";
        return line switch
        {
            "" => new HunkLine(HunkLineKind.Context, ""),
            [' ', ..] => new HunkLine(HunkLineKind.Context, line[1..]),
            ['-', ..] => new HunkLine(HunkLineKind.Removed, line[1..]),
            ['+', ..] => new HunkLine(HunkLineKind.Added, line[1..]),
            _ => throw Wrong("a line of the hunk, which starts with ' ', '-' or '+'"),
        };
    }

    private static bool IsGitLine(string line) =>
        line.StartsWith("diff ", StringComparison.Ordinal)
        || line.StartsWith("index ", StringComparison.Ordinal);

    private static int Count(Group group) =>
        group.Success ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : 1;

    private string Take(string start)
    {
        if (_at >= _lines.Length || !_lines[_at].StartsWith(start, StringComparison.Ordinal))
        {
            throw Wrong($"'{start}PATH'");
        }

        return _lines[_at++][start.Length..];
    }

    private string Header(string name) => _headers.TryGetValue(name, out string? value) ? value
        : throw new FaultException($"{_file}: expected a line '{name}: ...' before the diff");

    private ImmutableArray<string> List(string name) => [.. Header(name).Split(
        ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    private FaultException Wrong(string expected) =>
        new($"{_file}:{Math.Min(_at + 1, _lines.Length)}: expected {expected}");
}
