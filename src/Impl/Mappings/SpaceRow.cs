namespace ShmCheck.Impl;

/// <summary>One address space.</summary>
internal struct SpaceRow
{
    /// <summary>VmSize in pages.</summary>
    public ulong TotalPages;

    /// <summary>VmLck in pages.</summary>
    public ulong LockedPages;

    /// <summary>RssShmem: page table entries of normal shared pages.</summary>
    public ulong SharedPages;

    /// <summary>Page table entries of huge pages.</summary>
    public ulong HugeEntries;

    /// <summary>Tasks that use the address space.</summary>
    public int Users;

    /// <summary>First of the mappings, linked by <see cref="MappingRow.NextInSpace"/>.
    /// </summary>
    public int FirstMapping;

    public int LastMapping;

    /// <summary>MCL_FUTURE is in force.</summary>
    public byte LocksFuture;
}
