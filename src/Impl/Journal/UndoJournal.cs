using System.Diagnostics;

namespace ShmCheck.Impl;

/// <summary>Old values of cells that were written since a mark, newest last. Every cell of the
/// machine's state is written through a <see cref="Column{T}"/>, which records here what it
/// overwrites; going back to a mark costs what has changed since.</summary>
internal sealed class UndoJournal
{
    private Entry[] _entries = new Entry[64];
    private int _count;
    private int[] _marks = new int[4];
    private int _depth;

    /// <summary>Changes with every mark that is set or removed: what was recorded in the present
    /// stretch need not be recorded again.</summary>
    public long Stretch { get; private set; } = 1;

    /// <summary>Marks set and not yet used. While there is any, writes have to be recorded.
    /// </summary>
    public int Depth => _depth;

    /// <summary>Remembers what a cell held before it is overwritten.</summary>
    public void Record(int column, int cell, ulong old)
    {
        Debug.Assert(_depth > 0, "nothing to go back to");
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _count * 2);
        }

        _entries[_count++] = new Entry(column, cell, old);
    }

    public void Mark()
    {
        if (_depth == _marks.Length)
        {
            Array.Resize(ref _marks, _depth * 2);
        }

        _marks[_depth++] = _count;
        Stretch++;
    }

    /// <summary>Puts back what every cell held at the last mark, and removes the mark.</summary>
    public void RollBack(List<Column> columns)
    {
        int start = PopMark();
        while (_count > start)
        {
            ref readonly Entry entry = ref _entries[--_count];
            columns[entry.Column].Undo(entry.Cell, entry.Old);
        }
    }

    /// <summary>Removes the last mark; an outer mark still covers what changed since.</summary>
    public void Commit()
    {
        PopMark();
        if (_depth == 0)
        {
            _count = 0;
        }
    }

    private int PopMark()
    {
        if (_depth == 0)
        {
            throw new InvalidOperationException("no mark is set");
        }

        Stretch++;
        return _marks[--_depth];
    }

    private readonly record struct Entry(int Column, int Cell, ulong Old);
}
