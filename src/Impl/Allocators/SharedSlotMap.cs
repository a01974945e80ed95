using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>Slots for several threads: as <see cref="SlotMap{TWords,TCell}"/>, with a claimed
/// word for each thread. Taking a slot is an atomic operation once in a claim, giving one back is
/// one.</summary>
internal sealed class SharedSlotMap
{
    private const int WordShift = 6;
    private const int WordMask = 63;
    private readonly NativeWords _words;
    private readonly NativeWords _full;
    private readonly int _summaries;
    private int _magazines;

    /// <summary>Makes a map of free slots.</summary>
    /// <param name="capacity">Number of slots.</param>
    /// <param name="memory">Where it lives, which must outlive it.</param>
    public SharedSlotMap(int capacity, WordMemory memory)
    {
        Capacity = capacity;
        int words = WordsFor(capacity);
        _summaries = WordsFor(words);
        _words = memory.NewWords(words);
        _full = memory.NewWords(_summaries);
        TakeBeyond(_words, capacity);
        TakeBeyond(_full, words);
    }

    /// <summary>Number of slots.</summary>
    public int Capacity { get; }

    /// <summary>A thread's claim, empty; it begins apart from those of others.</summary>
    public Magazine NewMagazine()
    {
        const uint GoldenRatio = 2654435769;
        uint number = (uint)Interlocked.Increment(ref _magazines) - 1;
        uint place = number * GoldenRatio;
        return new Magazine { Word = (int)((ulong)place * (uint)WordsFor(Capacity) >> 32) };
    }

    /// <summary>Takes a slot. What other threads have claimed is not to be had.</summary>
    /// <returns>The slot, or -1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take(ref Magazine magazine)
    {
        ulong rest = magazine.Rest;
        int word = magazine.Word;
        if (rest == 0)
        {
            (word, rest) = Claim(word);
            if (rest == 0)
            {
                return -1;
            }
        }

        magazine = new Magazine { Word = word, Rest = rest & (rest - 1) };
        return (word << WordShift) + BitOperations.TrailingZeroCount(rest);
    }

    /// <summary>Gives a slot back. Its bit is set, so that subtracting it is the same as clearing
    /// it, but is one instruction that also tells what was there before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Give(int slot)
    {
        int word = slot >> WordShift;
        ulong bit = 1ul << (slot & WordMask);
        if (Interlocked.Add(ref _words.At(word), 0 - bit) == ulong.MaxValue - bit)
        {
            Unmark(_full, word);
        }
    }

    /// <summary>Gives back what a thread has claimed and not taken.</summary>
    public void Empty(ref Magazine magazine)
    {
        for (; magazine.Rest != 0; magazine.Rest &= magazine.Rest - 1)
        {
            Give((magazine.Word << WordShift)
                + BitOperations.TrailingZeroCount(magazine.Rest));
        }
    }

    private static int WordsFor(int bits) => (int)(((long)bits + WordMask) >> WordShift);

    private static void TakeBeyond(NativeWords words, int bits)
    {
        if ((bits & WordMask) != 0)
        {
            words[bits >> WordShift] = ulong.MaxValue << (bits & WordMask);
        }
    }

    /// <summary>Claims all free slots of the next word that has any, once around.</summary>
    /// <returns>The word, and its slots, none when no slot is free.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private (int Word, ulong Slots) Claim(int from)
    {
        // Copies: behind an atomic operation the fields would have to be read again.
        (NativeWords words, NativeWords full, int summaries) = (_words, _full, _summaries);
        int first = from >> WordShift;
        ulong tried = (1ul << (from & WordMask)) - 1;
        for (int step = 0; step <= summaries; step++)
        {
            int summary = first + step < summaries ? first + step : first + step - summaries;
            for (ulong free; (free = ~(Volatile.Read(ref full.At(summary)) | tried)) != 0;)
            {
                int bit = BitOperations.TrailingZeroCount(free);
                int word = (summary << WordShift) + bit;
                ulong rest = ~Interlocked.Exchange(ref words.At(word), ulong.MaxValue);
                Mark(words, full, word);
                if (rest != 0)
                {
                    return (word, rest);
                }

                tried |= 1ul << bit;
            }

            tried = 0;
        }

        return (from, 0);
    }

    /// <summary>Marks a word that has just been claimed as full. A slot of it may have been given
    /// back in between, and whoever did so found no mark to take away: so look again. The atomic
    /// operation orders the look after the mark, and in <see cref="Give"/> the taking away after
    /// the giving back.</summary>
    private static void Mark(NativeWords words, NativeWords full, int word)
    {
        Interlocked.Or(ref full.At(word >> WordShift), 1ul << (word & WordMask));
        if (Volatile.Read(ref words.At(word)) != ulong.MaxValue)
        {
            Unmark(full, word);
        }
    }

    /// <summary>A word that is full may stay without a mark: whoever claims it finds nothing, and
    /// marks it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Unmark(NativeWords full, int word) =>
        Interlocked.And(ref full.At(word >> WordShift), ~(1ul << (word & WordMask)));

    /// <summary>What a thread has claimed: free slots of one word.</summary>
    internal struct Magazine
    {
        public ulong Rest;
        public int Word;
    }
}
