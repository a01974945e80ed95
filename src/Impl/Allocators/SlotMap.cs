using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>Slots whose order does not matter, but their nearness does: they are handed out from
/// one cluster of 64 after the other, all free ones of which are claimed at once, so that most
/// need no search and neighbours in time become neighbours in place. A cluster that is free as a
/// whole comes before one that is not.</summary>
/// <typeparam name="TWords">Where the words are. None is written before a slot of it is claimed.
/// </typeparam>
/// <typeparam name="TCell">Where single numbers are.</typeparam>
/// <remarks>A slot that is claimed but not handed out yet has its bit set. It is not lost: it
/// comes before all others.</remarks>
internal struct SlotMap<TWords, TCell>
    where TWords : struct, IWords
    where TCell : struct, ICell
{
    /// <summary>Slots of a cluster.</summary>
    public const int ClusterLength = 64;

    private const int ClusterShift = 6;
    private const int SlotMask = ClusterLength - 1;
    private readonly Clusters _clusters;
    private readonly TWords _words;
    private TCell _rest;
    private TCell _base;
    private TCell _taken;

    /// <summary>Makes a map of free slots.</summary>
    /// <param name="capacity">Number of slots.</param>
    /// <param name="newWords">Gives so many words.</param>
    /// <param name="newCell">Gives a number that is 0.</param>
    public SlotMap(int capacity, Func<int, TWords> newWords, Func<TCell> newCell)
    {
        Capacity = capacity;
        _words = newWords((int)(((long)capacity + SlotMask) >> ClusterShift));
        _clusters = new Clusters(capacity, _words, newWords);
        _rest = newCell();
        _base = newCell();
        _taken = newCell();
    }

    /// <summary>Number of slots.</summary>
    public int Capacity { get; }

    /// <summary>Slots handed out.</summary>
    public readonly int Used => (int)_taken.Value - BitOperations.PopCount(_rest.Value);

    public readonly bool IsUsed(int slot) => IsTaken(slot) && !IsClaimed(slot);

    /// <summary>Takes a slot, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take()
    {
        ulong rest = _rest.Value;
        if (rest == 0)
        {
            (int cluster, rest) = _clusters.Claim((int)_base.Value >> ClusterShift);
            if (rest == 0)
            {
                return -1;
            }

            _base.Value = (ulong)cluster << ClusterShift;
            _taken.Value += (ulong)BitOperations.PopCount(rest);
        }

        _rest.Value = rest & (rest - 1);
        return (int)_base.Value + BitOperations.TrailingZeroCount(rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Give(int slot)
    {
        Debug.Assert(IsUsed(slot), "freed twice");
        TWords words = _words;
        int cluster = slot >> ClusterShift;
        ulong before = words[cluster];
        ulong after = before & ~(1ul << (slot & SlotMask));
        words[cluster] = after;
        _taken.Value--;
        if (before == ulong.MaxValue || after == 0)
        {
            _clusters.Changed(cluster, before, after);
        }
    }

    /// <summary>Checks the summaries and the count against the clusters: slow.</summary>
    public readonly bool IsConsistent()
    {
        int used = 0;
        for (int slot = 0; slot < Capacity; slot++)
        {
            used += IsUsed(slot) ? 1 : 0;
        }

        return used == Used && _clusters.IsConsistent();
    }

    private readonly bool IsTaken(int slot) =>
        (_words[slot >> ClusterShift] >> (slot & SlotMask) & 1) != 0;

    private readonly bool IsClaimed(int slot) => (slot & ~SlotMask) == (int)_base.Value
        && (_rest.Value >> (slot & SlotMask) & 1) != 0;

    /// <summary>The clusters as wholes. Apart, and not inlined, so that what is needed for one slot
    /// is little enough to be kept in registers.</summary>
    private sealed class Clusters(int capacity, TWords words, Func<int, TWords> newWords)
    {
        private readonly FreeMap<TWords> _full = NewMap(capacity, newWords);
        private readonly FreeMap<TWords> _touched = NewMap(capacity, newWords);

        /// <summary>Claims all free slots of the next cluster. What the last word has beyond the
        /// capacity is taken with the first claim of it, for good.</summary>
        /// <returns>The cluster, and its slots, none when no slot is free.</returns>
        [MethodImpl(MethodImplOptions.NoInlining)]
        public (int Cluster, ulong Slots) Claim(int last)
        {
            int cluster = _touched.Used < _touched.Capacity
                ? Next(_touched, last) : Next(_full, last + 1);
            if (cluster < 0)
            {
                return (0, 0);
            }

            ulong before = words[cluster];
            TWords written = words;
            written[cluster] = ulong.MaxValue;
            _full.Use(cluster);
            if (before == 0)
            {
                _touched.Use(cluster);
            }

            ulong beyond = cluster == capacity >> ClusterShift
                ? ulong.MaxValue << (capacity & SlotMask) : 0;
            return (cluster, ~(before | beyond));
        }

        /// <summary>A cluster was full, or has become empty.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Changed(int cluster, ulong before, ulong after)
        {
            if (before == ulong.MaxValue)
            {
                _full.Free(cluster);
            }

            if (after == 0)
            {
                _touched.Free(cluster);
            }
        }

        public bool IsConsistent()
        {
            for (int cluster = 0; cluster < _full.Capacity; cluster++)
            {
                if (_full.IsUsed(cluster) != (words[cluster] == ulong.MaxValue)
                    || _touched.IsUsed(cluster) != (words[cluster] != 0))
                {
                    return false;
                }
            }

            return _full.IsConsistent() && _touched.IsConsistent();
        }

        private static FreeMap<TWords> NewMap(int capacity, Func<int, TWords> newWords) =>
            new((int)(((long)capacity + SlotMask) >> ClusterShift), newWords);

        private static int Next(in FreeMap<TWords> map, int from)
        {
            int cluster = map.FindFree(from);
            return cluster >= 0 ? cluster : map.FindFree();
        }
    }
}
