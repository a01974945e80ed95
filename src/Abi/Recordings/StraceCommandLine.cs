namespace ShmCheck.Abi.Recordings;

/// <summary>The options of a command line of strace, as far as they decide what a log shows.
/// </summary>
public sealed record StraceCommandLine
{
    /// <summary>The command line.</summary>
    public required string Text { get; init; }

    /// <summary>Follows children (<c>-f</c>, <c>-ff</c>).</summary>
    public bool Follows { get; init; }

    /// <summary>Writes one file for each task (<c>-ff</c>).</summary>
    public bool IsSeparate { get; init; }

    /// <summary>Prints a summary only (<c>-c</c>).</summary>
    public bool IsSummary { get; init; }

    /// <summary>Leaves out calls by their result (<c>-z</c>, <c>-Z</c>, <c>-e status=</c>).
    /// </summary>
    public bool FiltersByStatus { get; init; }

    /// <summary>Leaves out calls by the paths they use (<c>-P</c>).</summary>
    public bool FiltersByPath { get; init; }

    /// <summary>Attaches to processes that run already (<c>-p</c>).</summary>
    public bool Attaches { get; init; }

    /// <summary>Tampers with calls (<c>-e inject=</c>, <c>-e fault=</c>).</summary>
    public bool Tampers { get; init; }

    /// <summary>The expression of the last <c>-e trace=</c>, which replaces those before it; null
    /// when there is none, and all calls are traced.</summary>
    public string? Trace { get; init; }
}
