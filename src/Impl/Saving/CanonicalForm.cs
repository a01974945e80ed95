namespace ShmCheck.Impl;

/// <summary>What two machines must have in common to have equal canonical bytes.</summary>
public enum CanonicalForm
{
    /// <summary>All that a sequence of calls can show of them when identifiers, pids and stamps
    /// are taken as names: which one it is does not matter, only what it is the same as, and for
    /// a stamp or a dead process, that it is one. Where the next identifier comes from does not
    /// count either.</summary>
    Renamed,

    /// <summary>All that a sequence of calls can show of them, numbers and clock included.
    /// </summary>
    Exact,
}
