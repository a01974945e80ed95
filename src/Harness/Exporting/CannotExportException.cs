namespace ShmCheck.Harness.Exporting;

/// <summary>A trace has something that a program of its own cannot do; the message says what.
/// </summary>
public sealed class CannotExportException(string message) : Exception(message);
