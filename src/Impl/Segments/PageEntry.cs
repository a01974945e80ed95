using System.Diagnostics;

namespace ShmCheck.Impl;

/// <summary>Where a page of an object is.</summary>
internal enum PageKind
{
    /// <summary>A hole.</summary>
    Absent,
    /// <summary>In a frame, or in a huge page of the pool.</summary>
    Resident,
    /// <summary>In a swap slot, whether or not the swap cache still holds it.</summary>
    Swapped,
    /// <summary>A hole of a huge object whose reservation is gone.</summary>
    Lost,
}

/// <summary>One page of an object in one word, as the kernel's page index has it: where it is,
/// how many page table entries map it, whether it is marked dirty, and its first byte. 0 is a
/// hole.</summary>
internal readonly record struct PageEntry(ulong Word)
{
    private const int DirtyShift = 2;
    private const int ContentShift = 3;
    private const int MappersShift = 11;
    private const int NumberShift = 32;
    private const int MaxMappers = (1 << (NumberShift - MappersShift)) - 1;

    public static PageEntry Lost => new((ulong)PageKind.Lost);

    public PageKind Kind => (PageKind)(Word & 3);

    /// <summary>PG_dirty; a write through an entry that was writable already shows only there.
    /// </summary>
    public bool IsDirty => (Word >> DirtyShift & 1) != 0;

    public byte Content => (byte)(Word >> ContentShift);

    /// <summary>Page table entries that map the page.</summary>
    public int Mappers => (int)(Word >> MappersShift) & MaxMappers;

    /// <summary>The frame, the slot, or the huge page.</summary>
    public int Number => (int)(Word >> NumberShift);

    public static PageEntry InFrame(int frame, bool dirty, byte content) =>
        new((ulong)PageKind.Resident | (dirty ? 1ul << DirtyShift : 0)
            | (ulong)content << ContentShift | (ulong)(uint)frame << NumberShift);

    public static PageEntry InSlot(int slot, byte content) =>
        new((ulong)PageKind.Swapped | (ulong)content << ContentShift
            | (ulong)(uint)slot << NumberShift);

    public PageEntry Mapped()
    {
        Debug.Assert(Kind == PageKind.Resident && Mappers < MaxMappers, "not to be mapped");
        return new(Word + (1ul << MappersShift));
    }

    public PageEntry Unmapped(bool dirty)
    {
        Debug.Assert(Kind == PageKind.Resident && Mappers > 0, "not mapped");
        return new((Word - (1ul << MappersShift)) | (dirty ? 1ul << DirtyShift : 0));
    }

    public PageEntry Dirtied() => new(Word | 1ul << DirtyShift);

    public PageEntry WithContent(byte content) =>
        new(Word & ~(0xfful << ContentShift) | (ulong)content << ContentShift);

    public PageEntry WithNumber(int number) =>
        new((uint)Word | (ulong)(uint)number << NumberShift);
}
