using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>The gaps between the mappings of each address space, in pages, by length: one tree for
/// each length below 32 and for each power of two above, so that the lowest gap that is long enough
/// is found without a look at those that are too short. What is free before the first mapping and
/// behind the last is no gap.</summary>
/// <remarks>A gap of a length that is a class of its own is a bit under its first page, 64 to a
/// word; of a longer one, the length stands there.</remarks>
internal sealed class GapTable
{
    /// <summary>Gaps of one class, each perhaps too short, that a search looks at before it
    /// makes do with a longer one, so that none takes time in proportion to their number.
    /// </summary>
    public const int FewLooks = 32;

    private const int ClassShift = 6;
    private const int WordShift = 6;
    private const int WordMask = 63;
    private const int FirstLong = 32;
    private readonly Radix _radix;
    private readonly Column<ulong> _roots;
    private readonly Column<ulong> _classes;

    /// <summary>First page of the lowest gap of each class that is not empty.</summary>
    private readonly Column<ulong> _lowest;

    public GapTable(StateStore store, Radix radix)
    {
        _radix = radix;
        _roots = store.NewColumn<ulong>();
        _classes = store.NewColumn<ulong>();
        _lowest = store.NewColumn<ulong>();
    }

    /// <summary>Notes a gap, unless it is empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int space, ulong first, ulong end)
    {
        if (first < end)
        {
            Note(space, first, end - first);
        }
    }

    /// <summary>Takes back what <see cref="Add"/> noted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Remove(int space, ulong first, ulong end)
    {
        if (first < end)
        {
            TakeBack(space, first, end - first);
        }
    }

    /// <summary>The lowest place in a gap, among all those that are surely long enough and some
    /// that may be.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="pages">Length of what is to be placed.</param>
    /// <param name="alignment">A power of two.</param>
    /// <param name="from">Gaps that begin before do not count.</param>
    /// <param name="looks">Gaps of one class to look at.</param>
    /// <param name="place">The first page.</param>
    public bool TryFind(
        int space, ulong pages, ulong alignment, ulong from, int looks, out ulong place)
    {
        place = ulong.MaxValue;
        ulong enough = pages + alignment - 1;
        ulong classes = _classes[space] >> ClassOf(pages) << ClassOf(pages);
        for (; classes != 0; classes &= classes - 1)
        {
            int which = BitOperations.TrailingZeroCount(classes);
            ulong lowest = _lowest[RootOf(space, which)];
            if (lowest >= place)
            {
                continue;
            }

            place = lowest >= from && LeastOf(which) >= enough
                ? Math.Min(place, Align(lowest, alignment))
                : Search(space, which, pages, alignment, Math.Max(from, lowest), looks, place);
        }

        return place != ulong.MaxValue;
    }

    /// <summary>The first place from one on that is a multiple of a power of two.</summary>
    public static ulong Align(ulong place, ulong alignment) =>
        (place + alignment - 1) & ~(alignment - 1);

    /// <summary>Whether a gap is noted.</summary>
    public bool Contains(int space, ulong first, ulong end)
    {
        ulong found = first;
        int which = ClassOf(end - first);
        return Next(space, which, ref found, out ulong length)
            && found == first && length == end - first
            && _lowest[RootOf(space, which)] <= first;
    }

    /// <summary>Nodes in use, counted by a walk.</summary>
    public int CountNodes(int space)
    {
        int nodes = 0;
        for (ulong rest = _classes[space]; rest != 0; rest &= rest - 1)
        {
            nodes += Gaps(space, BitOperations.TrailingZeroCount(rest)).CountNodes();
        }

        return nodes;
    }

    /// <summary>The lowest place in the gaps of one class, or <paramref name="place"/> if that is
    /// lower.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong Search(
        int space, int which, ulong pages, ulong alignment, ulong from, int looks, ulong place)
    {
        ulong first = from;
        for (int left = looks; left > 0 && Next(space, which, ref first, out ulong length)
            && first < place; left--, first++)
        {
            ulong aligned = Align(first, alignment);
            if (aligned + pages <= first + length)
            {
                return Math.Min(place, aligned);
            }
        }

        return place;
    }

    private void Note(int space, ulong first, ulong length)
    {
        int which = ClassOf(length);
        bool isOnly = (_classes[space] >> which & 1) == 0;
        if (isOnly)
        {
            _classes[space] |= 1ul << which;
        }

        if (isOnly || first < _lowest[RootOf(space, which)])
        {
            _lowest[RootOf(space, which)] = first;
        }

        RadixTree gaps = Gaps(space, which);
        ulong key = which < FirstLong ? first >> WordShift : first;
        ulong added = which < FirstLong ? BitOf(first) : length;
        int cell = gaps.CellOf(key);
        ulong word = gaps.At(cell);
        if (word != 0)
        {
            gaps.Replace(cell, word | added);
            return;
        }

        gaps.Set(cell, key, added);
    }

    private void TakeBack(int space, ulong first, ulong length)
    {
        int which = ClassOf(length);
        RadixTree gaps = Gaps(space, which);
        ulong key = which < FirstLong ? first >> WordShift : first;
        int cell = gaps.CellOf(key);
        ulong rest = which < FirstLong ? gaps.At(cell) & ~BitOf(first) : 0;
        if (rest != 0)
        {
            gaps.Replace(cell, rest);
        }
        else
        {
            gaps.Set(cell, key, 0);
        }

        if (first != _lowest[RootOf(space, which)])
        {
            return;
        }

        if (Next(space, which, ref first, out _))
        {
            _lowest[RootOf(space, which)] = first;
        }
        else
        {
            _classes[space] &= ~(1ul << which);
        }
    }

    /// <summary>Lengths of a class begin where those of the class below end.</summary>
    private static int ClassOf(ulong length) => length < FirstLong ? (int)length
        : FirstLong + BitOperations.Log2(length / FirstLong);

    /// <summary>The shortest length of a class, in pages.</summary>
    private static ulong LeastOf(int which) => which < FirstLong ? (ulong)which
        : (ulong)FirstLong << (which - FirstLong);

    private static int RootOf(int space, int which) => (space << ClassShift) + which;

    private static ulong BitOf(ulong page) => 1ul << (int)(page & WordMask);

    /// <summary>The first gap of a class from a page on.</summary>
    private bool Next(int space, int which, ref ulong first, out ulong length)
    {
        RadixTree gaps = Gaps(space, which);
        if (which >= FirstLong)
        {
            return gaps.Next(ref first, out length);
        }

        length = (uint)which;
        ulong key = first >> WordShift;
        ulong before = BitOf(first) - 1;
        while (gaps.Next(ref key, out ulong word))
        {
            ulong rest = key == first >> WordShift ? word & ~before : word;
            if (rest != 0)
            {
                first = (key << WordShift) + (uint)BitOperations.TrailingZeroCount(rest);
                return true;
            }

            key++;
        }

        return false;
    }

    private RadixTree Gaps(int space, int which) =>
        new(_radix, _roots, RootOf(space, which));
}
