namespace ShmCheck.Spec;

/// <summary>An address space (<c>struct mm_struct</c>), shared by the tasks that name it.</summary>
public sealed record AddressSpace
{
    /// <summary>Mappings by first address; they do not overlap.</summary>
    public Table<Mapping> Mappings { get; init; } = Table.Empty<Mapping>();

    /// <summary>Page table entries of mappings of segments, by virtual page number in base pages
    /// (of its first base page, for a huge page). Mappings of private memory have none.</summary>
    public PageMap<PageTableEntry> Pages { get; init; } =
        PageMap<PageTableEntry>.Empty;

    /// <summary>First byte of each private page, by virtual page number; no row for 0.</summary>
    public PageMap<byte> Contents { get; init; } = PageMap<byte>.Empty;

    /// <summary>Length of all mappings (total_vm), in base pages.</summary>
    public ulong TotalPages { get; init; }

    /// <summary>Length of the locked mappings (locked_vm), in base pages.</summary>
    public ulong LockedPages { get; init; }

    /// <summary>Page table entries for normal shared pages (MM_SHMEMPAGES), in base pages.
    /// </summary>
    public ulong ShmemPages { get; init; }

    /// <summary>Page table entries for huge pages (hugetlb_usage), in base pages.</summary>
    public ulong HugetlbPages { get; init; }

    /// <summary>Whether new mappings are locked (mlockall with MCL_FUTURE).</summary>
    public bool LockFuture { get; init; }

    /// <summary>The mapping that holds an address, if any.</summary>
    public Mapping? Find(ulong address) =>
        FindFrom(address) is { } found && found.Start <= address ? found : null;

    /// <summary>The first mapping that ends beyond an address, if any.</summary>
    public Mapping? FindFrom(ulong address)
    {
        int index = Mappings.FirstFrom(address);
        if (index > 0 && Mappings.Rows[index - 1].End > address)
        {
            return Mappings.Rows[index - 1];
        }

        return index < Mappings.Count ? Mappings.Rows[index] : null;
    }

    /// <summary>Whether something is mapped in [<paramref name="start"/>,
    /// <paramref name="end"/>).</summary>
    public bool IsMapped(ulong start, ulong end) =>
        FindFrom(start) is { } found && found.Start < end;
}

/// <summary>A page table entry that is present.</summary>
/// <param name="Dirty">Whether a write went through it.</param>
public readonly record struct PageTableEntry(bool Dirty);

/// <summary>Flags of a mapping, as far as they decide what may be joined and what a call does
/// (<c>vm_flags</c>). The three rights are numbered as <see cref="Abi.Protection"/>.</summary>
[Flags]
public enum MappingFlags
{
    /// <summary>No right.</summary>
    None = 0,
    /// <summary>May be read (VM_READ).</summary>
    Read = 1,
    /// <summary>May be written (VM_WRITE).</summary>
    Write = 2,
    /// <summary>May be executed (VM_EXEC).</summary>
    Execute = 4,
    /// <summary>All three rights.</summary>
    Rights = Read | Write | Execute,
    /// <summary>May be made writable (VM_MAYWRITE).</summary>
    MayWrite = 0x10,
    /// <summary>A mapping of a segment (VM_MAYSHARE).</summary>
    Shared = 0x20,
    /// <summary>Locked (VM_LOCKED).</summary>
    Locked = 0x40,
    /// <summary>Locked, but not faulted in (VM_LOCKONFAULT).</summary>
    LockOnFault = 0x80,
    /// <summary>Both lock flags.</summary>
    Lock = Locked | LockOnFault,
    /// <summary>Not inherited by fork (VM_DONTCOPY).</summary>
    DontCopy = 0x100,
    /// <summary>Left out of core dumps (VM_DONTDUMP).</summary>
    DontDump = 0x200,
    /// <summary>MADV_RANDOM (VM_RAND_READ).</summary>
    RandomRead = 0x400,
    /// <summary>MADV_SEQUENTIAL (VM_SEQ_READ).</summary>
    SequentialRead = 0x800,
    /// <summary>Its length is charged to committed memory (VM_ACCOUNT).</summary>
    Account = 0x1000,
    /// <summary>Is never charged (VM_NORESERVE).</summary>
    NoReserve = 0x2000,
}

/// <summary>A mapping of a segment or of private anonymous memory
/// (<c>struct vm_area_struct</c>).</summary>
public sealed record Mapping
{
    /// <summary>First address.</summary>
    public required ulong Start { get; init; }

    /// <summary>Address behind the last.</summary>
    public required ulong End { get; init; }

    /// <summary>Bytes of one page of it: the base page size, or that of its huge segment.
    /// </summary>
    public required ulong PageSize { get; init; }

    /// <summary>Page of the object at <see cref="Start"/> in base pages (vm_pgoff). For private
    /// memory: the virtual page number it was first written at.</summary>
    public ulong Offset { get; init; }

    /// <summary>Rights and marks.</summary>
    public MappingFlags Flags { get; init; }

    /// <summary>Memory policy by mbind; 0 none.</summary>
    public int Policy { get; init; }

    /// <summary>The segment it maps; none for private memory.</summary>
    public SegmentKey? Segment { get; init; }

    /// <summary>The attach it belongs to: mappings that one shmat made, also in other address
    /// spaces, have the same number. 0 for private memory.</summary>
    public ulong File { get; init; }

    /// <summary>Private memory: which writes it shares its history with (anon_vma); 0 while it
    /// has never been written.</summary>
    public ulong Anon { get; init; }

    /// <summary>Private memory that was written before fork copied it: such a mapping is not
    /// joined with one that has never been written.</summary>
    public bool Forked { get; init; }

    /// <summary>Whether its pages are huge.</summary>
    public bool IsHuge { get; init; }

    /// <summary>Length in bytes.</summary>
    public ulong Length => End - Start;

    /// <summary>Whether all these flags are set.</summary>
    public bool Has(MappingFlags flags) => (Flags & flags) == flags;
}
