using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>Sparse arrays of words under keys of up to 41 bits, all made of nodes of one arena:
/// a node has 64 slots and a word that tells which of them are not empty. A tree covers an
/// aligned range of keys just wide enough for what is in it, so that near keys share few levels
/// wherever they lie; a value of 0 is an absent key, and empty nodes go at once.</summary>
/// <remarks>The pages of an object, the page table entries and the mappings of an address space,
/// and the maps from identifiers to rows are all kept in such trees.</remarks>
internal sealed class Radix
{
    private const int SlotShift = 6;
    private const int SlotMask = 63;
    private readonly Rows _nodes;
    private readonly Column<ulong> _slots;
    private readonly Column<ulong> _occupied;

    public Radix(StateStore store)
    {
        _nodes = new Rows(store);
        _slots = store.NewColumn<ulong>();
        _occupied = store.NewColumn<ulong>();
    }

    /// <summary>Nodes in use.</summary>
    public int NodeCount => _nodes.Count;

    public ulong Get(ulong root, ulong key) => _slots[CellOf(root, key)];

    /// <summary>The cell that holds the word of a key, good until the next change of the tree by
    /// other means than <see cref="Replace"/>. That of an absent key reads 0.</summary>
    public int CellOf(ulong root, ulong key) => Cell(LeafOf(new Root(root), key), key);

    /// <summary>The word of a cell.</summary>
    public ulong At(int cell) => _slots[cell];

    /// <summary>Gives a key that is present another word that is not 0.</summary>
    public void Replace(int cell, ulong value)
    {
        Debug.Assert(_slots[cell] != 0 && value != 0, "the key comes or goes");
        _slots[cell] = value;
    }

    /// <summary>Sets the word of a key; 0 removes it.</summary>
    /// <returns>The root afterwards.</returns>
    public ulong Set(ulong root, ulong key, ulong value)
    {
        if (value == 0)
        {
            return Remove(root, key);
        }

        var tree = new Root(root);
        if (!tree.Covers(key))
        {
            tree = Widened(tree, key);
        }

        int node = tree.Node;
        for (int shift = tree.TopShift; shift > 0; shift -= SlotShift)
        {
            int child = (int)_slots[Cell(node, key >> shift)];
            if (child == 0)
            {
                child = _nodes.Take();
                Put(node, key >> shift, (ulong)child);
            }

            node = child;
        }

        Put(node, key, value);
        return tree.Word;
    }

    /// <summary>Sets the word of a key whose cell was just looked up; 0 removes it.</summary>
    /// <returns>The root afterwards.</returns>
    public ulong Set(ulong root, int cell, ulong key, ulong value)
    {
        Debug.Assert(cell == CellOf(root, key), "another cell");
        int leaf = cell >> SlotShift;
        if (leaf == 0)
        {
            return Set(root, key, value);
        }

        if (value != 0)
        {
            Put(leaf, key, value);
            return root;
        }

        return Empty(leaf, key) ? WithoutLeaf(root, key) : root;
    }

    /// <summary>The first key from <paramref name="key"/> on that is present.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="key">Where to begin; the key found.</param>
    /// <param name="last">Keys above are of no interest, though one may be found.</param>
    /// <param name="value">Its word.</param>
    public bool Next(ulong root, ref ulong key, ulong last, out ulong value)
    {
        value = 0;
        var tree = new Root(root);
        if (tree.IsEmpty || key > tree.Last)
        {
            return false;
        }

        key = Math.Max(key, tree.First);
        int leaf = LeafOf(tree, key);
        ulong near = _occupied[leaf] >> (int)(key & SlotMask);
        if (near == 0)
        {
            return (key | SlotMask) < last && NextAcross(tree, ref key, out value);
        }

        key += (ulong)BitOperations.TrailingZeroCount(near);
        value = _slots[Cell(leaf, key)];
        return true;
    }

    /// <summary>The last key up to <paramref name="key"/> that is present.</summary>
    public bool Previous(ulong root, ref ulong key, out ulong value)
    {
        value = 0;
        var tree = new Root(root);
        if (tree.IsEmpty || key < tree.First)
        {
            return false;
        }

        key = Math.Min(key, tree.Last);
        int leaf = LeafOf(tree, key);
        ulong near = _occupied[leaf] << (SlotMask - (int)(key & SlotMask));
        if (near == 0)
        {
            return PreviousAcross(tree, ref key, out value);
        }

        key -= (ulong)BitOperations.LeadingZeroCount(near);
        value = _slots[Cell(leaf, key)];
        return true;
    }

    /// <summary>Nodes of one tree, counted by a walk.</summary>
    public int CountNodes(ulong root)
    {
        var tree = new Root(root);
        return tree.IsEmpty ? 0 : CountNodes(tree.Node, tree.Height - 1);
    }

    /// <summary>Frees all nodes of a tree. The caller sets its root to 0.</summary>
    public void Clear(ulong root)
    {
        var tree = new Root(root);
        if (!tree.IsEmpty)
        {
            Clear(tree.Node, tree.Height - 1);
        }
    }

    /// <summary>The node of the lowest level for a key; 0, all of whose slots are empty, if there
    /// is none.</summary>
    private int LeafOf(Root tree, ulong key)
    {
        if (!tree.Covers(key))
        {
            return 0;
        }

        int node = tree.Node;
        for (int shift = tree.TopShift; shift > 0; shift -= SlotShift)
        {
            node = (int)_slots[Cell(node, key >> shift)];
        }

        return node;
    }

    /// <summary>The first key behind those that share a node with <paramref name="key"/>.
    /// </summary>
    [SkipLocalsInit]
    private bool NextAcross(Root tree, ref ulong key, out ulong value)
    {
        value = 0;
        Span<int> path = stackalloc int[Root.MaxHeight];
        int node = tree.Node;
        for (int level = tree.Height - 1; ;)
        {
            ulong rest = _occupied[node] >> (int)(key >> (level * SlotShift) & SlotMask);
            if (rest == 0)
            {
                if (!StepUp(tree.Height, ref level, ref key))
                {
                    return false;
                }

                node = path[level];
                continue;
            }

            int skipped = BitOperations.TrailingZeroCount(rest);
            key = skipped == 0 ? key : ((key >> (level * SlotShift)) + (ulong)skipped)
                << (level * SlotShift);
            ulong word = _slots[Cell(node, key >> (level * SlotShift))];
            if (level == 0)
            {
                value = word;
                return true;
            }

            path[level--] = node;
            node = (int)word;
        }
    }

    /// <summary>The last key before those that share a node with <paramref name="key"/>.
    /// </summary>
    [SkipLocalsInit]
    private bool PreviousAcross(Root tree, ref ulong key, out ulong value)
    {
        value = 0;
        Span<int> path = stackalloc int[Root.MaxHeight];
        int node = tree.Node;
        for (int level = tree.Height - 1; ;)
        {
            int slot = (int)(key >> (level * SlotShift) & SlotMask);
            ulong rest = _occupied[node] << (SlotMask - slot);
            if (rest == 0)
            {
                if (!StepDown(tree.Height, ref level, ref key))
                {
                    return false;
                }

                node = path[level];
                continue;
            }

            int skipped = BitOperations.LeadingZeroCount(rest);
            key = skipped == 0 ? key : ((key >> (level * SlotShift)) - (ulong)skipped + 1
                << (level * SlotShift)) - 1;
            ulong word = _slots[Cell(node, key >> (level * SlotShift))];
            if (level == 0)
            {
                value = word;
                return true;
            }

            path[level--] = node;
            node = (int)word;
        }
    }

    private int CountNodes(int node, int level)
    {
        int count = 1;
        for (ulong rest = level > 0 ? _occupied[node] : 0; rest != 0; rest &= rest - 1)
        {
            int cell = Cell(node, (ulong)BitOperations.TrailingZeroCount(rest));
            count += CountNodes((int)_slots[cell], level - 1);
        }

        return count;
    }

    private void Clear(int node, int level)
    {
        for (ulong rest = _occupied[node]; rest != 0; rest &= rest - 1)
        {
            int cell = Cell(node, (ulong)BitOperations.TrailingZeroCount(rest));
            if (level > 0)
            {
                Clear((int)_slots[cell], level - 1);
            }

            _slots[cell] = 0;
        }

        _occupied[node] = 0;
        _nodes.Give(node);
    }

    private ulong Remove(ulong root, ulong key)
    {
        int leaf = LeafOf(new Root(root), key);
        return leaf != 0 && Empty(leaf, key) ? WithoutLeaf(root, key) : root;
    }

    /// <summary>The root when a leaf has been freed.</summary>
    private ulong WithoutLeaf(ulong root, ulong key)
    {
        var tree = new Root(root);
        return tree.Height == 1 ? 0 : RemoveLeaf(tree, key);
    }

    /// <summary>Takes a leaf that has been freed, and nodes left empty by that, out of those
    /// above.</summary>
    /// <returns>The root afterwards.</returns>
    [SkipLocalsInit]
    private ulong RemoveLeaf(Root tree, ulong key)
    {
        Span<int> path = stackalloc int[Root.MaxHeight];
        int node = tree.Node;
        for (int level = tree.Height - 1; level > 0; level--)
        {
            path[level] = node;
            node = (int)_slots[Cell(node, key >> (level * SlotShift))];
        }

        for (int level = 1; level < tree.Height; level++)
        {
            if (!Empty(path[level], key >> (level * SlotShift)))
            {
                return tree.Word;
            }
        }

        return 0;
    }

    /// <summary>Empties a slot, and frees the node when nothing is left in it.</summary>
    private bool Empty(int node, ulong index)
    {
        _slots[Cell(node, index)] = 0;
        ulong rest = _occupied[node] & ~(1ul << (int)(index & SlotMask));
        _occupied[node] = rest;
        if (rest != 0)
        {
            return false;
        }

        _nodes.Give(node);
        return true;
    }

    private Root Widened(Root tree, ulong key)
    {
        if (tree.IsEmpty)
        {
            return new Root(_nodes.Take(), 1, key >> SlotShift);
        }

        while (!tree.Covers(key))
        {
            int above = _nodes.Take();
            Put(above, tree.Prefix, (ulong)tree.Node);
            tree = new Root(above, tree.Height + 1, tree.Prefix >> SlotShift);
        }

        return tree;
    }

    private void Put(int node, ulong index, ulong word)
    {
        _slots[Cell(node, index)] = word;
        ulong occupied = _occupied[node];
        ulong bit = 1ul << (int)(index & SlotMask);
        if ((occupied & bit) == 0)
        {
            _occupied[node] = occupied | bit;
        }
    }

    /// <summary>Leaves a node with nothing behind the key for the next slot of a node above. A
    /// slot that the carry wrapped to 0 is exhausted too.</summary>
    private static bool StepUp(int height, ref int level, ref ulong key)
    {
        level++;
        key = ((key >> (level * SlotShift)) + 1) << (level * SlotShift);
        while (level < height && (key >> (level * SlotShift) & SlotMask) == 0)
        {
            level++;
        }

        return level < height;
    }

    /// <summary>Leaves a node with nothing before the key for the slot before in a node above.
    /// </summary>
    private static bool StepDown(int height, ref int level, ref ulong key)
    {
        do
        {
            level++;
        }
        while (level < height && (key >> (level * SlotShift) & SlotMask) == 0);
        key = (key >> (level * SlotShift) << (level * SlotShift)) - 1;
        return level < height;
    }

    private static int Cell(int node, ulong index) =>
        (node << SlotShift) | (int)(index & SlotMask);

    /// <summary>A tree in one word: its top node, its height in levels, and the keys it covers as
    /// what they have in common above those levels.</summary>
    private readonly record struct Root(ulong Word)
    {
        public const int MaxHeight = 7;
        private const int HeightShift = 25;
        private const int PrefixShift = 29;
        private const ulong NodeMask = (1ul << HeightShift) - 1;

        public Root(int node, int height, ulong prefix)
            : this((uint)node | (ulong)height << HeightShift | prefix << PrefixShift)
        {
            Debug.Assert((ulong)node <= NodeMask && height <= MaxHeight, "the arena is full");
            Debug.Assert(Prefix == prefix, "a key has at most 41 bits");
        }

        public bool IsEmpty => Word == 0;
        public int Node => (int)(Word & NodeMask);
        public int Height => (int)(Word >> HeightShift & 15);
        public ulong Prefix => Word >> PrefixShift;
        public int TopShift => (Height - 1) * SlotShift;
        public ulong First => Prefix << (Height * SlotShift);
        public ulong Last => First | (1ul << (Height * SlotShift)) - 1;

        public bool Covers(ulong key) => !IsEmpty && key >> (Height * SlotShift) == Prefix;
    }
}
