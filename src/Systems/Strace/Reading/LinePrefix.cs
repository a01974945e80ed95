using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>What stands before the call, signal or notice of a line.</summary>
internal struct LinePrefix
{
    /// <summary>Largest thread id there can be (PID_MAX_LIMIT, include/linux/threads.h); a larger
    /// number at the start of a line is a time stamp.</summary>
    public const int MaxTask = 4 * 1024 * 1024;

    /// <summary>A stamp below this many seconds is relative: 1973 is before strace.</summary>
    private const long FirstEpoch = 100_000_000 * NumberText.NanosecondsPerSecond;

    /// <summary>Width of the number of a call, and most digits of an instruction pointer.
    /// </summary>
    private const int NumberWidth = 4;
    private const int PointerWidth = 16;

    public int? Task;
    public StampKind Stamp;
    public long Time;
    public long? Relative;
    public bool HasCommand;
    public bool HasNumber;
    public bool HasPointer;

    /// <summary>Index of the first character behind it.</summary>
    public int Length;

    /// <summary>Reads the prefix of a line.</summary>
    /// <returns>False when the line does not start as lines of this style do.</returns>
    public static bool TryRead(
        ReadOnlySpan<char> line, TaskIdStyle style, out LinePrefix prefix)
    {
        prefix = default;
        if (style == TaskIdStyle.Leading && !prefix.TryReadLeadingTask(line))
        {
            return false;
        }

        if (style == TaskIdStyle.Bracketed && line.StartsWith("[pid")
            && !prefix.TryReadBracketedTask(line))
        {
            return false;
        }

        prefix.ReadBrackets(line);
        prefix.ReadStamp(line);
        prefix.ReadRelative(line);
        prefix.ReadBrackets(line);
        return true;
    }

    /// <summary>Length of a leading thread id with the blanks behind it; 0 when there is none.
    /// </summary>
    public static int LeadingTask(ReadOnlySpan<char> line, out int task, out bool hasCommand)
    {
        task = 0;
        hasCommand = false;
        int i = NumberText.Decimal(line, out ulong number);
        if (i == 0 || number > MaxTask)
        {
            return 0;
        }

        task = (int)number;
        if (!SkipCommand(line, ref i, ref hasCommand) || i >= line.Length || line[i] != ' ')
        {
            return 0;
        }

        while (i < line.Length && line[i] == ' ')
        {
            i++;
        }

        return i;
    }

    private bool TryReadLeadingTask(ReadOnlySpan<char> line)
    {
        Length = LeadingTask(line, out int task, out HasCommand);
        Task = task;
        return Length > 0;
    }

    private bool TryReadBracketedTask(ReadOnlySpan<char> line)
    {
        int i = 4;
        while (i < line.Length && line[i] == ' ')
        {
            i++;
        }

        int digits = NumberText.Decimal(line[i..], out ulong number);
        i += digits;
        if (digits == 0 || number > MaxTask || !SkipCommand(line, ref i, ref HasCommand)
            || !line[i..].StartsWith("] "))
        {
            return false;
        }

        Task = (int)number;
        Length = i + 2;
        return true;
    }

    private static bool SkipCommand(ReadOnlySpan<char> line, ref int i, ref bool hasCommand)
    {
        if (i >= line.Length || line[i] != '<')
        {
            return true;
        }

        int end = Nesting.SkipDecoration(line, i);
        hasCommand = end > 0;
        i = Math.Max(i, end);
        return hasCommand;
    }

    private void ReadStamp(ReadOnlySpan<char> line)
    {
        int i = Length;
        while (i < line.Length && line[i] == ' ')
        {
            i++;
        }

        ReadOnlySpan<char> text = line[i..];
        if (text.IsEmpty || !char.IsAsciiDigit(text[0]))
        {
            return;
        }

        int length = TimeOfDay(text, out long time);
        StampKind kind = StampKind.TimeOfDay;
        if (length == 0)
        {
            length = NumberText.Seconds(text, out time);
            kind = time < FirstEpoch ? StampKind.Relative : StampKind.Epoch;
        }

        if (length == 0 || length >= text.Length || text[length] != ' ')
        {
            return;
        }

        Stamp = kind;
        Time = time;
        Relative = kind == StampKind.Relative ? time : null;
        Length = i + length + 1;
    }

    private static int TimeOfDay(ReadOnlySpan<char> text, out long time)
    {
        time = 0;
        if (text.Length < 8 || text[2] != ':' || text[5] != ':'
            || NumberText.Decimal(text[..2], out ulong hours) != 2
            || NumberText.Decimal(text[3..5], out ulong minutes) != 2)
        {
            return 0;
        }

        int length = NumberText.Seconds(text[6..], out long seconds);
        time = ((long)hours * 60 + (long)minutes) * 60 * NumberText.NanosecondsPerSecond
            + seconds;
        bool valid = length >= 2 && hours < 24 && minutes < 60
            && seconds < 61 * NumberText.NanosecondsPerSecond;
        return valid ? 6 + length : 0;
    }

    /// <summary>Reads <c>(+     0.000123) </c>, as <c>-r</c> prints beside <c>-t</c>.</summary>
    private void ReadRelative(ReadOnlySpan<char> line)
    {
        if (!line[Length..].StartsWith("(+"))
        {
            return;
        }

        int i = Length + 2;
        while (i < line.Length && line[i] == ' ')
        {
            i++;
        }

        int length = NumberText.Seconds(line[i..], out long time);
        if (length > 0 && line[(i + length)..].StartsWith(") "))
        {
            Relative = time;
            Length = i + length + 2;
        }
    }

    /// <summary>Reads the groups in square brackets: number of the call, instruction pointer,
    /// security context.</summary>
    private void ReadBrackets(ReadOnlySpan<char> line)
    {
        while (Length < line.Length && line[Length] == '[')
        {
            int end = line[Length..].IndexOf("] ");
            if (end < 0)
            {
                return;
            }

            ReadOnlySpan<char> inside = line.Slice(Length + 1, end - 1);
            if (inside.Length <= NumberWidth && IsNumber(inside))
            {
                HasNumber = true;
            }
            else if (inside.Length is > 0 and <= PointerWidth && IsPointer(inside))
            {
                HasPointer = true;
            }
            else if (inside.Contains(' ') || !inside.Contains(':'))
            {
                return;
            }

            Length += end + 2;
        }
    }

    private static bool IsPointer(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiHexDigit(c) && c != '?')
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsNumber(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> digits = text.TrimStart(' ');
        return !digits.IsEmpty && digits.IndexOfAnyExceptInRange('0', '9') < 0;
    }
}
