namespace ShmCheck.Abi.Recordings;

/// <summary>Something a log shows, in the order of the log. Closed: the records in this file.
/// </summary>
public abstract record StraceEvent
{
    private protected StraceEvent(EventPlace where) => Where = where;

    /// <summary>Task, place and time.</summary>
    public EventPlace Where { get; internal init; }

    /// <summary>Thread id of the task concerned. Null means the first process of a log that never
    /// names it.</summary>
    public int? Task => Where.Task;

    /// <summary>Where it stands.</summary>
    public SourcePosition Position => Where.Position;

    /// <summary>Time stamp in nanoseconds, see <see cref="EventPlace.Time"/>.</summary>
    public long? Time => Where.Time;
}

/// <summary>An event that belongs to a call.</summary>
public abstract record CallEvent : StraceEvent
{
    private protected CallEvent(StraceCall call, EventPlace where)
        : base(where) => Call = call;

    /// <summary>The call, complete: also what the log shows of it further on.</summary>
    public StraceCall Call { get; }
}

/// <summary>A call whose entry and return stand on one line.</summary>
public sealed record CallMade : CallEvent
{
    internal CallMade(StraceCall call)
        : base(call, new EventPlace(call.Task, call.Entry, call.EntryTime))
    {
    }
}

/// <summary>A call begins (<c>&lt;unfinished ...&gt;</c>, or one line of a merged log).</summary>
public sealed record CallEntered : CallEvent
{
    internal CallEntered(StraceCall call)
        : base(call, new EventPlace(call.Task, call.Entry, call.EntryTime))
    {
    }
}

/// <summary>A call returns (<c>&lt;... resumed&gt;</c>).</summary>
public sealed record CallReturned : CallEvent
{
    internal CallReturned(StraceCall call, EventPlace where)
        : base(call, where)
    {
    }
}

/// <summary>A signal is delivered: <c>--- SIGSEGV {...} ---</c>.</summary>
/// <param name="Signal">Its name.</param>
/// <param name="Number">Its number on x86, 0 when the name is unknown.</param>
/// <param name="Code"><c>si_code</c> as printed, if printed.</param>
/// <param name="Sender"><c>si_pid</c>, if printed.</param>
/// <param name="SenderUid"><c>si_uid</c>, if printed.</param>
/// <param name="Address"><c>si_addr</c>, if printed.</param>
/// <param name="Text">The structure as printed.</param>
/// <param name="Where">Task, position and time.</param>
public sealed record SignalDelivered(
    string Signal, int Number, string? Code, int? Sender, int? SenderUid, ulong? Address,
    string Text, EventPlace Where) : StraceEvent(Where);

/// <summary>A task stops: <c>--- stopped by SIGSTOP ---</c>.</summary>
/// <param name="Signal">The signal's name.</param>
/// <param name="Where">Task, position and time.</param>
public sealed record TaskStopped(string Signal, EventPlace Where)
    : StraceEvent(Where);

/// <summary>A task is gone: <c>+++ exited with N +++</c>.</summary>
/// <param name="Status">Exit status.</param>
/// <param name="Where">Task, position and time.</param>
public sealed record TaskExited(int Status, EventPlace Where)
    : StraceEvent(Where);

/// <summary>A task is gone: <c>+++ killed by SIGKILL +++</c>.</summary>
/// <param name="Signal">The signal's name.</param>
/// <param name="CoreDumped">A core was dumped.</param>
/// <param name="Where">Task, position and time.</param>
public sealed record TaskKilled(string Signal, bool CoreDumped, EventPlace Where)
    : StraceEvent(Where);

/// <summary>A group leader is replaced: one of its threads made an execve and carries on under
/// the leader's id.</summary>
/// <param name="By">The id that the thread had; it is gone.</param>
/// <param name="Where">The leader, position and time.</param>
public sealed record TaskSuperseded(int By, EventPlace Where)
    : StraceEvent(Where);

/// <summary>strace reports that it traces a process: <c>strace: Process N attached</c>.</summary>
/// <param name="Threads">How many threads it then had.</param>
/// <param name="Where">The process, position and time.</param>
public sealed record TaskAttached(int Threads, EventPlace Where)
    : StraceEvent(Where);

/// <summary>strace reports that it lets go of a process: <c>strace: Process N detached</c>.
/// </summary>
/// <param name="Where">The process, position and time.</param>
public sealed record TaskDetached(EventPlace Where)
    : StraceEvent(Where);

/// <summary>A task uses other entry points of the kernel from here on:
/// <c>[ Process PID=N runs in 32 bit mode. ]</c>.</summary>
/// <param name="Is32Bit">32-bit ones (not x32).</param>
/// <param name="Mode">As printed.</param>
/// <param name="Where">Task, position and time.</param>
public sealed record WordSizeChanged(bool Is32Bit, string Mode, EventPlace Where)
    : StraceEvent(Where);

/// <summary>Task, place and time of an event.</summary>
/// <param name="Task">Thread id, if the log names it.</param>
/// <param name="Position">Place.</param>
/// <param name="Time">Nanoseconds since 1970 (<c>-ttt</c>), since midnight of the first day
/// (<c>-t</c>, <c>-tt</c>) or since the first line (<c>-r</c>). Null when unknown.</param>
public readonly record struct EventPlace(int? Task, SourcePosition Position, long? Time);
