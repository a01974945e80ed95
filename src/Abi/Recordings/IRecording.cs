namespace ShmCheck.Abi.Recordings;

/// <summary>A recorded log of system calls: what it looks like, and what happened in it, in order.
/// </summary>
public interface IRecording
{
    /// <summary>Names of the files, as given.</summary>
    IReadOnlyList<string> Files { get; }

    /// <summary>What the log looks like.</summary>
    StraceFormat Format { get; }

    /// <summary>What happened, in the order of the log; of several files merged by time.
    /// </summary>
    IReadOnlyList<StraceEvent> Events { get; }

    /// <summary>The calls, in the order of their entry.</summary>
    IReadOnlyList<StraceCall> Calls { get; }

    /// <summary>What stands beside the log, if anything does.</summary>
    StraceSidecar? Sidecar { get; }

    /// <summary>Which calls the log would show.</summary>
    ITracedSyscalls Traced { get; }
}

/// <summary>Whether a log would show a call if it were made.</summary>
public enum Traced
{
    /// <summary>It is not known.</summary>
    Unknown,
    /// <summary>It would show it.</summary>
    Yes,
    /// <summary>It is left out.</summary>
    No,
}

/// <summary>The system calls that a log shows when they are made.</summary>
public interface ITracedSyscalls
{
    /// <summary>The command line of strace is known, and decides. Else only calls that the log
    /// shows are known to be traced.</summary>
    bool IsFromCommand { get; }

    /// <summary>All calls are traced.</summary>
    bool IsAll { get; }

    /// <summary>The names that the log shows.</summary>
    IReadOnlySet<string> Seen { get; }

    /// <summary>Whether the log would show a call of this name.</summary>
    Traced Of(string name);
}
