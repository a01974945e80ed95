namespace ShmCheck.Harness.Traces;

/// <summary>A trace that cannot be read.</summary>
public sealed class TraceFormatException : FormatException
{
    /// <summary>Creates the error.</summary>
    /// <param name="file">Name of the file.</param>
    /// <param name="line">Line, from 1.</param>
    /// <param name="column">Column in characters, from 1.</param>
    /// <param name="expected">What was expected there.</param>
    public TraceFormatException(string file, int line, int column, string expected)
        : base($"{file}:{line}:{column}: {expected}")
    {
        File = file;
        Line = line;
        Column = column;
        Expected = expected;
    }

    /// <summary>Name of the file.</summary>
    public string File { get; }

    /// <summary>Line, from 1.</summary>
    public int Line { get; }

    /// <summary>Column in characters, from 1.</summary>
    public int Column { get; }

    /// <summary>What was expected there.</summary>
    public string Expected { get; }
}
