using System.Text.RegularExpressions;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Finds the calls that a falsifier is interested in, in the text of a log and with no
/// help of the reader of logs, so that no mistake is shared.</summary>
internal sealed partial class CallScanner
{
    private static readonly HashSet<string> _waiting =
    [
        "wait4", "waitid", "waitpid", "pause", "nanosleep", "clock_nanosleep", "poll", "ppoll",
        "select", "pselect6", "futex", "rt_sigsuspend", "rt_sigtimedwait", "epoll_wait",
        "epoll_pwait", "read", "recvmsg", "recvfrom", "accept", "accept4", "restart_syscall",
        "semop", "semtimedop", "write", "prctl", "kill", "tgkill",
    ];

    private readonly Dictionary<string, Pending> _open = [];
    private readonly HashSet<string> _dying = [];
    private readonly ILookup<int, string> _killed;
    private readonly bool _hasOrder;
    private string _section = "";

    private CallScanner(string text, bool hasOrder)
    {
        _hasOrder = hasOrder;
        _killed = Killed(text).ToLookup(death => death.LastLine, death => death.Task);
    }

    /// <summary>Everything a log shows, in order: returned calls, and the tasks that end or start
    /// a new program (as calls named <c>exit</c> and <c>execve</c>).</summary>
    public static List<CallText> Scan(string text, bool hasOrder)
    {
        var scanner = new CallScanner(text, hasOrder);
        var calls = new List<CallText>();
        foreach ((int line, int offset, string body) in Lines(text))
        {
            if (scanner.Read(line, offset, body) is { } call)
            {
                calls.Add(call);
            }
        }

        return calls;
    }

    private static IEnumerable<(int Line, int Offset, string Body)> Lines(string text)
    {
        int line = 0;
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end;
            yield return (++line, start, text[start..end]);
            start = end + 1;
        }
    }

    /// <summary>The killed tasks, and the last line of each before it died: from there on it may
    /// be dying.</summary>
    private static IEnumerable<(string Task, int LastLine)> Killed(string text)
    {
        var last = new Dictionary<string, int>();
        foreach ((int line, _, string body) in Lines(text))
        {
            string task = TaskOf(body);
            if (body.Contains("+++ killed by", StringComparison.Ordinal))
            {
                yield return (task, last.GetValueOrDefault(task, line));
            }

            last[task] = line;
        }
    }

    private static string TaskOf(string body) => TaskPattern().Match(body).Groups["task"].Value;

    private CallText? Read(int line, int offset, string body)
    {
        if (body.StartsWith("==> ", StringComparison.Ordinal))
        {
            _section = body;
            return null;
        }

        string task = _section + TaskOf(body);
        CallText? call = ReadBody(task, line, offset, body);
        foreach (string killed in _killed[line])
        {
            _dying.Add(killed);
        }

        return call;
    }

    private CallText? ReadBody(string task, int line, int offset, string body)
    {
        if (EndPattern().IsMatch(body))
        {
            _dying.Remove(task);
            _open.Remove(task);
            var end = new Span(line, offset, "");
            return new CallText(task, "exit", end, end, end with { Text = "?" });
        }

        Match resumed = ResumedPattern().Match(body);
        if (resumed.Success)
        {
            return _open.Remove(task, out Pending? pending) && pending.Name
                == resumed.Groups["name"].Value
                ? Finish(pending, line, offset, body, resumed.Index + resumed.Length) : null;
        }

        Match entry = EntryPattern().Match(body);
        return entry.Success ? Enter(task, entry, line, offset, body) : null;
    }

    private CallText? Enter(string task, Match entry, int line, int offset, string body)
    {
        string name = entry.Groups["name"].Value;
        int start = entry.Index + entry.Length;
        if (name is "exit_group" or "exit")
        {
            _dying.Add(task);
        }

        bool isWaiting = _waiting.Contains(name);
        var pending = new Pending(task, name, isWaiting);
        if (!isWaiting)
        {
            pending.IsOverlapped = !_hasOrder || _dying.Any(other => other != task)
                || _open.Values.Any(open => !open.IsWaiting && open.Task != task);
            foreach (Pending open in _open.Values.Where(open => open.Task != task))
            {
                open.IsOverlapped = true;
            }
        }

        int unfinished = body.IndexOf("<unfinished ...>", start, StringComparison.Ordinal);
        if (unfinished < 0)
        {
            return Finish(pending, line, offset, body, start);
        }

        pending.Entry = new Span(line, offset + start, body[start..unfinished]);
        _open[task] = pending;
        return null;
    }

    private CallText? Finish(Pending pending, int line, int offset, string body, int start)
    {
        Match result = ResultPattern().Match(body);
        if (!result.Success || result.Index < start)
        {
            return null;
        }

        Group outcome = result.Groups["outcome"];
        var exit = new Span(line, offset + start, body[start..result.Index]);
        return new CallText(
            pending.Task, pending.Name, pending.Entry ?? exit, exit,
            new Span(line, offset + outcome.Index, outcome.Value))
        {
            IsOverlapped = pending.IsOverlapped
                || _dying.Any(other => other != pending.Task),
        };
    }

    [GeneratedRegex(@"^(?:\[pid\s+)?(?<task>\d+)(?:<[^>]*>)?\]?\s")]
    private static partial Regex TaskPattern();

    [GeneratedRegex(@"^[^""({]*?(?<name>(?<![\w.])[a-z][a-z0-9_]*)\(")]
    private static partial Regex EntryPattern();

    [GeneratedRegex(@"^[^""({]*?<\.\.\. (?<name>\w+) resumed>(?: )?")]
    private static partial Regex ResumedPattern();

    [GeneratedRegex(@"^[^""(]*?\+\+\+ (?:exited with|killed by) ")]
    private static partial Regex EndPattern();

    [GeneratedRegex(
        @"\)\s*= (?<outcome>-1 E[A-Z0-9]+ \([^)]*\)|0x[0-9a-f]+|-?\d+|\?)(?=[\s<]|$)",
        RegexOptions.RightToLeft)]
    private static partial Regex ResultPattern();

    private sealed record Pending(string Task, string Name, bool IsWaiting)
    {
        public Span? Entry { get; set; }

        public bool IsOverlapped { get; set; }
    }
}
