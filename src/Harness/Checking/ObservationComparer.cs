using ShmCheck.Abi;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Checking;

/// <summary>Compares what a system shows with what the specification admits, field by field and
/// at the precision of that system.</summary>
internal sealed class ObservationComparer
{
    private readonly TableComparer<GlobalField> _global;
    private readonly TableComparer<NamespaceField> _namespaces;
    private readonly TableComparer<SegmentField> _segments;
    private readonly TableComparer<ProcessField> _processes;
    private readonly TableComparer<MappingField> _mappings;
    private readonly TableComparer<FrameField> _frames;

    public ObservationComparer(SystemCapabilities capabilities)
    {
        _global = new(capabilities, row => (0, 0), (row, _, _) => "machine");
        _namespaces = new(capabilities, row => (row[0], 0), (row, _, _) => $"ipc{row[0]}");
        _segments = new(
            capabilities, row => (row[0], (ulong)new ShmId((int)row[1]).Index),
            (row, _, bindings) =>
                RowNames.Segment((int)row[(int)SegmentField.shmid], bindings));
        _processes = new(
            capabilities, row => (row[0], 0),
            (row, _, bindings) => RowNames.Process((int)row[0], bindings));
        _mappings = new(
            capabilities, row => (row[0], row[1]),
            (row, pageSize, bindings) =>
                RowNames.Mapping((int)row[0], row[1], pageSize, bindings));
        _frames = new(
            capabilities, row => (row[0], row[1]),
            (row, pageSize, bindings) =>
                RowNames.Mapping((int)row[0], row[1], pageSize, bindings));
    }

    /// <summary>Whether every figure agrees.</summary>
    public bool Agree(Observation least, Observation most, Observation actual) =>
        _global.Agree(least.Global, most.Global, actual.Global)
        && _namespaces.Agree(least.Namespaces, most.Namespaces, actual.Namespaces)
        && _segments.Agree(least.Segments, most.Segments, actual.Segments)
        && _processes.Agree(least.Processes, most.Processes, actual.Processes)
        && _mappings.Agree(least.Mappings, most.Mappings, actual.Mappings)
        && AgreeInFrames(least, actual);

    /// <summary>Whether figures do not agree, but only such as the system shows late.</summary>
    public bool AreOnlyLate(Observation least, Observation most, Observation actual) =>
        _global.HasLate
        && _namespaces.Agree(least.Namespaces, most.Namespaces, actual.Namespaces)
        && _segments.Agree(least.Segments, most.Segments, actual.Segments)
        && _processes.Agree(least.Processes, most.Processes, actual.Processes)
        && _mappings.Agree(least.Mappings, most.Mappings, actual.Mappings)
        && AgreeInFrames(least, actual)
        && !_global.Agree(least.Global, most.Global, actual.Global)
        && _global.AgreeButForLate(least.Global, most.Global, actual.Global);

    /// <summary>Every figure that does not agree, in the words of the trace.</summary>
    public List<Difference> Differences(
        Observation least, Observation most, Observation actual, ulong pageSize,
        Bindings bindings)
    {
        var found = new DifferenceList(pageSize, bindings, []);
        _global.Differences(least.Global, most.Global, actual.Global, found);
        _namespaces.Differences(least.Namespaces, most.Namespaces, actual.Namespaces, found);
        _segments.Differences(least.Segments, most.Segments, actual.Segments, found);
        _processes.Differences(least.Processes, most.Processes, actual.Processes, found);
        _mappings.Differences(least.Mappings, most.Mappings, actual.Mappings, found);
        if (!AgreeInFrames(least, actual))
        {
            _frames.Differences(least.Frames, least.Frames, actual.Frames, found);
        }

        return found.Found;
    }

    /// <summary>Frames are compared where they were looked at; then there is a row for each
    /// mapping.</summary>
    private bool AgreeInFrames(Observation least, Observation actual) =>
        actual.Frames.Count == 0
        || _frames.Agree(least.Frames, least.Frames, actual.Frames);
}

/// <summary>Differences under collection, with what they are named by.</summary>
internal sealed record DifferenceList(
    ulong PageSize, Bindings Bindings, List<Difference> Found);

/// <summary>Compares one table, whose rows are sorted by their keys.</summary>
internal sealed class TableComparer<TField>
    where TField : struct, Enum
{
    public delegate string RowName(
        ReadOnlySpan<ulong> row, ulong pageSize, Bindings bindings);

    public delegate (ulong Major, ulong Minor) RowKey(ReadOnlySpan<ulong> row);

    private static readonly TField[] Fields = Enum.GetValues<TField>();
    private readonly ulong[] _slack;
    private readonly bool[] _compared;
    private readonly bool[] _late;
    private readonly bool _shown;
    private readonly bool _exact;
    private readonly RowKey _key;
    private readonly RowName _name;

    public TableComparer(SystemCapabilities capabilities, RowKey key, RowName name)
    {
        _key = key;
        _name = name;
        Precision[] precisions = [.. Fields.Select(f => capabilities.PrecisionOf(f))];
        _slack = [.. precisions.Select(p => p.Slack)];
        _compared = [.. precisions.Select(p => p.Kind is not PrecisionKind.NotObservable)];
        _late = [.. precisions.Select(p => p.Kind is PrecisionKind.Eventual)];
        HasLate = _late.Any(late => late);
        _shown = _compared.Any(compared => compared);
        _exact = _compared.All(compared => compared) && _slack.All(slack => slack == 0);
    }

    /// <summary>Whether there are fields that the system shows late.</summary>
    public bool HasLate { get; }

    /// <summary>Whether the rows agree in all fields but those that the system shows late.
    /// </summary>
    public bool AgreeButForLate(
        ObservationRows<TField> least, ObservationRows<TField> most,
        ObservationRows<TField> actual)
    {
        bool agree = least.Count == actual.Count;
        for (int row = 0; agree && row < least.Count; row++)
        {
            for (int column = 0; column < Fields.Length; column++)
            {
                agree &= _late[column] || Agrees(column, least[row], most[row], actual[row]);
            }
        }

        return agree;
    }

    public bool Agree(
        ObservationRows<TField> least, ObservationRows<TField> most,
        ObservationRows<TField> actual)
    {
        if (!_shown)
        {
            return true;
        }

        if (least.Count != actual.Count)
        {
            return false;
        }

        for (int row = 0; row < least.Count; row++)
        {
            if (!(_exact && least[row].SequenceEqual(actual[row]))
                && !Agree(least[row], most[row], actual[row]))
            {
                return false;
            }
        }

        return true;
    }

    public void Differences(
        ObservationRows<TField> least, ObservationRows<TField> most,
        ObservationRows<TField> actual, DifferenceList found)
    {
        if (!_shown)
        {
            return;
        }

        int expectedRow = 0;
        int actualRow = 0;
        while (expectedRow < least.Count || actualRow < actual.Count)
        {
            int order = expectedRow == least.Count ? 1 : actualRow == actual.Count ? -1
                : _key(least[expectedRow]).CompareTo(_key(actual[actualRow]));
            if (order == 0)
            {
                AddRow(least[expectedRow++], most[expectedRow - 1], actual[actualRow++], found);
            }
            else if (order < 0)
            {
                AddMissing(least[expectedRow++], "present", "absent", found);
            }
            else
            {
                AddMissing(actual[actualRow++], "absent", "present", found);
            }
        }
    }

    private void AddMissing(
        ReadOnlySpan<ulong> row, string expected, string actual, DifferenceList found) =>
        found.Found.Add(new Difference(
            NameOf(row, found), typeof(TField).Name.Replace("Field", "", StringComparison.Ordinal)
                .ToLowerInvariant(), expected, actual, ""));

    private string NameOf(ReadOnlySpan<ulong> row, DifferenceList found) =>
        _name(row, found.PageSize, found.Bindings);

    private bool Agree(
        ReadOnlySpan<ulong> least, ReadOnlySpan<ulong> most, ReadOnlySpan<ulong> actual)
    {
        for (int column = 0; column < Fields.Length; column++)
        {
            if (!Agrees(column, least, most, actual))
            {
                return false;
            }
        }

        return true;
    }

    private bool Agrees(
        int column, ReadOnlySpan<ulong> least, ReadOnlySpan<ulong> most,
        ReadOnlySpan<ulong> actual)
    {
        if (!_compared[column])
        {
            return true;
        }

        ulong slack = _slack[column];
        return actual[column] + slack >= least[column] && actual[column] <= most[column] + slack;
    }

    private void AddRow(
        ReadOnlySpan<ulong> least, ReadOnlySpan<ulong> most, ReadOnlySpan<ulong> actual,
        DifferenceList found)
    {
        for (int column = 0; column < Fields.Length; column++)
        {
            if (!Agrees(column, least, most, actual))
            {
                string name = Fields[column].ToString();
                found.Found.Add(FieldText.Difference(
                    NameOf(actual, found), new FigureSpan(name, least[column], most[column]),
                    new FigureSpan(name, actual[column]), found.Bindings));
            }
        }
    }
}
