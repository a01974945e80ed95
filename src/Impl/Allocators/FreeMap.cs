using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>A bitmap of what is taken among <c>0..capacity-1</c>, under summary levels of 64 that
/// know which words are full: the lowest free index is found by one trailing-zero count per
/// level.</summary>
/// <typeparam name="TWords">Where the words are. No word is written before its index is taken, so
/// that in columns an empty map of 2^28 costs nothing.</typeparam>
/// <remarks>The levels are fields, and the ways through them are written out: a loop over levels
/// costs three times as much. There is one level more than any capacity needs, so that no way up
/// has to ask whether it has reached the top.</remarks>
internal readonly struct FreeMap<TWords>
    where TWords : struct, IWords
{
    /// <summary>Indices whose bits are a cache line.</summary>
    public const int LineLength = 512;

    private const int WordShift = 6;
    private const int WordMask = 63;
    private const int Levels = 6;
    private readonly LevelArray _levels;
    private readonly TWords _used;
    private readonly int _top;

    /// <summary>Makes an empty map.</summary>
    /// <param name="capacity">Number of indices.</param>
    /// <param name="newWords">Gives so many words.</param>
    public FreeMap(int capacity, Func<int, TWords> newWords)
    {
        Capacity = capacity;
        _used = newWords(1);
        _top = -1;
        int words = capacity;
        for (int level = 0; level < Levels; level++)
        {
            words = Math.Max(1, (int)(((long)words + WordMask) >> WordShift));
            _levels[level] = newWords(words);
            _top = words == 1 && _top < 0 ? level : _top;
        }
    }

    /// <summary>Number of indices.</summary>
    public int Capacity { get; }

    /// <summary>Indices taken.</summary>
    public int Used => (int)_used[0];

    public bool IsUsed(int index) =>
        (_levels[0][index >> WordShift] >> (index & WordMask) & 1) != 0;

    /// <summary>64 indices from a multiple of 64 on: those taken have their bit set.</summary>
    public ulong Word(int word) => _levels[0][word];

    /// <summary>The lowest free index, or -1.</summary>
    public int FindFree() => Used == Capacity ? -1 : Descend(_top, 0);

    /// <summary>The lowest free index from <paramref name="from"/> on, or -1.</summary>
    public int FindFree(int from)
    {
        if (from >= Capacity)
        {
            return -1;
        }

        ulong near = _levels[0][from >> WordShift] | ((1ul << (from & WordMask)) - 1);
        if (near == ulong.MaxValue)
        {
            return FindFreeAbove((from >> WordShift) + 1);
        }

        int found = (from & ~WordMask) + BitOperations.TrailingZeroCount(~near);
        return found < Capacity ? found : -1;
    }

    /// <summary>The lowest free index from a word on, or -1.</summary>
    private int FindFreeAbove(int index)
    {
        for (int level = 1; Exists(index, level); level++)
        {
            ulong below = (1ul << (index & WordMask)) - 1;
            ulong word = _levels[level][index >> WordShift] | below;
            if (word != ulong.MaxValue)
            {
                index = (index & ~WordMask) + BitOperations.TrailingZeroCount(~word);
                for (; level > 0 && Exists(index, level); level--)
                {
                    index = LowestFree(_levels[level - 1], index);
                }

                return level == 0 && index < Capacity ? index : -1;
            }

            index = (index >> WordShift) + 1;
        }

        return -1;
    }

    /// <summary>Takes a free index.</summary>
    /// <returns>The word of the index as it was before.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Use(int index)
    {
        Debug.Assert((uint)index < (uint)Capacity && !IsUsed(index), "taken twice");
        Count(1);
        ulong before = _levels[0][index >> WordShift];
        if (Fills(_levels[0], index) && Fills(_levels[1], index >> WordShift)
            && Fills(_levels[2], index >> (2 * WordShift))
            && Fills(_levels[3], index >> (3 * WordShift))
            && Fills(_levels[4], index >> (4 * WordShift)))
        {
            Fills(_levels[5], index >> (5 * WordShift));
        }

        return before;
    }

    /// <summary>Gives back an index.</summary>
    /// <returns>The word of the index as it is now.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Free(int index)
    {
        Debug.Assert((uint)index < (uint)Capacity && IsUsed(index), "freed twice");
        Count(-1);
        if (WasFull(_levels[0], index) && WasFull(_levels[1], index >> WordShift)
            && WasFull(_levels[2], index >> (2 * WordShift))
            && WasFull(_levels[3], index >> (3 * WordShift))
            && WasFull(_levels[4], index >> (4 * WordShift)))
        {
            WasFull(_levels[5], index >> (5 * WordShift));
        }

        return _levels[0][index >> WordShift];
    }

    /// <summary>Takes what the lowest level has in one cache line, all of it free.</summary>
    /// <param name="index">The first, a multiple of <see cref="LineLength"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UseLine(int index)
    {
        Debug.Assert(index + (long)LineLength <= Capacity, "beyond the end");
        Count(LineLength);
        _levels[0].Fill(index >> WordShift, LineLength >> WordShift, ulong.MaxValue);
        TWords words = _levels[1];
        ulong after = words[index >> (2 * WordShift)] | LineMask(index);
        words[index >> (2 * WordShift)] = after;
        if (after == ulong.MaxValue && Fills(_levels[2], index >> (2 * WordShift))
            && Fills(_levels[3], index >> (3 * WordShift))
            && Fills(_levels[4], index >> (4 * WordShift)))
        {
            Fills(_levels[5], index >> (5 * WordShift));
        }
    }

    /// <summary>Gives back what <see cref="UseLine"/> took.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void FreeLine(int index)
    {
        Debug.Assert(index + (long)LineLength <= Capacity, "beyond the end");
        Count(-LineLength);
        _levels[0].Fill(index >> WordShift, LineLength >> WordShift, 0);
        TWords words = _levels[1];
        ulong before = words[index >> (2 * WordShift)];
        words[index >> (2 * WordShift)] = before & ~LineMask(index);
        if (before == ulong.MaxValue && WasFull(_levels[2], index >> (2 * WordShift))
            && WasFull(_levels[3], index >> (3 * WordShift))
            && WasFull(_levels[4], index >> (4 * WordShift)))
        {
            WasFull(_levels[5], index >> (5 * WordShift));
        }
    }

    /// <summary>Takes <paramref name="length"/> free indices, a power of two to which
    /// <paramref name="index"/> is aligned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UseRun(int index, int length)
    {
        Debug.Assert(index + (long)length <= Capacity, "beyond the end");
        Count(length);
        if (FillsRun(_levels[0], index, length, 0) && FillsRun(_levels[1], index, length, 1)
            && FillsRun(_levels[2], index, length, 2) && FillsRun(_levels[3], index, length, 3)
            && FillsRun(_levels[4], index, length, 4))
        {
            FillsRun(_levels[5], index, length, 5);
        }
    }

    /// <summary>Gives back what <see cref="UseRun"/> took.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void FreeRun(int index, int length)
    {
        Debug.Assert(index + (long)length <= Capacity, "beyond the end");
        Count(-length);
        if (WasFullRun(_levels[0], index, length, 0) && WasFullRun(_levels[1], index, length, 1)
            && WasFullRun(_levels[2], index, length, 2) && WasFullRun(_levels[3], index, length, 3)
            && WasFullRun(_levels[4], index, length, 4))
        {
            WasFullRun(_levels[5], index, length, 5);
        }
    }

    /// <summary>Checks every summary bit and the count against the words below: slow.</summary>
    public bool IsConsistent()
    {
        int used = 0;
        bool consistent = true;
        long words = Capacity;
        for (int level = 0; level < Levels; level++)
        {
            words = (words + WordMask) >> WordShift;
            for (int word = 0; word < words; word++)
            {
                ulong bits = _levels[level][word];
                used += level == 0 ? BitOperations.PopCount(bits) : 0;
                consistent &= level + 1 == Levels || (bits == ulong.MaxValue)
                    == ((_levels[level + 1][word >> WordShift] >> (word & WordMask) & 1) != 0);
            }
        }

        return consistent && used == Used;
    }

    /// <summary>Which bits a line is on the level above.</summary>
    private static ulong LineMask(int index) => Mask(index >> WordShift, LineLength >> WordShift);

    private void Count(int change)
    {
        TWords used = _used;
        used[0] = used[0] + (ulong)change;
    }

    /// <summary>Takes an index of a level.</summary>
    /// <returns>Whether that makes its word full.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Fills(TWords words, int index)
    {
        ulong after = words[index >> WordShift] | 1ul << (index & WordMask);
        words[index >> WordShift] = after;
        return after == ulong.MaxValue;
    }

    /// <summary>Frees an index of a level.</summary>
    /// <returns>Whether its word was full.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool WasFull(TWords words, int index)
    {
        ulong before = words[index >> WordShift];
        words[index >> WordShift] = before & ~(1ul << (index & WordMask));
        return before == ulong.MaxValue;
    }

    /// <summary>Takes what a run is on a level: whole words, or a part of one.</summary>
    /// <returns>Whether words have become full.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool FillsRun(TWords words, int index, int length, int level)
    {
        index >>= level * WordShift;
        length = Math.Max(1, length >> (level * WordShift));
        if (length > WordMask)
        {
            words.Fill(index >> WordShift, length >> WordShift, ulong.MaxValue);
            return true;
        }

        ulong before = words[index >> WordShift];
        Debug.Assert((before & Mask(index, length)) == 0, "taken twice");
        ulong after = before | Mask(index, length);
        words[index >> WordShift] = after;
        return after == ulong.MaxValue;
    }

    /// <summary>Frees what a run is on a level.</summary>
    /// <returns>Whether words have been full.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool WasFullRun(TWords words, int index, int length, int level)
    {
        index >>= level * WordShift;
        length = Math.Max(1, length >> (level * WordShift));
        if (length > WordMask)
        {
            words.Fill(index >> WordShift, length >> WordShift, 0);
            return true;
        }

        ulong before = words[index >> WordShift];
        Debug.Assert((~before & Mask(index, length)) == 0, "freed twice");
        words[index >> WordShift] = before & ~Mask(index, length);
        return before == ulong.MaxValue;
    }

    /// <summary>From the top down to the lowest free index, of which there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Descend(int level, int index)
    {
        switch (level)
        {
            case 5: index = LowestFree(_levels[5], index); goto case 4;
            case 4: index = LowestFree(_levels[4], index); goto case 3;
            case 3: index = LowestFree(_levels[3], index); goto case 2;
            case 2: index = LowestFree(_levels[2], index); goto case 1;
            case 1: index = LowestFree(_levels[1], index); goto default;
            default: return LowestFree(_levels[0], index);
        }
    }

    /// <summary>What lies beyond the capacity looks free.</summary>
    private bool Exists(int index, int level) => (long)index << (level * WordShift) < Capacity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LowestFree(TWords words, int word) =>
        (word << WordShift) + BitOperations.TrailingZeroCount(~words[word]);

    private static ulong Mask(int index, int length) =>
        ((1ul << length) - 1) << (index & WordMask);

    [InlineArray(Levels)]
    private struct LevelArray
    {
        private TWords _first;
    }
}
