namespace ShmCheck.Impl;

/// <summary>Words whose writes can be undone, and that take memory only up to the highest one
/// ever written.</summary>
internal readonly struct ColumnWords(Column<ulong> column) : IWords
{
    public ulong this[int index]
    {
        get => column[index];
        set => column[index] = value;
    }

    public void Fill(int first, int count, ulong value)
    {
        for (int index = first; index < first + count; index++)
        {
            column[index] = value;
        }
    }
}
