using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>A line that says something: a part of a call, or an event.</summary>
internal sealed class LogLine(SourcePosition position)
{
    public SourcePosition Position { get; } = position;

    public int? Task { get; set; }

    /// <summary>Nanoseconds, if known.</summary>
    public long? Time { get; set; }

    public CallText? Call { get; init; }

    public StraceEvent? Event { get; init; }

    /// <summary>The line that this one continues.</summary>
    public LogLine? Continues { get; init; }

    public EventPlace Place => new(Task, Position, Time);
}
