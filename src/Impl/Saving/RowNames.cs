namespace ShmCheck.Impl;

/// <summary>Names of rows of a table: numbers from 1 in the order in which they are asked for.
/// Costs nothing to forget, and keeps its memory.</summary>
internal sealed class RowNames
{
    private int[] _names = new int[8];
    private long[] _rounds = new long[8];
    private long _round = 1;

    /// <summary>Rows that have a name.</summary>
    public int Count { get; private set; }

    public void Clear()
    {
        _round++;
        Count = 0;
    }

    /// <summary>The name of a row, 0 when it has none.</summary>
    public int Find(int row) => row < _names.Length && _rounds[row] == _round ? _names[row] : 0;

    /// <summary>The name of a row; it gets one when it has none.</summary>
    public int Of(int row, out bool isNew)
    {
        if (row >= _names.Length)
        {
            Array.Resize(ref _names, row * 2);
            Array.Resize(ref _rounds, row * 2);
        }

        isNew = _rounds[row] != _round;
        if (isNew)
        {
            _rounds[row] = _round;
            _names[row] = ++Count;
        }

        return _names[row];
    }
}
