using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The identifiers of the namespace (ipc/util.c). Indices are handed out in a cycle, so
/// that a freed one is not the next to come; the sequence number is raised when the cycle wraps.
/// </summary>
internal sealed class IdTable
{
    private const int LeastWindow = 64;
    private const int SequenceLimit = int.MaxValue >> ShmId.IndexBits;
    private readonly FreeMap _indices;
    private readonly IndexSet _used;
    private readonly Column<int> _segments;
    private readonly Scalar _cursor;
    private readonly Scalar _lastIndex;
    private readonly Scalar _sequence;
    private readonly Scalar _wanted;

    public IdTable(StateStore store)
    {
        _indices = new FreeMap(store, ShmId.IndexLimit);
        _used = new IndexSet(store, ShmId.IndexLimit);
        _segments = store.NewColumn<int>();
        _cursor = store.NewScalar();
        _lastIndex = store.NewScalar();
        _sequence = store.NewScalar();
        _wanted = store.NewScalar();
        _lastIndex.Value = ulong.MaxValue;
        _wanted.Value = ulong.MaxValue;
    }

    public int InUse => _indices.Used;

    /// <summary>Highest index in use, 0 if none.</summary>
    public int HighestIndex => Math.Max(0, _used.Last());

    /// <summary>kernel.shm_next_id; -1 for none.</summary>
    public int Wanted
    {
        get => (int)_wanted.Value;
        set => _wanted.Value = (ulong)value;
    }

    /// <summary>What the next identifier follows from, beside what is in use.</summary>
    public (int Cursor, int LastIndex, int Sequence) Hidden =>
        ((int)_cursor.Value, (int)_lastIndex.Value, (int)_sequence.Value);

    /// <summary>The segment at an index, 0 if none.</summary>
    public int AtIndex(int index) => _segments[index];

    /// <summary>The lowest index in use from <paramref name="from"/> on, or -1.</summary>
    public int NextIndex(int from) => from < ShmId.IndexLimit ? _used.NextFrom(from) : -1;

    /// <summary>Gives a segment an identifier.</summary>
    /// <returns>The identifier, or -1 when all indices are taken.</returns>
    public int Assign(int segment)
    {
        int wanted = Wanted;
        Wanted = -1;
        int id = wanted < 0 ? Next() : NextTo(new ShmId(wanted));
        if (id >= 0)
        {
            int index = new ShmId(id).Index;
            _indices.Use(index);
            _used.Add(index);
            _segments[index] = segment;
        }

        return id;
    }

    public void Release(int id)
    {
        int index = new ShmId(id).Index;
        _indices.Free(index);
        _used.Remove(index);
        _segments[index] = 0;
    }

    public bool IsConsistent() => _indices.IsConsistent()
        && Enumerable.Range(0, ShmId.IndexLimit).All(index =>
            _indices.IsUsed(index) == (_segments[index] != 0)
            && _used.Contains(index) == _indices.IsUsed(index));

    private int Next()
    {
        int window = Math.Min(Math.Max(InUse * 3 / 2, LeastWindow), ShmId.IndexLimit);
        int cursor = (int)_cursor.Value;
        int index = cursor < window ? _indices.FindFree(cursor) : -1;
        if (index < 0 || index >= window)
        {
            index = _indices.FindFree();
        }

        if (index < 0)
        {
            return -1;
        }

        Debug.Assert(index < window, "the window holds more than what is in use");
        _cursor.Value = (ulong)index + 1;
        if (index <= (int)_lastIndex.Value)
        {
            _sequence.Value = (_sequence.Value + 1) % SequenceLimit;
        }

        _lastIndex.Value = (ulong)index;
        return ShmId.Of((int)_sequence.Value, index).Value;
    }

    /// <summary>An identifier asked for by shm_next_id: neither cursor nor sequence move.
    /// </summary>
    private int NextTo(ShmId wanted)
    {
        int index = _indices.FindFree(wanted.Index);
        return index < 0 ? -1 : ShmId.Of(wanted.Sequence, index).Value;
    }
}
