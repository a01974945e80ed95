namespace ShmCheck.Impl;

/// <summary>All state of a machine: columns of cells, written through one journal. Whatever is
/// not in here is fixed when the machine starts, or lives within one call.</summary>
internal sealed class StateStore
{
    private readonly UndoJournal _journal = new();
    private readonly List<Column> _columns = [];
    private readonly Column<ulong> _scalars;
    private int _scalarCount;

    public StateStore()
    {
        _scalars = NewColumn<ulong>();
    }

    /// <summary>The columns, in the order in which they are saved.</summary>
    public IReadOnlyList<Column> Columns => _columns;

    public Column<T> NewColumn<T>()
        where T : unmanaged, IEquatable<T>
    {
        var column = new Column<T>(_journal, _columns.Count);
        _columns.Add(column);
        return column;
    }

    /// <summary>Makes a column part of the state.</summary>
    /// <returns>What it records old values in, and as which one.</returns>
    public (UndoJournal Journal, int Number) Enter(Column column)
    {
        _columns.Add(column);
        return (_journal, _columns.Count - 1);
    }

    /// <summary>Words for an allocator. The column grows as it is written, whatever the count.
    /// </summary>
    public ColumnWords NewWords(int count) => new(NewColumn<ulong>());

    public Scalar NewScalar() => new(_scalars, _scalarCount++);

    public void Mark()
    {
        _journal.Mark();
        if (_journal.Depth == 1)
        {
            Record(true);
        }
    }

    public void RollBack()
    {
        _journal.RollBack(_columns);
        StopIfUnmarked();
    }

    public void Commit()
    {
        _journal.Commit();
        StopIfUnmarked();
    }

    private void StopIfUnmarked()
    {
        if (_journal.Depth == 0)
        {
            Record(false);
        }
    }

    private void Record(bool records)
    {
        foreach (Column column in _columns)
        {
            column.Record(records);
        }
    }
}

/// <summary>One number of the state.</summary>
internal readonly struct Scalar(Column<ulong> column, int cell) : ICell
{
    public ulong Value
    {
        get => column[cell];
        set => column[cell] = value;
    }
}
