namespace ShmCheck.Harness.Campaigns;

/// <summary>The system under test could not be started, or died for good.</summary>
public sealed class SystemLostException(string message, Exception cause)
    : Exception(message, cause);
