using System.Collections;
using System.Numerics;

namespace ShmCheck.Spec;

/// <summary>The rows of a map of pages that lie in a range.</summary>
/// <typeparam name="T">A row.</typeparam>
/// <param name="map">The map.</param>
/// <param name="from">The lowest page.</param>
/// <param name="to">The page behind the highest.</param>
public readonly struct PageRows<T>(PageMap<T> map, ulong from, ulong to)
    : IEnumerable<(ulong Page, T Row)>
{
    /// <summary>The rows, in the order of their pages.</summary>
    public Enumerator GetEnumerator() => new(map, from, to);

    IEnumerator<(ulong Page, T Row)> IEnumerable<(ulong Page, T Row)>.GetEnumerator() =>
        GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Goes from row to row.</summary>
    public struct Enumerator : IEnumerator<(ulong Page, T Row)>
    {
        private readonly PageMap<T> _map;
        private readonly ulong _from;
        private readonly ulong _to;
        private int _next;
        private PageMap<T>.Block _block;
        private uint _left;
        private int _row;

        internal Enumerator(PageMap<T> map, ulong from, ulong to)
        {
            (_map, _from, _to) = (map, from, to);
            _next = map.BlockFrom(from);
            _row = -1;
        }

        /// <inheritdoc/>
        public readonly (ulong Page, T Row) Current => (
            _block.FirstPage + (uint)BitOperations.TrailingZeroCount(_left), _block.Rows[_row]);

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext()
        {
            _left &= _left - 1;
            _row++;
            while (_left == 0)
            {
                if (_next == _map.Blocks.Length)
                {
                    return false;
                }

                _block = _map.Blocks[_next++];
                _left = _block.Present & _block.Within(_from, _to);
                _row = _block.RowsBelow(_from);
            }

            return true;
        }

        readonly void IEnumerator.Reset() => throw new NotSupportedException();

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
