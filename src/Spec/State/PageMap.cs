using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;

namespace ShmCheck.Spec;

/// <summary>An immutable table of what there is about single pages: rows in ascending order of
/// page number. They lie in blocks of <see cref="BlockPages"/> neighbouring pages, so that a
/// change copies one block and the list of blocks, whatever else the object or the address space
/// holds.</summary>
/// <typeparam name="T">A row.</typeparam>
public sealed class PageMap<T>
{
    private const int BlockShift = 5;
    private const int BlockPages = 1 << BlockShift;

    /// <summary>A map without rows.</summary>
    public static readonly PageMap<T> Empty = new([], 0);

    private readonly ImmutableArray<Block> _blocks;

    private PageMap(ImmutableArray<Block> blocks, int count) => (_blocks, Count) = (blocks, count);

    /// <summary>Number of rows.</summary>
    public int Count { get; }

    /// <summary>The rows, in the order of their pages.</summary>
    public PageRows<T> All => new(this, 0, ulong.MaxValue);

    internal ImmutableArray<Block> Blocks => _blocks;

    /// <summary>The row of a page that has one.</summary>
    public T this[ulong page] => TryGet(page, out T row)
        ? row : throw new KeyNotFoundException($"the map has no page {page}");

    /// <summary>The row of a page, if there is one.</summary>
    public bool TryGet(ulong page, out T row)
    {
        int at = BlockFrom(page);
        bool found = at < _blocks.Length && _blocks[at].Has(page);
        row = found ? _blocks[at].Rows[_blocks[at].Below(page)] : default!;
        return found;
    }

    /// <summary>Whether a page has a row.</summary>
    public bool Contains(ulong page)
    {
        int at = BlockFrom(page);
        return at < _blocks.Length && _blocks[at].Has(page);
    }

    /// <summary>Rows of pages below <paramref name="page"/>.</summary>
    public int CountBelow(ulong page)
    {
        int at = BlockFrom(page);
        return at == _blocks.Length ? Count
            : _blocks[at].Before
                + (_blocks[at].Number == page >> BlockShift ? _blocks[at].Below(page) : 0);
    }

    /// <summary>The rows of pages in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public PageRows<T> Between(ulong from, ulong to) => new(this, from, to);

    /// <summary>With a row set, in place of the page's row if it has one.</summary>
    public PageMap<T> Set(ulong page, T row)
    {
        int at = BlockFrom(page);
        if (at < _blocks.Length && _blocks[at].Has(page))
        {
            ImmutableArray<T> rows = _blocks[at].Rows.SetItem(_blocks[at].Below(page), row);
            return new(_blocks.SetItem(at, _blocks[at] with { Rows = rows }), Count);
        }

        bool grows = at < _blocks.Length && _blocks[at].Number == page >> BlockShift;
        ImmutableArray<Block>.Builder blocks = ImmutableArray.CreateBuilder<Block>(
            _blocks.Length + 1);
        blocks.AddRange(_blocks, at);
        blocks.Add(grows ? _blocks[at].With(page, row)
            : new Block(page >> BlockShift, Block.Bit(page), [row], CountBelow(page)));
        for (int behind = grows ? at + 1 : at; behind < _blocks.Length; behind++)
        {
            blocks.Add(_blocks[behind] with { Before = _blocks[behind].Before + 1 });
        }

        return new(blocks.DrainToImmutable(), Count + 1);
    }

    /// <summary>Without the row of a page; the same map when it has none.</summary>
    public PageMap<T> Remove(ulong page) => RemoveRange(page, page + 1);

    /// <summary>Without the rows of pages in [<paramref name="from"/>, <paramref name="to"/>).
    /// </summary>
    public PageMap<T> RemoveRange(ulong from, ulong to)
    {
        int removed = CountBelow(to) - CountBelow(from);
        if (from >= to || removed == 0)
        {
            return this;
        }

        var blocks = ImmutableArray.CreateBuilder<Block>(_blocks.Length);
        int count = 0;
        foreach (Block block in _blocks)
        {
            if ((block.Present & ~block.Within(from, to)) != 0)
            {
                blocks.Add(block.Without(from, to) with { Before = count });
                count += blocks[^1].Rows.Length;
            }
        }

        return new(blocks.DrainToImmutable(), count);
    }

    /// <summary>With the rows of pages in [<paramref name="from"/>, <paramref name="to"/>)
    /// changed by a function of page and row.</summary>
    public PageMap<T> Map(ulong from, ulong to, Func<ulong, T, T> change)
    {
        Block[] blocks = [.. _blocks];
        for (int at = BlockFrom(from);
            at < blocks.Length && blocks[at].FirstPage < to; at++)
        {
            blocks[at] = blocks[at].Map(from, to, change);
        }

        return new(ImmutableCollectionsMarshal.AsImmutableArray(blocks), Count);
    }

    /// <summary>Position of the first block that ends behind a page.</summary>
    internal int BlockFrom(ulong page)
    {
        ulong number = page >> BlockShift;
        (int low, int high) = (0, _blocks.Length);
        while (low < high)
        {
            int middle = (low + high) >> 1;
            (low, high) = _blocks[middle].Number < number ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>The rows of neighbouring pages, as many as are in <paramref name="Present"/>.
    /// </summary>
    /// <param name="Number">Number of the first page over <see cref="BlockPages"/>.</param>
    /// <param name="Present">A bit for each page that has a row.</param>
    /// <param name="Rows">The rows.</param>
    /// <param name="Before">Rows in the blocks before.</param>
    internal readonly record struct Block(
        ulong Number, uint Present, ImmutableArray<T> Rows, int Before)
    {
        public ulong FirstPage => Number << BlockShift;

        public static uint Bit(ulong page) => 1u << (int)(page & (BlockPages - 1));

        public bool Has(ulong page) =>
            Number == page >> BlockShift && (Present & Bit(page)) != 0;

        /// <summary>Position of the row of a page of the block.</summary>
        public int Below(ulong page) => BitOperations.PopCount(Present & (Bit(page) - 1));

        public Block With(ulong page, T row) => this with
        {
            Present = Present | Bit(page),
            Rows = Rows.Insert(Below(page), row),
        };

        public Block Without(ulong from, ulong to)
        {
            int first = RowsBelow(from);
            int removed = RowsBelow(to) - first;
            return removed <= 0 ? this : this with
            {
                Present = Present & ~Within(from, to),
                Rows = Rows.RemoveRange(first, removed),
            };
        }

        public Block Map(ulong from, ulong to, Func<ulong, T, T> change)
        {
            T[] rows = [.. Rows];
            for (uint left = Present & Within(from, to); left != 0; left &= left - 1)
            {
                ulong page = FirstPage + (uint)BitOperations.TrailingZeroCount(left);
                ref T row = ref rows[Below(page)];
                row = change(page, row);
            }

            return this with { Rows = ImmutableCollectionsMarshal.AsImmutableArray(rows) };
        }

        /// <summary>The bits of pages in [<paramref name="from"/>, <paramref name="to"/>).
        /// </summary>
        public uint Within(ulong from, ulong to) => BelowFirst(to) & ~BelowFirst(from);

        /// <summary>Rows of its pages below <paramref name="page"/>.</summary>
        public int RowsBelow(ulong page) => BitOperations.PopCount(Present & BelowFirst(page));

        /// <summary>The bits of its pages below <paramref name="page"/>.</summary>
        private uint BelowFirst(ulong page) => page <= FirstPage ? 0
            : page - FirstPage >= BlockPages ? uint.MaxValue : Bit(page) - 1;
    }
}
