using System.Diagnostics.CodeAnalysis;

namespace ShmCheck.Spec;

/// <summary>An immutable table: rows in ascending order of an unsigned key. A change copies the
/// table, which suits tables as small and as often searched as those of a state.</summary>
/// <typeparam name="T">A row.</typeparam>
public sealed class Table<T>
{
    private readonly ulong[] _keys;
    private readonly T[] _rows;

    private Table(ulong[] keys, T[] rows) => (_keys, _rows) = (keys, rows);

    /// <summary>A table without rows.</summary>
    internal static Table<T> Empty { get; } = new([], []);

    /// <summary>Number of rows.</summary>
    public int Count => _keys.Length;

    /// <summary>The keys, ascending.</summary>
    public ReadOnlySpan<ulong> Keys => _keys;

    /// <summary>The rows, in the order of their keys.</summary>
    public ReadOnlySpan<T> Rows => _rows;

    /// <summary>The row of a key that is in the table.</summary>
    public T this[ulong key] => TryGet(key, out T? row)
        ? row : throw new KeyNotFoundException($"the table has no row {key}");

    /// <summary>The row of a key, if there is one.</summary>
    public bool TryGet(ulong key, [MaybeNullWhen(false)] out T row)
    {
        int index = Array.BinarySearch(_keys, key);
        row = index >= 0 ? _rows[index] : default;
        return index >= 0;
    }

    /// <summary>Whether there is a row with this key.</summary>
    public bool Contains(ulong key) => Array.BinarySearch(_keys, key) >= 0;

    /// <summary>Position of the first row whose key is at least <paramref name="key"/>;
    /// <see cref="Count"/> when there is none.</summary>
    public int FirstFrom(ulong key)
    {
        int index = Array.BinarySearch(_keys, key);
        return index >= 0 ? index : ~index;
    }

    /// <summary>With a row set, in place of the one with the same key if there is one.</summary>
    public Table<T> Set(ulong key, T row)
    {
        int index = Array.BinarySearch(_keys, key);
        if (index >= 0)
        {
            T[] rows = [.. _rows];
            rows[index] = row;
            return new(_keys, rows);
        }

        index = ~index;
        return new(
            [.. _keys.AsSpan(0, index), key, .. _keys.AsSpan(index)],
            [.. _rows.AsSpan(0, index), row, .. _rows.AsSpan(index)]);
    }

    /// <summary>Without the row of a key; the same table when there is none.</summary>
    public Table<T> Remove(ulong key) =>
        Array.BinarySearch(_keys, key) is >= 0 and int index ? Cut(index, index + 1) : this;

    /// <summary>Without the rows whose keys are in [<paramref name="from"/>,
    /// <paramref name="to"/>).</summary>
    public Table<T> RemoveRange(ulong from, ulong to) => Cut(FirstFrom(from), FirstFrom(to));

    /// <summary>With the rows whose keys are in [<paramref name="from"/>,
    /// <paramref name="to"/>) changed by a function of key and row.</summary>
    public Table<T> Map(ulong from, ulong to, Func<ulong, T, T> change)
    {
        T[] rows = [.. _rows];
        int end = FirstFrom(to);
        for (int index = FirstFrom(from); index < end; index++)
        {
            rows[index] = change(_keys[index], rows[index]);
        }

        return new(_keys, rows);
    }

    private Table<T> Cut(int first, int end) => first >= end ? this : new(
        [.. _keys.AsSpan(0, first), .. _keys.AsSpan(end)],
        [.. _rows.AsSpan(0, first), .. _rows.AsSpan(end)]);
}

/// <summary>Makes tables.</summary>
public static class Table
{
    /// <summary>A table without rows.</summary>
    public static Table<T> Empty<T>() => Table<T>.Empty;
}
