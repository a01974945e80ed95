namespace ShmCheck.Impl;

/// <summary>One byte for each page, 0 where none was written: eight to a word of a tree.
/// </summary>
internal readonly struct ByteMap(RadixTree tree)
{
    private const int WordShift = 3;
    private const int PagesPerWord = 1 << WordShift;

    public byte this[ulong page]
    {
        get => (byte)(tree[page >> WordShift] >> ShiftOf(page));
        set
        {
            ulong word = tree[page >> WordShift];
            ulong after = word & ~(0xfful << ShiftOf(page)) | (ulong)value << ShiftOf(page);
            if (after != word)
            {
                tree[page >> WordShift] = after;
            }
        }
    }

    /// <summary>The first page from <paramref name="page"/> on that holds another byte than 0.
    /// </summary>
    public bool Next(ref ulong page, out byte value)
    {
        value = 0;
        ulong key = page >> WordShift;
        ulong skipped = page % PagesPerWord;
        for (ulong from = key; tree.Next(ref key, out ulong word); key++, skipped = 0)
        {
            ulong rest = key == from ? word >> (8 * (int)skipped) << (8 * (int)skipped) : word;
            if (rest != 0)
            {
                int at = System.Numerics.BitOperations.TrailingZeroCount(rest) >> 3;
                page = (key << WordShift) + (uint)at;
                value = (byte)(rest >> (8 * at));
                return true;
            }
        }

        return false;
    }

    /// <summary>Nodes in use, counted by a walk.</summary>
    public int CountNodes() => tree.CountNodes();

    /// <summary>Forgets everything.</summary>
    public void Clear() => tree.Clear();

    /// <summary>Makes the pages from <paramref name="first"/> up to, but not including,
    /// <paramref name="end"/> read 0.</summary>
    public void Zero(ulong first, ulong end)
    {
        for (ulong page = first; Next(ref page, out _) && page < end; page++)
        {
            this[page] = 0;
        }
    }

    private static int ShiftOf(ulong page) => 8 * (int)(page % PagesPerWord);
}
