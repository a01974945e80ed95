using System.Diagnostics;
using System.Numerics;

namespace ShmCheck.Impl;

/// <summary>A bitmap of what is taken among <c>0..capacity-1</c>, under summary levels of 64 that
/// know which words are full: the lowest free index is found by one trailing-zero count per
/// level. Only words up to the highest index ever taken exist, so that an empty map of 2^28 costs
/// nothing.</summary>
internal sealed class FreeMap
{
    private const int WordShift = 6;
    private const int WordMask = 63;
    private readonly Column<ulong>[] _levels;
    private readonly Scalar _used;

    public FreeMap(StateStore store, int capacity)
    {
        Capacity = capacity;
        _levels = new Column<ulong>[LevelsFor(capacity)];
        for (int level = 0; level < _levels.Length; level++)
        {
            _levels[level] = store.NewColumn<ulong>();
        }

        _used = store.NewScalar();
    }

    /// <summary>Number of indices.</summary>
    public int Capacity { get; }

    /// <summary>Indices taken.</summary>
    public int Used => (int)_used.Value;

    /// <summary>Levels that a bitmap of <paramref name="capacity"/> bits needs so that the top one
    /// is a single word.</summary>
    public static int LevelsFor(int capacity)
    {
        int levels = 1;
        for (long words = ((long)capacity + WordMask) >> WordShift; words > 1; levels++)
        {
            words = (words + WordMask) >> WordShift;
        }

        return levels;
    }

    public bool IsUsed(int index) =>
        (_levels[0][index >> WordShift] >> (index & WordMask) & 1) != 0;

    /// <summary>The lowest free index, or -1.</summary>
    public int FindFree() => Descend(_levels.Length, 0);

    /// <summary>The lowest free index from <paramref name="from"/> on, or -1.</summary>
    public int FindFree(int from)
    {
        int index = from;
        for (int level = 0; level < _levels.Length; level++)
        {
            ulong below = (1ul << (index & WordMask)) - 1;
            ulong word = _levels[level][index >> WordShift] | below;
            if (word != ulong.MaxValue)
            {
                return Descend(level, (index & ~WordMask) + BitOperations.TrailingZeroCount(~word));
            }

            index = (index >> WordShift) + 1;
        }

        return -1;
    }

    public void Use(int index) => UseRun(index, 1);

    public void Free(int index) => FreeRun(index, 1);

    /// <summary>Takes <paramref name="length"/> free indices, a power of two to which
    /// <paramref name="index"/> is aligned.</summary>
    public void UseRun(int index, int length)
    {
        Debug.Assert(index + (long)length <= Capacity, "beyond the end");
        _used.Value += (uint)length;
        foreach (Column<ulong> level in _levels)
        {
            int word = index >> WordShift;
            for (int end = word + (length >> WordShift); word < end; word++)
            {
                Debug.Assert(level[word] == 0, "taken twice");
                level[word] = ulong.MaxValue;
            }

            if (length <= WordMask)
            {
                ulong before = level[word];
                Debug.Assert((before & Mask(index, length)) == 0, "taken twice");
                ulong after = before | Mask(index, length);
                level[word] = after;
                if (after != ulong.MaxValue)
                {
                    return;
                }
            }

            index >>= WordShift;
            length = Math.Max(1, length >> WordShift);
        }
    }

    /// <summary>Gives back what <see cref="UseRun"/> took.</summary>
    public void FreeRun(int index, int length)
    {
        Debug.Assert(index + (long)length <= Capacity, "beyond the end");
        _used.Value -= (uint)length;
        foreach (Column<ulong> level in _levels)
        {
            int word = index >> WordShift;
            for (int end = word + (length >> WordShift); word < end; word++)
            {
                Debug.Assert(level[word] == ulong.MaxValue, "freed twice");
                level[word] = 0;
            }

            if (length <= WordMask)
            {
                ulong before = level[word];
                Debug.Assert((~before & Mask(index, length)) == 0, "freed twice");
                level[word] = before & ~Mask(index, length);
                if (before != ulong.MaxValue)
                {
                    return;
                }
            }

            index >>= WordShift;
            length = Math.Max(1, length >> WordShift);
        }
    }

    /// <summary>Checks every summary bit and the count against the words below.</summary>
    public bool IsConsistent()
    {
        int used = 0;
        for (int index = 0; index < Capacity; index++)
        {
            used += IsUsed(index) ? 1 : 0;
        }

        return used == Used && Enumerable.Range(1, _levels.Length - 1).All(IsSummary);
    }

    /// <summary>From an index of a level that has a free index below it, down to that one. No
    /// summary bit is ever set for a word that does not exist, so the way ends beyond the
    /// capacity when all is taken.</summary>
    private int Descend(int level, int index)
    {
        while (level-- > 0)
        {
            ulong word = _levels[level][index];
            if (word == ulong.MaxValue)
            {
                return -1;
            }

            index = (index << WordShift) + BitOperations.TrailingZeroCount(~word);
        }

        return index < Capacity ? index : -1;
    }

    private static ulong Mask(int index, int length) =>
        ((1ul << length) - 1) << (index & WordMask);

    private bool IsSummary(int level)
    {
        int words = (int)(((long)Capacity - 1) >> (WordShift * level)) + 1;
        for (int word = 0; word < words; word++)
        {
            bool full = _levels[level - 1][word] == ulong.MaxValue;
            if (full != ((_levels[level][word >> WordShift] >> (word & WordMask) & 1) != 0))
            {
                return false;
            }
        }

        return true;
    }
}
