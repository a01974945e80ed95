namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>What could explain a falsified figure after all, by what any reader of the log knows
/// of Linux and of strace.</summary>
public enum Doubt
{
    /// <summary>Nothing: no kernel does this.</summary>
    None,
    /// <summary>Calls of other tasks are under way, or other tasks are dying.</summary>
    Overlap,
    /// <summary>Memory, huge pages or a limit on locked memory may have run short.</summary>
    Shortage,
    /// <summary>Pages are touched, dropped and swapped without a system call.</summary>
    Residency,
    /// <summary>The log has no clock that fine.</summary>
    Clock,
    /// <summary>A call that the log leaves out could explain it.</summary>
    HiddenCalls,
    /// <summary>The state at the start is not known.</summary>
    UnknownStart,
}
