namespace ShmCheck.Abi;

/// <summary>Every figure that can be read from outside at one moment. Owned by the caller and
/// filled again and again; keeps its memory.</summary>
public sealed class Observation
{
    /// <summary>Pages of a mapping whose frames are looked at, in base pages: those at its start.
    /// A mapping may be longer than there is time for.</summary>
    public const ulong MostPagesOfFrames = 4096;

    /// <summary>Figures of the machine, one row.</summary>
    public ObservationRows<GlobalField> Global { get; } = new();

    /// <summary>IPC namespaces, by number.</summary>
    public ObservationRows<NamespaceField> Namespaces { get; } = new();

    /// <summary>Segments, by namespace, then by index.</summary>
    public ObservationRows<SegmentField> Segments { get; } = new();

    /// <summary>Processes, by pid.</summary>
    public ObservationRows<ProcessField> Processes { get; } = new();

    /// <summary>Mappings of segments, by pid, then by address.</summary>
    public ObservationRows<MappingField> Mappings { get; } = new();

    /// <summary>Page frames of all mappings of segments, by pid, then by address; empty where they
    /// were not looked at.</summary>
    public ObservationRows<FrameField> Frames { get; } = new();

    /// <summary>Becomes the same as <paramref name="other"/>.</summary>
    public void CopyFrom(Observation other)
    {
        Global.CopyFrom(other.Global);
        Namespaces.CopyFrom(other.Namespaces);
        Segments.CopyFrom(other.Segments);
        Processes.CopyFrom(other.Processes);
        Mappings.CopyFrom(other.Mappings);
        Frames.CopyFrom(other.Frames);
    }

    /// <summary>Time that it took to look at the figures, as the system has it; none where it is
    /// the time that the caller waited.</summary>
    public TimeSpan? Cost { get; set; }

    /// <summary>Removes all rows.</summary>
    public void Clear()
    {
        Cost = null;
        Global.Clear();
        Namespaces.Clear();
        Segments.Clear();
        Processes.Clear();
        Mappings.Clear();
        Frames.Clear();
    }
}

/// <summary>Rows of one table of an <see cref="Observation"/>.</summary>
/// <typeparam name="TField">The enumeration that names the columns, from 0 without gaps.
/// </typeparam>
public sealed class ObservationRows<TField>
    where TField : struct, Enum
{
    private static readonly int Width = Enum.GetValues<TField>().Length;
    private ulong[] _cells = new ulong[Width * 4];

    /// <summary>Number of rows.</summary>
    public int Count { get; private set; }

    /// <summary>One row: a cell for each field, in the order of the enumeration. Signed figures
    /// are sign-extended.</summary>
    public Span<ulong> this[int row]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Count);
            return _cells.AsSpan(row * Width, Width);
        }
    }

    /// <summary>Adds a row of zeros behind the last and returns it.</summary>
    public Span<ulong> Add()
    {
        int start = Count * Width;
        if (start == _cells.Length)
        {
            Array.Resize(ref _cells, _cells.Length * 2);
        }

        Count++;
        Span<ulong> row = _cells.AsSpan(start, Width);
        row.Clear();
        return row;
    }

    /// <summary>Becomes the same as <paramref name="other"/>.</summary>
    public void CopyFrom(ObservationRows<TField> other)
    {
        int cells = other.Count * Width;
        if (_cells.Length < cells)
        {
            _cells = new ulong[other._cells.Length];
        }

        other._cells.AsSpan(0, cells).CopyTo(_cells);
        Count = other.Count;
    }

    /// <summary>Removes all rows.</summary>
    public void Clear() => Count = 0;
}
