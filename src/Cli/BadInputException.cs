namespace ShmCheck.Cli;

/// <summary>Input or arguments that the command cannot use; the message says what was expected.
/// </summary>
internal sealed class BadInputException(string message) : Exception(message);
