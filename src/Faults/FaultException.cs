namespace ShmCheck.Faults;

/// <summary>A fault that cannot be planted: its file is malformed, it does not apply to the
/// sources of the implementation, or what comes out does not compile. The message names file and
/// line or hunk, and what was expected.</summary>
public sealed class FaultException : Exception
{
    /// <summary>A fault that cannot be planted.</summary>
    public FaultException(string message)
        : base(message)
    {
    }
}
