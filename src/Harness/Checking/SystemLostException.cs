namespace ShmCheck.Harness.Checking;

/// <summary>The system under test could not be started, or cannot be any more.</summary>
public sealed class SystemLostException(string message, Exception? cause)
    : Exception(message, cause);
