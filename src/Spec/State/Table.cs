using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace ShmCheck.Spec;

/// <summary>An immutable table: rows in ascending order of an unsigned key. A change copies the
/// table, which suits tables as small and as often searched as those of a state.</summary>
/// <typeparam name="T">A row.</typeparam>
public sealed class Table<T>
{
    internal Table(ImmutableArray<ulong> keys, ImmutableArray<T> rows) =>
        (Keys, Rows) = (keys, rows);

    /// <summary>Number of rows.</summary>
    public int Count => Keys.Length;

    /// <summary>The keys, ascending.</summary>
    public ImmutableArray<ulong> Keys { get; }

    /// <summary>The rows, in the order of their keys.</summary>
    public ImmutableArray<T> Rows { get; }

    /// <summary>The row of a key that is in the table.</summary>
    public T this[ulong key] => TryGet(key, out T? row)
        ? row : throw new KeyNotFoundException($"the table has no row {key}");

    /// <summary>The row of a key, if there is one.</summary>
    public bool TryGet(ulong key, [MaybeNullWhen(false)] out T row)
    {
        int index = Keys.BinarySearch(key);
        row = index >= 0 ? Rows[index] : default;
        return index >= 0;
    }

    /// <summary>Whether there is a row with this key.</summary>
    public bool Contains(ulong key) => Keys.BinarySearch(key) >= 0;

    /// <summary>Position of the first row whose key is at least <paramref name="key"/>;
    /// <see cref="Count"/> when there is none.</summary>
    public int FirstFrom(ulong key)
    {
        int index = Keys.BinarySearch(key);
        return index >= 0 ? index : ~index;
    }

    /// <summary>The rows whose keys are in [<paramref name="from"/>, <paramref name="to"/>).
    /// </summary>
    public TableRange<T> Between(ulong from, ulong to) => new(this, from, to);

    /// <summary>With a row set, in place of the one with the same key if there is one.</summary>
    public Table<T> Set(ulong key, T row)
    {
        int index = Keys.BinarySearch(key);
        return index >= 0 ? new(Keys, Rows.SetItem(index, row))
            : new(Keys.Insert(~index, key), Rows.Insert(~index, row));
    }

    /// <summary>Without the row of a key; the same table when there is none.</summary>
    public Table<T> Remove(ulong key)
    {
        int index = Keys.BinarySearch(key);
        return index < 0 ? this : new(Keys.RemoveAt(index), Rows.RemoveAt(index));
    }
}

/// <summary>Makes tables.</summary>
public static class Table
{
    /// <summary>A table without rows.</summary>
    public static Table<T> Empty<T>() => NoRows<T>.Table;

    private static class NoRows<T>
    {
        public static readonly Table<T> Table = new([], []);
    }
}
