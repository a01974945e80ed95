using System.Collections.Immutable;

namespace ShmCheck.Harness.Oracle;

/// <summary>What the oracle says of a log.</summary>
public enum LogVerdict
{
    /// <summary>A conforming kernel could have produced it.</summary>
    Explained,
    /// <summary>No conforming kernel could.</summary>
    Unexplained,
    /// <summary>It cannot be read honestly.</summary>
    Unreadable,
}

/// <summary>The verdict about one log.</summary>
public sealed record OracleVerdict
{
    /// <summary>The verdict.</summary>
    public required LogVerdict Verdict { get; init; }

    /// <summary>File of the line; null when there is none.</summary>
    public string? File { get; init; }

    /// <summary>The first line that nothing explains, counted from 1; 0 for none.</summary>
    public int Line { get; init; }

    /// <summary>Calls whose outcome was compared with the specification.</summary>
    public int CallsChecked { get; init; }

    /// <summary>Calls that the specification says nothing about.</summary>
    public int CallsNotModelled { get; init; }

    /// <summary>Why: the call, what was seen, what the specification allows. Empty for an
    /// explained log.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What the verdict takes for granted.</summary>
    public ImmutableArray<string> Assumptions { get; init; } = [];
}

/// <summary>How to judge a log.</summary>
public sealed record OracleOptions
{
    /// <summary>Processes that the log does not show may use the IPC namespace.</summary>
    public bool OpenWorld { get; init; }
}
