using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Why a text cannot be read: where, and what should have stood there.</summary>
/// <param name="File">Name of the file, as given.</param>
/// <param name="Line">Line, counted from 1.</param>
/// <param name="Column">Character of the line, counted from 1.</param>
/// <param name="Expected">What was expected there.</param>
public sealed record StraceFormatError(string File, int Line, int Column, string Expected)
{
    /// <summary><c>file:line:column: expected ...</c></summary>
    public override string ToString() => $"{File}:{Line}:{Column}: expected {Expected}";
}

/// <summary>A log or a sidecar cannot be read. The only exception that contents can cause.
/// </summary>
public sealed class StraceFormatException : FormatException
{
    /// <summary>Carries an error.</summary>
    public StraceFormatException(StraceFormatError error)
        : base(error?.ToString())
    {
        ArgumentNullException.ThrowIfNull(error);
        Error = error;
    }

    /// <summary>Where and what.</summary>
    public StraceFormatError Error { get; }

    internal static StraceFormatException At(SourcePosition position, string expected) =>
        new(new StraceFormatError(position.File, position.Line, position.Column, expected));
}
