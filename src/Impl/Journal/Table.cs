using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmCheck.Impl;

/// <summary>Rows that belong together, which is what most calls need: a row is one or a few cache
/// lines. Rows count from 1, so that 0 means none; row 0 can be read, and written where that
/// saves a test. A freed row is the next one handed out.</summary>
/// <remarks>A reference to a row is good until the next row is taken.</remarks>
/// <typeparam name="TRow">Numbers, in whole words of 8 bytes.</typeparam>
internal abstract class Table<TRow> : Column
    where TRow : unmanaged
{
    private const int WordBytes = sizeof(ulong);
    private static readonly TRow[] Unwritten = new TRow[1];
    private readonly UndoJournal _journal;
    private readonly int _number;
    private readonly Rows _used;
    private TRow[] _rows = new TRow[8];

    /// <summary>Rows that can be written without more ado: all there are, none while old values
    /// are recorded.</summary>
    private int _open;
    private bool _records;

    /// <summary>For each row the mark after which it was last recorded.</summary>
    private long[] _recorded = [];

    protected Table(StateStore store)
    {
        Debug.Assert(Unsafe.SizeOf<TRow>() % WordBytes == 0, "the journal keeps whole words");
        (_journal, _number) = store.Enter(this);
        _used = new Rows(store);
        _open = _rows.Length;
    }

    /// <summary>Rows in use, counted by a walk through those that are not.</summary>
    public int Count => _used.Count;

    private static int Words => Unsafe.SizeOf<TRow>() / WordBytes;

    /// <summary>A row to be read. One that was never written is all zeros.</summary>
    public ref readonly TRow this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            TRow[] rows = _rows;
            if ((uint)row < (uint)rows.Length)
            {
                return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(rows), (uint)row);
            }

            return ref Unwritten[0];
        }
    }

    /// <summary>A row to be written, and read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TRow Change(int row)
    {
        if ((uint)row < (uint)_open)
        {
            return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_rows), (uint)row);
        }

        return ref ChangeSlowly(row);
    }

    /// <summary>Takes a row. It holds what its last owner left.</summary>
    protected int Take() => _used.Take();

    protected void Give(int row) => _used.Give(row);

    public sealed override void Record(bool records)
    {
        _records = records;
        _open = records ? 0 : _rows.Length;
    }

    public sealed override void Undo(int cell, ulong word) => AsWords(_rows)[cell] = word;

    public sealed override ReadOnlySpan<byte> Save()
    {
        Span<ulong> words = AsWords(_rows);
        return MemoryMarshal.AsBytes(words[..(words.LastIndexOfAnyExcept(0ul) + 1)]);
    }

    public sealed override bool TryLoad(ReadOnlySpan<byte> saved)
    {
        if (saved.Length % WordBytes != 0)
        {
            return false;
        }

        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(saved);
        int rows = (words.Length + Words - 1) / Words;
        if (_rows.Length < rows)
        {
            _rows = new TRow[rows];
            Record(_records);
        }

        Span<ulong> all = AsWords(_rows);
        words.CopyTo(all);
        all[words.Length..].Clear();
        return true;
    }

    private static Span<ulong> AsWords(TRow[] rows) =>
        MemoryMarshal.Cast<TRow, ulong>(rows.AsSpan());

    /// <summary>What few writes need: more rows, or the old row noted.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ref TRow ChangeSlowly(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        if (row >= _rows.Length)
        {
            Array.Resize(ref _rows, (int)Math.Min(Array.MaxLength, 2L * row));
            Record(_records);
        }

        if (_records)
        {
            Note(row);
        }

        return ref _rows[row];
    }

    private void Note(int row)
    {
        if (row >= _recorded.Length)
        {
            Array.Resize(ref _recorded, _rows.Length);
        }

        if (_recorded[row] == _journal.Stretch)
        {
            return;
        }

        _recorded[row] = _journal.Stretch;
        int first = row * Words;
        ReadOnlySpan<ulong> words = AsWords(_rows).Slice(first, Words);
        for (int word = 0; word < words.Length; word++)
        {
            _journal.Record(_number, first + word, words[word]);
        }
    }
}
