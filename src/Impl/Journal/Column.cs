using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmCheck.Impl;

/// <summary>One array of the machine's state, as the journal and the saved form see it.</summary>
internal abstract class Column
{
    /// <summary>Says whether old values are to be recorded from now on.</summary>
    public abstract void Record(bool records);

    /// <summary>Puts back an old value without recording it.</summary>
    public abstract void Undo(int cell, ulong word);

    /// <summary>The cells as bytes, without the zeros at the end.</summary>
    public abstract ReadOnlySpan<byte> Save();

    /// <summary>Becomes what <see cref="Save"/> gave.</summary>
    /// <returns>False when these bytes are no whole number of cells.</returns>
    public abstract bool TryLoad(ReadOnlySpan<byte> saved);
}

/// <summary>A column of cells that are zero until written. It grows where it is written, so that
/// it takes memory in proportion to the highest cell ever used, and a cell never written can be
/// read.</summary>
/// <typeparam name="T">A number of 1, 4 or 8 bytes.</typeparam>
internal sealed class Column<T> : Column
    where T : unmanaged, IEquatable<T>
{
    private readonly UndoJournal _journal;
    private readonly int _number;
    private T[] _cells = [];

    /// <summary>Cells that can be written without more ado: all there are, none while old values
    /// are recorded. So a write makes one test, not two.</summary>
    private int _open;
    private bool _records;

    public Column(UndoJournal journal, int number)
    {
        Debug.Assert(Unsafe.SizeOf<T>() is 1 or 4 or 8, "a cell must fit a journal entry");
        _journal = journal;
        _number = number;
    }

    public T this[int cell]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            T[] cells = _cells;
            return (uint)cell < (uint)cells.Length
                ? Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(cells), (uint)cell) : default;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set
        {
            if ((uint)cell < (uint)_open)
            {
                Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_cells), (uint)cell) = value;
            }
            else
            {
                WriteSlowly(cell, value);
            }
        }
    }

    public override void Record(bool records)
    {
        _records = records;
        _open = records ? 0 : _cells.Length;
    }

    public override void Undo(int cell, ulong word) => _cells[cell] = Unpack(word);

    public override ReadOnlySpan<byte> Save()
    {
        int length = _cells.AsSpan().LastIndexOfAnyExcept(default(T)) + 1;
        return MemoryMarshal.AsBytes(_cells.AsSpan(0, length));
    }

    public override bool TryLoad(ReadOnlySpan<byte> saved)
    {
        if (saved.Length % Unsafe.SizeOf<T>() != 0)
        {
            return false;
        }

        ReadOnlySpan<T> cells = MemoryMarshal.Cast<byte, T>(saved);
        if (_cells.Length < cells.Length)
        {
            _cells = new T[cells.Length];
            Record(_records);
        }

        cells.CopyTo(_cells);
        _cells.AsSpan(cells.Length).Clear();
        return true;
    }

    /// <summary>What few writes need: more cells, or the old value noted.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteSlowly(int cell, T value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cell);
        if (cell >= _cells.Length)
        {
            int length = (int)Math.Max(8, Math.Min(Array.MaxLength, 2L * cell)) + 1;
            Array.Resize(ref _cells, length);
            Record(_records);
        }

        if (_records)
        {
            _journal.Record(_number, cell, Pack(_cells[cell]));
        }

        _cells[cell] = value;
    }

    private static ulong Pack(T value) => Unsafe.SizeOf<T>() switch
    {
        1 => Unsafe.BitCast<T, byte>(value),
        4 => Unsafe.BitCast<T, uint>(value),
        _ => Unsafe.BitCast<T, ulong>(value),
    };

    private static T Unpack(ulong word) => Unsafe.SizeOf<T>() switch
    {
        1 => Unsafe.BitCast<byte, T>((byte)word),
        4 => Unsafe.BitCast<uint, T>((uint)word),
        _ => Unsafe.BitCast<ulong, T>(word),
    };
}
