using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Reads the lines that are not calls: signals, ends of tasks, messages.</summary>
internal static class NoticeLexer
{
    private const string Message = "strace: ";
    private const string Process = "Process ";

    /// <summary>Reads <c>--- ... ---</c>, <c>+++ ... +++</c> or <c>[ Process ... ]</c>.
    /// </summary>
    /// <param name="body">The line behind its prefix.</param>
    /// <param name="place">Task, place and time.</param>
    public static StraceEvent? Read(ReadOnlySpan<char> body, EventPlace place)
    {
        body = body.TrimEnd(' ');
        if (body.StartsWith("--- ") && body.EndsWith(" ---") && body.Length > 8)
        {
            return ReadSignal(body[4..^4], place);
        }

        if (body.StartsWith("+++ ") && body.EndsWith(" +++") && body.Length > 8)
        {
            return ReadEnd(body[4..^4], place);
        }

        return body.StartsWith("[ Process PID=") ? ReadWordSize(body, place) : null;
    }

    /// <summary>Index of a message of strace that reaches to the end of the line, or -1.
    /// </summary>
    public static int FindMessage(ReadOnlySpan<char> line)
    {
        int at = line.LastIndexOf(Process);
        if (at < 0 || ReadMessage(line[at..], default) is null)
        {
            return -1;
        }

        return line[..at].EndsWith(Message) ? at - Message.Length : at;
    }

    /// <summary>Whether a line is a message of strace, of whatever kind.</summary>
    public static bool IsMessage(ReadOnlySpan<char> line) =>
        line.StartsWith(Message) || ReadMessage(line, default) is not null;

    /// <summary>Reads <c>strace: Process N attached</c> and the like; old versions leave out their
    /// name.</summary>
    public static StraceEvent? ReadMessage(ReadOnlySpan<char> text, EventPlace place)
    {
        text = text.TrimEnd(' ');
        ReadOnlySpan<char> rest = text.StartsWith(Message) ? text[Message.Length..] : text;
        if (!rest.StartsWith(Process))
        {
            return null;
        }

        rest = rest[Process.Length..];
        int length = NumberText.Decimal(rest, out ulong task);
        if (length == 0 || task > LinePrefix.MaxTask)
        {
            return null;
        }

        place = place with { Task = (int)task };
        rest = rest[length..];
        if (rest.SequenceEqual(" attached"))
        {
            return new TaskAttached(1, place);
        }

        if (rest.SequenceEqual(" detached"))
        {
            return new TaskDetached(place);
        }

        const string threads = " attached with ";
        return rest.StartsWith(threads) && rest.EndsWith(" threads")
            && NumberText.Decimal(rest[threads.Length..], out ulong count) > 0
            ? new TaskAttached((int)Math.Min(count, int.MaxValue), place) : null;
    }

    private static StraceEvent? ReadSignal(ReadOnlySpan<char> text, EventPlace place)
    {
        const string stopped = "stopped by ";
        if (text.StartsWith(stopped))
        {
            return new TaskStopped(text[stopped.Length..].ToString(), place);
        }

        int blank = text.IndexOf(' ');
        ReadOnlySpan<char> name = blank < 0 ? text : text[..blank];
        ReadOnlySpan<char> info = blank < 0 ? default : text[(blank + 1)..];
        if (!name.StartsWith("SIG") && NumberText.Decimal(name, out _) != name.Length)
        {
            return null;
        }

        var fields = new StructText(info);
        return new SignalDelivered(
            name.ToString(), SignalNumbers.Of(name), fields.Text("si_code"),
            fields.Int32("si_pid"), fields.Int32("si_uid"), fields.Number("si_addr"),
            info.ToString(), place);
    }

    private static StraceEvent? ReadEnd(ReadOnlySpan<char> text, EventPlace place)
    {
        const string exited = "exited with ";
        const string killed = "killed by ";
        const string superseded = "superseded by execve in pid ";
        if (text.StartsWith(exited))
        {
            ReadOnlySpan<char> number = text[exited.Length..];
            return NumberText.Decimal(number, out ulong status) == number.Length
                && status <= int.MaxValue ? new TaskExited((int)status, place) : null;
        }

        if (text.StartsWith(superseded))
        {
            ReadOnlySpan<char> number = text[superseded.Length..];
            return NumberText.Decimal(number, out ulong task) > 0 && task <= LinePrefix.MaxTask
                ? new TaskSuperseded((int)task, place) : null;
        }

        if (!text.StartsWith(killed))
        {
            return null;
        }

        const string core = " (core dumped)";
        ReadOnlySpan<char> signal = text[killed.Length..];
        bool dumped = signal.EndsWith(core);
        return new TaskKilled(
            (dumped ? signal[..^core.Length] : signal).TrimEnd(' ').ToString(), dumped, place);
    }

    private static WordSizeChanged? ReadWordSize(ReadOnlySpan<char> text, EventPlace place)
    {
        const string start = "[ Process PID=";
        const string runs = " runs in ";
        const string end = " mode. ]";
        ReadOnlySpan<char> rest = text[start.Length..];
        int length = NumberText.Decimal(rest, out ulong task);
        rest = rest[length..];
        if (length == 0 || task > LinePrefix.MaxTask || !rest.StartsWith(runs)
            || !rest.EndsWith(end) || rest.Length <= runs.Length + end.Length)
        {
            return null;
        }

        string mode = rest[runs.Length..^end.Length].ToString();
        return new WordSizeChanged(
            mode.StartsWith("32", StringComparison.Ordinal), mode,
            place with { Task = place.Task ?? (int)task });
    }
}
