namespace ShmCheck.Abi.Recordings;

/// <summary>A place in a log.</summary>
/// <param name="File">Name of the file, as given.</param>
/// <param name="Line">Line, counted from 1.</param>
/// <param name="Column">Character of the line, counted from 1.</param>
public readonly record struct SourcePosition(string File, int Line, int Column)
{
    /// <summary><c>file:line:column</c></summary>
    public override string ToString() => $"{File}:{Line}:{Column}";

    internal SourcePosition Plus(int columns) => this with { Column = Column + columns };
}
