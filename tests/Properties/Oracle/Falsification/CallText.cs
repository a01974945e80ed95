namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>A stretch of the text of a log.</summary>
/// <param name="Line">Its line, counted from 1.</param>
/// <param name="Offset">Where it begins in the log.</param>
/// <param name="Text">What stands there.</param>
internal readonly record struct Span(int Line, int Offset, string Text);

/// <summary>A call that returned, as it stands in the log.</summary>
/// <param name="Task">The task, as printed; empty where the log names none.</param>
/// <param name="Name">The system call.</param>
/// <param name="Entry">Its arguments as far as they were printed at the entry.</param>
/// <param name="Exit">What was printed of them at the return: of a call on one line the same.
/// </param>
/// <param name="Outcome">The result, with the error and its text.</param>
internal sealed record CallText(string Task, string Name, Span Entry, Span Exit, Span Outcome)
{
    /// <summary>Calls of other tasks are under way between its entry and its return, or other
    /// tasks are dying.</summary>
    public bool IsOverlapped { get; set; }

    /// <summary>The call is on one line.</summary>
    public bool IsWhole => Entry.Offset == Exit.Offset;

    /// <summary>Name of the error; null of a success.</summary>
    public string? Error => Outcome.Text.StartsWith("-1 E", StringComparison.Ordinal)
        ? Outcome.Text.Split(' ')[1] : null;

    /// <summary>The call succeeded.</summary>
    public bool Succeeded => Outcome.Text[0] is >= '0' and <= '9';

    /// <summary>The arguments, split at the commas between them, as printed at the entry.
    /// </summary>
    public string[] Arguments => Entry.Text.Split(", ");

    /// <summary>An argument, or an empty text.</summary>
    public string Argument(int index) => Arguments.ElementAtOrDefault(index)?.Trim() ?? "";

    /// <summary>The value of the result as printed.</summary>
    public string Value => Outcome.Text;
}
