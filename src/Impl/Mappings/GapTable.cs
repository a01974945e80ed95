using System.Numerics;

namespace ShmCheck.Impl;

/// <summary>The gaps between the mappings of each address space, in pages, by length: one tree for
/// each length below 32 and for each power of two above, so that the lowest gap that is long enough
/// is found without a look at those that are too short. What is free before the first mapping and
/// behind the last is no gap.</summary>
internal sealed class GapTable
{
    private const int ClassShift = 6;
    private const ulong FirstLong = 32;
    private readonly Radix _radix;
    private readonly Column<ulong> _roots;
    private readonly Column<ulong> _classes;

    public GapTable(StateStore store, Radix radix)
    {
        _radix = radix;
        _roots = store.NewColumn<ulong>();
        _classes = store.NewColumn<ulong>();
    }

    /// <summary>Notes a gap, unless it is empty.</summary>
    public void Add(int space, ulong first, ulong end)
    {
        if (first < end)
        {
            int which = ClassOf(end - first);
            RadixTree gaps = Gaps(space, which);
            gaps[first] = end - first;
            _classes[space] |= 1ul << which;
        }
    }

    /// <summary>Takes back what <see cref="Add"/> noted.</summary>
    public void Remove(int space, ulong first, ulong end)
    {
        if (first < end)
        {
            int which = ClassOf(end - first);
            RadixTree gaps = Gaps(space, which);
            gaps[first] = 0;
            _classes[space] &= gaps.IsEmpty ? ~(1ul << which) : ulong.MaxValue;
        }
    }

    /// <summary>The lowest place in a gap.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="pages">Length of what is to be placed.</param>
    /// <param name="alignment">A power of two.</param>
    /// <param name="from">Gaps that begin before do not count.</param>
    /// <returns>The first page, or the highest number when there is none.</returns>
    public ulong Find(int space, ulong pages, ulong alignment, ulong from)
    {
        ulong best = ulong.MaxValue;
        ulong classes = _classes[space] >> ClassOf(pages) << ClassOf(pages);
        for (; classes != 0; classes &= classes - 1)
        {
            RadixTree gaps = Gaps(space, BitOperations.TrailingZeroCount(classes));
            ulong first = from;
            for (; first < best && gaps.Next(ref first, out ulong length); first++)
            {
                ulong place = (first + alignment - 1) & ~(alignment - 1);
                if (place + pages <= first + length)
                {
                    best = Math.Min(best, place);
                    break;
                }
            }
        }

        return best;
    }

    /// <summary>Whether a gap is noted.</summary>
    public bool Contains(int space, ulong first, ulong end) =>
        Gaps(space, ClassOf(end - first))[first] == end - first;

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

    /// <summary>Lengths of a class begin where those of the class below end.</summary>
    private static int ClassOf(ulong length) => length < FirstLong ? (int)length
        : (int)FirstLong + BitOperations.Log2(length / FirstLong);

    private RadixTree Gaps(int space, int which) =>
        new(_radix, _roots, (space << ClassShift) + which);
}
