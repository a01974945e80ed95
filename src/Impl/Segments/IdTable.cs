using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The identifiers of each namespace (ipc/util.c). Indices are handed out in a cycle, so
/// that a freed one is not the next to come; the sequence number is raised when the cycle wraps.
/// </summary>
internal sealed class IdTable
{
    private const int LeastWindow = 64;
    private const int SequenceLimit = int.MaxValue >> ShmId.IndexBits;
    private readonly NamespaceTable _namespaces;
    private readonly Radix _radix;
    private readonly FreeMap<ColumnWords> _indices;
    private readonly Column<ulong> _segmentRoots;
    private readonly Column<int> _inUse;
    private readonly Column<int> _wanted;
    private readonly Column<int> _cursor;
    private readonly Column<int> _lastIndex;
    private readonly Column<int> _sequence;

    public IdTable(StateStore store, Radix radix, NamespaceTable namespaces)
    {
        _namespaces = namespaces;
        _radix = radix;
        _indices = new FreeMap<ColumnWords>(
            (NamespaceTable.Limit + 1) * ShmId.IndexLimit, store.NewWords);
        _segmentRoots = store.NewColumn<ulong>();
        _inUse = store.NewColumn<int>();
        _wanted = store.NewColumn<int>();
        _cursor = store.NewColumn<int>();
        _lastIndex = store.NewColumn<int>();
        _sequence = store.NewColumn<int>();
    }

    /// <summary>All segments, by namespace, then by index. The one at hand may be destroyed on
    /// the way.</summary>
    public SegmentWalk All => new(this, _namespaces.First, onlyOne: false);

    /// <summary>The segments of a namespace, by index. The one at hand may be destroyed on the
    /// way.</summary>
    public SegmentWalk Of(int ns) => new(this, ns, onlyOne: true);

    /// <summary>Begins a namespace without identifiers.</summary>
    public void Start(int ns)
    {
        _segmentRoots[ns] = 0;
        _inUse[ns] = 0;
        _wanted[ns] = -1;
        _cursor[ns] = 0;
        _lastIndex[ns] = -1;
        _sequence[ns] = 0;
    }

    public int InUse(int ns) => _inUse[ns];

    /// <summary>Highest index in use, 0 if none.</summary>
    public int HighestIndex(int ns)
    {
        ulong index = ShmId.IndexLimit - 1;
        return Segments(ns).Previous(ref index, out _) ? (int)index : 0;
    }

    /// <summary>kernel.shm_next_id; -1 for none.</summary>
    public int Wanted(int ns) => _wanted[ns];

    /// <summary>Sets kernel.shm_next_id.</summary>
    public void Want(int ns, int id) => _wanted[ns] = id;

    /// <summary>What the next identifier follows from, beside what is in use.</summary>
    public (int Cursor, int LastIndex, int Sequence) Hidden(int ns) =>
        (_cursor[ns], _lastIndex[ns], _sequence[ns]);

    /// <summary>The segment at an index, 0 if none.</summary>
    public int AtIndex(int ns, int index) => (int)Segments(ns)[(ulong)index];

    /// <summary>The segments of a namespace, by index.</summary>
    public RadixTree Segments(int ns) => new(_radix, _segmentRoots, ns);

    /// <summary>Gives a segment an identifier.</summary>
    /// <returns>The identifier, or -1 when all indices are taken.</returns>
    public int Assign(int ns, int segment)
    {
        int wanted = _wanted[ns];
        _wanted[ns] = -1;
        int id = wanted < 0 ? Next(ns) : NextTo(ns, new ShmId(wanted));
        if (id >= 0)
        {
            int index = new ShmId(id).Index;
            RadixTree taken = Segments(ns);
            taken[(ulong)index] = (ulong)segment;
            _indices.Use(BitOf(ns, index));
            _inUse[ns]++;
        }

        return id;
    }

    public void Release(int ns, int id)
    {
        int index = new ShmId(id).Index;
        RadixTree taken = Segments(ns);
        taken[(ulong)index] = 0;
        _indices.Free(BitOf(ns, index));
        _inUse[ns]--;
    }

    /// <summary>Checks that every segment, and nothing else, has its bit.</summary>
    public bool IsConsistent()
    {
        int total = 0;
        for (int ns = _namespaces.First; ns != 0; ns = _namespaces[ns].Next)
        {
            int used = 0;
            ulong index = 0;
            for (; Segments(ns).Next(ref index, out _); index++, used++)
            {
                if (!_indices.IsUsed(BitOf(ns, (int)index)))
                {
                    return false;
                }
            }

            if (used != InUse(ns))
            {
                return false;
            }

            total += used;
        }

        return total == _indices.Used;
    }

    /// <summary>Each namespace has its own part of the map of indices.</summary>
    private static int BitOf(int ns, int index) => ns * ShmId.IndexLimit + index;

    /// <summary>The lowest free index of a namespace from <paramref name="from"/> on, or -1.
    /// </summary>
    private int FindFree(int ns, int from)
    {
        int index = _indices.FindFree(BitOf(ns, from)) - BitOf(ns, 0);
        return index is >= 0 and < ShmId.IndexLimit ? index : -1;
    }

    private int Next(int ns)
    {
        int window = Math.Min(Math.Max(InUse(ns) * 3 / 2, LeastWindow), ShmId.IndexLimit);
        int cursor = _cursor[ns];
        int index = cursor < window ? FindFree(ns, cursor) : -1;
        if (index < 0 || index >= window)
        {
            index = FindFree(ns, 0);
        }

        if (index < 0)
        {
            return -1;
        }

        Debug.Assert(index < window, "the window holds more than what is in use");
        _cursor[ns] = index + 1;
        if (index <= _lastIndex[ns])
        {
            _sequence[ns] = (_sequence[ns] + 1) % SequenceLimit;
        }

        _lastIndex[ns] = index;
        return ShmId.Of(_sequence[ns], index).Value;
    }

    /// <summary>An identifier asked for by shm_next_id: neither cursor nor sequence move.
    /// </summary>
    private int NextTo(int ns, ShmId wanted)
    {
        int index = FindFree(ns, wanted.Index);
        return index < 0 ? -1 : ShmId.Of(wanted.Sequence, index).Value;
    }

    /// <summary>A walk through segments, for <c>foreach</c>.</summary>
    internal struct SegmentWalk(IdTable ids, int ns, bool onlyOne)
    {
        private int _namespace = ns;
        private ulong _index;

        public int Current { get; private set; }

        public readonly SegmentWalk GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_namespace != 0)
            {
                if (ids.Segments(_namespace).Next(ref _index, out ulong segment))
                {
                    _index++;
                    Current = (int)segment;
                    return true;
                }

                _namespace = onlyOne ? 0 : ids._namespaces[_namespace].Next;
                _index = 0;
            }

            return false;
        }
    }
}
