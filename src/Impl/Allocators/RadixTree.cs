namespace ShmCheck.Impl;

/// <summary>One tree of a <see cref="Radix"/>, whose root is a cell of a column.</summary>
internal readonly struct RadixTree(Radix nodes, Column<ulong> roots, int row)
{
    public bool IsEmpty => roots[row] == 0;

    public ulong this[ulong key]
    {
        get => nodes.Get(roots[row], key);
        set
        {
            ulong root = roots[row];
            ulong after = nodes.Set(root, key, value);
            if (after != root)
            {
                roots[row] = after;
            }
        }
    }

    /// <summary>The cell of a key (<see cref="Radix.CellOf"/>).</summary>
    public int CellOf(ulong key) => nodes.CellOf(roots[row], key);

    /// <summary>The word of a cell.</summary>
    public ulong At(int cell) => nodes.At(cell);

    /// <summary>Gives a key that is present another word that is not 0.</summary>
    public void Replace(int cell, ulong value) => nodes.Replace(cell, value);

    /// <summary>The first key from <paramref name="key"/> on that is present.</summary>
    public bool Next(ref ulong key, out ulong value) => nodes.Next(roots[row], ref key, out value);

    /// <summary>The last key up to <paramref name="key"/> that is present.</summary>
    public bool Previous(ref ulong key, out ulong value) =>
        nodes.Previous(roots[row], ref key, out value);

    /// <summary>Nodes in use, counted by a walk.</summary>
    public int CountNodes() => nodes.CountNodes(roots[row]);

    public void Clear()
    {
        nodes.Clear(roots[row]);
        roots[row] = 0;
    }

    /// <summary>Starts as an empty tree, whatever the row held before.</summary>
    public void Initialize() => roots[row] = 0;
}
