namespace ShmCheck.Impl;

/// <summary>One mapping.</summary>
internal struct MappingRow
{
    /// <summary>First address.</summary>
    public ulong Start;

    /// <summary>Address behind the last.</summary>
    public ulong End;

    /// <summary>Page of the object at the start, in base pages; of private memory, what keeps
    /// its pages in order when it is moved.</summary>
    public ulong Offset;

    /// <summary><see cref="MappingFlags"/>.</summary>
    public int Flags;

    /// <summary>The address space, 0 in a row that is not in use.</summary>
    public int Space;

    /// <summary>The attach that is mapped, 0 for private memory.</summary>
    public int Attach;

    /// <summary>Memory policy, 0 for the default.</summary>
    public int Policy;

    /// <summary>What the written pages of private memory belong to (anon_vma), 0 before the
    /// first write, in an attach, and in a row that is not in use: mappings with different owners
    /// never merge.</summary>
    public int PageOwner;

    /// <summary>The mapping behind this one, 0 if none.</summary>
    public int NextInSpace;

    public int PreviousInSpace;
    public int NextOfSegment;
    public int PreviousOfSegment;

    /// <summary>The owner has ancestors, through fork; 0 where there is none.</summary>
    public byte ForkChild;

    /// <summary>No attach is mapped.</summary>
    public readonly bool IsPrivate => Attach == 0;

    public readonly bool Has(MappingFlags any) => ((MappingFlags)Flags & any) != 0;
}
