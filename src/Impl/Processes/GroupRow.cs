namespace ShmCheck.Impl;

/// <summary>One process (thread group).</summary>
internal struct GroupRow
{
    /// <summary>RLIMIT_MEMLOCK in bytes.</summary>
    public ulong MemLock;

    /// <summary>RLIMIT_AS in bytes.</summary>
    public ulong AddressLimit;

    public int Pid;
    public int Space;

    /// <summary>First of its tasks, linked by <see cref="TaskRow.NextInGroup"/>.</summary>
    public int FirstTask;

    public int Next;
    public int Previous;
}
