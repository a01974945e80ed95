using System.Runtime.CompilerServices;

namespace ShmCheck.Impl;

/// <summary>One tree of a <see cref="Radix"/>, whose root is a cell of a column.</summary>
/// <remarks>All is inlined, so that a tree made for one look-up stays in registers.</remarks>
internal readonly struct RadixTree(Radix nodes, Column<ulong> roots, int row)
{
    public bool IsEmpty => roots[row] == 0;

    public ulong this[ulong key]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => nodes.Get(roots[row], key);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CellOf(ulong key) => nodes.CellOf(roots[row], key);

    /// <summary>The word of a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong At(int cell) => nodes.At(cell);

    /// <summary>Gives a key that is present another word that is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Replace(int cell, ulong value) => nodes.Replace(cell, value);

    /// <summary>Sets the word of a key whose cell was just looked up; 0 removes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int cell, ulong key, ulong value)
    {
        ulong root = roots[row];
        ulong after = nodes.Set(root, cell, key, value);
        if (after != root)
        {
            roots[row] = after;
        }
    }

    /// <summary>The first key from <paramref name="key"/> on that is present.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next(ref ulong key, out ulong value) =>
        nodes.Next(roots[row], ref key, ulong.MaxValue, out value);

    /// <summary>The first key from <paramref name="key"/> on that is present, if it is at most
    /// <paramref name="last"/>; else none, or one above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next(ref ulong key, ulong last, out ulong value) =>
        nodes.Next(roots[row], ref key, last, out value);

    /// <summary>The last key up to <paramref name="key"/> that is present.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Previous(ref ulong key, out ulong value) =>
        nodes.Previous(roots[row], ref key, out value);

    /// <summary>Nodes in use, counted by a walk.</summary>
    public int CountNodes() => nodes.CountNodes(roots[row]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Clear()
    {
        nodes.Clear(roots[row]);
        roots[row] = 0;
    }
}
