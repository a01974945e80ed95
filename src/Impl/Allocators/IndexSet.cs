using System.Numerics;

namespace ShmCheck.Impl;

/// <summary>A set of indices below a capacity, as a bitmap under summary levels of 64 that know
/// which words are not empty: first and last member cost one bit count per level.</summary>
internal sealed class IndexSet
{
    private const int WordShift = 6;
    private const int WordMask = 63;
    private readonly Column<ulong>[] _levels;

    public IndexSet(StateStore store, int capacity)
    {
        _levels = new Column<ulong>[LevelsFor(capacity)];
        for (int level = 0; level < _levels.Length; level++)
        {
            _levels[level] = store.NewColumn<ulong>();
        }
    }

    public bool Contains(int index) =>
        (_levels[0][index >> WordShift] >> (index & WordMask) & 1) != 0;

    /// <summary>The lowest member, or -1.</summary>
    public int First() => Descend<Lowest>();

    /// <summary>The highest member, or -1.</summary>
    public int Last() => Descend<Highest>();

    /// <summary>The lowest member from <paramref name="from"/> on, or -1.</summary>
    public int NextFrom(int from)
    {
        int index = from;
        for (int level = 0; level < _levels.Length; level++)
        {
            ulong rest = _levels[level][index >> WordShift] >> (index & WordMask);
            if (rest != 0)
            {
                index += BitOperations.TrailingZeroCount(rest);
                while (level-- > 0)
                {
                    index = (index << WordShift)
                        + BitOperations.TrailingZeroCount(_levels[level][index]);
                }

                return index;
            }

            index = (index >> WordShift) + 1;
        }

        return -1;
    }

    public void Add(int index)
    {
        foreach (Column<ulong> level in _levels)
        {
            ulong word = level[index >> WordShift];
            level[index >> WordShift] = word | 1ul << (index & WordMask);
            if (word != 0)
            {
                return;
            }

            index >>= WordShift;
        }
    }

    public void Remove(int index)
    {
        foreach (Column<ulong> level in _levels)
        {
            ulong word = level[index >> WordShift] & ~(1ul << (index & WordMask));
            level[index >> WordShift] = word;
            if (word != 0)
            {
                return;
            }

            index >>= WordShift;
        }
    }

    /// <summary>Levels above <paramref name="capacity"/> bits of which the top one is a single
    /// word.</summary>
    private static int LevelsFor(int capacity)
    {
        int levels = 1;
        for (long words = ((long)capacity + WordMask) >> WordShift; words > 1; levels++)
        {
            words = (words + WordMask) >> WordShift;
        }

        return levels;
    }

    private int Descend<TEnd>()
        where TEnd : struct, IEnd
    {
        int index = 0;
        for (int level = _levels.Length - 1; level >= 0; level--)
        {
            ulong word = _levels[level][index];
            if (word == 0)
            {
                return -1;
            }

            index = (index << WordShift) + TEnd.Of(word);
        }

        return index;
    }

    private interface IEnd
    {
        static abstract int Of(ulong word);
    }

    private readonly struct Lowest : IEnd
    {
        public static int Of(ulong word) => BitOperations.TrailingZeroCount(word);
    }

    private readonly struct Highest : IEnd
    {
        public static int Of(ulong word) => BitOperations.Log2(word);
    }
}
