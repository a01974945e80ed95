using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ShmCheck.Bench.Harness;

/// <summary>A set of words other than 0 with open addressing.</summary>
internal sealed class WordSet
{
    private const int FirstCapacity = 1 << 10;
    private ulong[] _words = new ulong[FirstCapacity];
    private int _shift = 64 - BitOperations.Log2(FirstCapacity);

    /// <summary>Number of words.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes that the set took at its greatest: while it grew, half as much again.
    /// </summary>
    public long MostBytes => _words.Length * (long)sizeof(ulong) * 3 / 2;

    /// <summary>Lets memory bring the places where words belong.</summary>
    public unsafe void Fetch(ReadOnlySpan<ulong> words)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        foreach (ulong word in words)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref _words[Home(word)]));
        }
    }

    /// <summary>Adds a word.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(ulong word)
    {
        if (!Put(_words, word))
        {
            return false;
        }

        if (++Count > _words.Length / 4 * 3)
        {
            Double();
        }

        return true;
    }

    private bool Put(ulong[] words, ulong word)
    {
        int at = Home(word);
        while (words[at] != 0)
        {
            if (words[at] == word)
            {
                return false;
            }

            at = (at + 1) & (words.Length - 1);
        }

        words[at] = word;
        return true;
    }

    private void Double()
    {
        ulong[] before = _words;
        _words = new ulong[before.Length * 2];
        _shift--;
        foreach (ulong word in before)
        {
            if (word != 0)
            {
                Put(_words, word);
            }
        }
    }

    private int Home(ulong word)
    {
        word ^= word >> 31;
        word *= 0x9e3779b97f4a7c15;
        word ^= word >> 29;
        return (int)((word * 0xbf58476d1ce4e5b9) >> _shift);
    }
}
