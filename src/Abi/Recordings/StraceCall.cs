namespace ShmCheck.Abi.Recordings;

/// <summary>How far a call came within the log.</summary>
public enum CallCompletion
{
    /// <summary>The log shows its end: a result, or <c>?</c>.</summary>
    Returned,
    /// <summary>No end is shown: the task died, or the log ends, or it was cut there.</summary>
    Open,
    /// <summary>strace let go of the task inside the call.</summary>
    Detached,
    /// <summary>Only its end is shown: the log does not have its beginning.</summary>
    EntryMissing,
}

/// <summary>One system call of a log, from its entry to its return.</summary>
public sealed class StraceCall
{
    /// <summary>Lines that a call can take: its two halves, each interrupted by a message.
    /// </summary>
    private const int MostFragments = 4;

    internal StraceCall(string name, int? task, SourcePosition entry)
    {
        Name = name;
        Task = task;
        Entry = entry;
    }

    /// <summary>Its place among the calls of the log, in the order of entry, from 0.</summary>
    public int Index { get; internal set; }

    /// <summary>Name as printed; <c>????</c> where strace could not read it.</summary>
    public string Name { get; }

    /// <summary>Thread id of the task that makes it. Null means the first process of a log that
    /// never names it.</summary>
    /// <remarks>For an execve that replaces the group leader it is the id at the entry.</remarks>
    public int? Task { get; internal set; }

    /// <summary>Where the name stands (of an <see cref="CallCompletion.EntryMissing"/> call: where
    /// its end stands).</summary>
    public SourcePosition Entry { get; }

    /// <summary>Where its end stands: the same line as <see cref="Entry"/>, or another. Null when
    /// no end is shown.</summary>
    public SourcePosition? Exit { get; internal set; }

    /// <summary>Time stamp of the entry in nanoseconds, where the log has stamps that can be
    /// compared.</summary>
    public long? EntryTime { get; internal set; }

    /// <summary>Time of the return in nanoseconds: the stamp of the resumed line, or entry plus
    /// duration. Null when unknown.</summary>
    public long? ExitTime { get; internal set; }

    /// <summary>Time inside the call in nanoseconds (<c>-T</c>).</summary>
    public long? Duration { get; internal set; }

    /// <summary>How far it came.</summary>
    public CallCompletion Completion { get; internal set; } = CallCompletion.Open;

    /// <summary>Entry and return are separate events: other tasks' events can lie between.
    /// </summary>
    public bool IsSplit { get; internal set; }

    /// <summary>Made through the 32-bit entry points of the kernel, as far as the log shows it.
    /// </summary>
    public bool Is32Bit { get; internal set; }

    /// <summary>The text between the parentheses, both halves of a split call joined.</summary>
    public string ArgumentText { get; internal set; } = "";

    /// <summary>The result.</summary>
    public StraceResult Result { get; internal set; }

    /// <summary>The arguments, decoded.</summary>
    public SyscallArguments Arguments { get; internal set; } = OtherArguments.Instance;

    /// <summary>Text of the program may stand within the arguments.</summary>
    internal bool IsIntruded { get; set; }

    /// <summary>Where each half of the arguments starts.</summary>
    internal List<ArgumentFragment> Fragments { get; } = new(1);

    /// <summary>The place of a character of <see cref="ArgumentText"/> in the log.</summary>
    internal SourcePosition PositionOf(int offset)
    {
        SourcePosition found = Entry;
        foreach (ArgumentFragment fragment in Fragments)
        {
            if (fragment.Offset <= offset)
            {
                found = fragment.Position.Plus(offset - fragment.Offset);
            }
        }

        return found;
    }

    internal void Append(string text, SourcePosition position)
    {
        if (Fragments.Count == MostFragments)
        {
            return;
        }

        Fragments.Add(new ArgumentFragment(ArgumentText.Length, position));
        ArgumentText = ArgumentText.Length == 0 ? text : ArgumentText + text;
    }

    /// <summary>Name, arguments and result, for reports.</summary>
    public override string ToString() => Completion == CallCompletion.Returned
        ? $"{Name}({ArgumentText}) = {Result}" : $"{Name}({ArgumentText} <unfinished ...>";
}

/// <summary>A stretch of the arguments of a call, and where it stands.</summary>
internal readonly record struct ArgumentFragment(int Offset, SourcePosition Position);
