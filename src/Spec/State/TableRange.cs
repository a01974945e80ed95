using System.Collections;

namespace ShmCheck.Spec;

/// <summary>The rows of a table whose keys lie in a range.</summary>
/// <typeparam name="T">A row.</typeparam>
/// <param name="table">The table.</param>
/// <param name="from">The lowest key.</param>
/// <param name="to">The key behind the highest.</param>
public readonly struct TableRange<T>(Table<T> table, ulong from, ulong to)
    : IEnumerable<(ulong Key, T Row)>
{
    /// <summary>The rows, in the order of their keys.</summary>
    public Enumerator GetEnumerator() => new(table, from, to);

    IEnumerator<(ulong Key, T Row)> IEnumerable<(ulong Key, T Row)>.GetEnumerator() =>
        GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Goes from row to row.</summary>
    public struct Enumerator : IEnumerator<(ulong Key, T Row)>
    {
        private readonly Table<T> _table;
        private readonly ulong _to;
        private int _row;

        internal Enumerator(Table<T> table, ulong from, ulong to)
        {
            (_table, _to) = (table, to);
            _row = table.FirstFrom(from) - 1;
        }

        /// <inheritdoc/>
        public readonly (ulong Key, T Row) Current => (_table.Keys[_row], _table.Rows[_row]);

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext() => ++_row < _table.Count && _table.Keys[_row] < _to;

        readonly void IEnumerator.Reset() => throw new NotSupportedException();

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
