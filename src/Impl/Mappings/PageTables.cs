using System.Diagnostics;
using System.Numerics;

namespace ShmCheck.Impl;

/// <summary>Page table entries of 32 neighbouring pages: which are present, and which of them
/// were written through. An entry of a huge page stands at its first base page.</summary>
internal readonly record struct EntryWord(ulong Word)
{
    public const int PageShift = 5;
    public const int Pages = 1 << PageShift;

    public uint Present => (uint)Word;

    public uint Dirty => (uint)(Word >> Pages);

    public static int BitOf(ulong page) => (int)(page % Pages);

    public bool IsPresent(ulong page) => (Word >> BitOf(page) & 1) != 0;

    public bool IsDirty(ulong page) => (Word >> (BitOf(page) + Pages) & 1) != 0;

    public EntryWord With(ulong page, bool dirty) =>
        new(Word | 1ul << BitOf(page) | (dirty ? 1ul << (BitOf(page) + Pages) : 0));

    /// <summary>Only the entries of the pages whose bits are set.</summary>
    public EntryWord Only(uint pages) => new(Word & (pages | (ulong)pages << Pages));

    /// <summary>Without the entries of the pages whose bits are set.</summary>
    public EntryWord Without(uint pages) => new(Word & ~(pages | (ulong)pages << Pages));

    /// <summary>Those bits of <see cref="Present"/> that lie in a range of pages.</summary>
    /// <param name="key">Key of this word: its first page, divided by <see cref="Pages"/>.</param>
    /// <param name="first">First page of the range.</param>
    /// <param name="end">Page behind the last.</param>
    public uint PresentWithin(ulong key, ulong first, ulong end)
    {
        ulong start = key << PageShift;
        Debug.Assert(start < end && first < start + Pages, "no page in common");
        uint bits = Present;
        bits = first > start ? bits >> (int)(first - start) << (int)(first - start) : bits;
        return end < start + Pages ? bits & ((1u << (int)(end - start)) - 1) : bits;
    }
}

/// <summary>The page tables of all address spaces.</summary>
internal sealed class PageTables(SpaceTable spaces)
{
    /// <summary>The entries around a page.</summary>
    public EntryWord Around(int space, ulong page) =>
        new(spaces.Entries(space)[page >> EntryWord.PageShift]);

    /// <summary>The entries around a page, and the cell they stand in, if any.</summary>
    public EntryWord Around(int space, ulong page, out int cell)
    {
        RadixTree entries = spaces.Entries(space);
        cell = entries.CellOf(page >> EntryWord.PageShift);
        return new EntryWord(entries.At(cell));
    }

    public void Set(int space, ulong page, bool dirty) =>
        Set(space, page, Around(space, page, out int cell), cell, dirty);

    /// <summary>Sets an entry among those <paramref name="around"/> it.</summary>
    public void Set(int space, ulong page, EntryWord around, int cell, bool dirty)
    {
        RadixTree entries = spaces.Entries(space);
        ulong word = around.With(page, dirty).Word;
        if (around.Word != 0)
        {
            entries.Replace(cell, word);
        }
        else
        {
            entries.Set(cell, page >> EntryWord.PageShift, word);
        }
    }

    /// <summary>Removes an entry.</summary>
    /// <returns>Whether it was dirty.</returns>
    public bool Remove(int space, ulong page)
    {
        RadixTree entries = spaces.Entries(space);
        ulong key = page >> EntryWord.PageShift;
        var word = new EntryWord(entries[key]);
        Debug.Assert(word.IsPresent(page), "no entry");
        entries[key] = word.Without(1u << EntryWord.BitOf(page)).Word;
        return word.IsDirty(page);
    }

    /// <summary>Removes the entries of a range that stand in one word: the first that has any.
    /// </summary>
    /// <param name="space">The address space.</param>
    /// <param name="page">First page of the range; afterwards the first of the word.</param>
    /// <param name="end">Page behind the last.</param>
    /// <param name="removed">The entries.</param>
    /// <returns>False when there are none.</returns>
    public bool RemoveNext(int space, ref ulong page, ulong end, out EntryWord removed)
    {
        RadixTree entries = spaces.Entries(space);
        ulong key = page >> EntryWord.PageShift;
        ulong last = LastKey(end);
        for (; page < end && entries.Next(ref key, last, out ulong found) && key <= last; key++)
        {
            var word = new EntryWord(found);
            uint present = word.PresentWithin(key, page, end);
            if (present != 0)
            {
                page = key << EntryWord.PageShift;
                removed = word.Only(present);
                entries[key] = word.Without(present).Word;
                return true;
            }
        }

        removed = default;
        return false;
    }

    /// <summary>The first page from <paramref name="page"/> on, below <paramref name="end"/>,
    /// that has an entry.</summary>
    public bool Next(int space, ref ulong page, ulong end, out bool dirty)
    {
        RadixTree entries = spaces.Entries(space);
        ulong key = page >> EntryWord.PageShift;
        ulong last = LastKey(end);
        while (page < end && entries.Next(ref key, last, out ulong found) && key <= last)
        {
            var word = new EntryWord(found);
            uint present = word.PresentWithin(key, page, end);
            if (present != 0)
            {
                int bit = BitOperations.TrailingZeroCount(present);
                page = (key << EntryWord.PageShift) + (uint)bit;
                dirty = (word.Dirty >> bit & 1) != 0;
                return true;
            }

            key++;
        }

        dirty = false;
        return false;
    }

    /// <summary>Key of the word that holds the page before one.</summary>
    private static ulong LastKey(ulong end) => (end - 1) >> EntryWord.PageShift;
}
