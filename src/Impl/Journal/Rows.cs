using System.Diagnostics;

namespace ShmCheck.Impl;

/// <summary>Which rows of a table are in use. Rows count from 1, so that 0 means none; a freed
/// row is the next one handed out.</summary>
internal sealed class Rows(StateStore store)
{
    private readonly Column<int> _nextFree = store.NewColumn<int>();
    private readonly Scalar _firstFree = store.NewScalar();
    private readonly Scalar _top = store.NewScalar();

    /// <summary>Rows in use, counted by a walk through those that are not.</summary>
    public int Count
    {
        get
        {
            int count = Top;
            for (int row = (int)_firstFree.Value; row != 0; row = _nextFree[row])
            {
                count--;
            }

            return count;
        }
    }

    /// <summary>Highest row ever used.</summary>
    public int Top => (int)_top.Value;

    /// <summary>Takes a row. Its cells hold what their last owner left.</summary>
    public int Take()
    {
        int row = (int)_firstFree.Value;
        if (row == 0)
        {
            return (int)++_top.Value;
        }

        _firstFree.Value = (ulong)_nextFree[row];
        return row;
    }

    public void Give(int row)
    {
        Debug.Assert(row > 0 && row <= Top, "never taken");
        _nextFree[row] = (int)_firstFree.Value;
        _firstFree.Value = (ulong)row;
    }
}
