using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Replaying;

/// <summary>Finds the row of an observation that a line of a trace is about.</summary>
internal static class ObservedRow
{
    /// <summary>The figures of the row by name, in the form that traces have; null when there is
    /// no such row.</summary>
    public static Dictionary<string, ExpectedValue>? Find(
        ExpectedRow row, Observation observation, Bindings bindings, ulong pageSize) =>
        row.Kind switch
        {
            ExpectedRowKind.Global => Figures(observation.Global, _ => true, bindings),
            ExpectedRowKind.Namespace => Figures(
                observation.Namespaces, r => r[0] == (ulong)row.Number, bindings),
            ExpectedRowKind.Segment =>
                bindings.TryResolve(new SegmentHandle(row.Number), out int id)
                    ? Figures(
                        observation.Segments, r => (int)r[(int)SegmentField.shmid] == id, bindings)
                    : null,
            ExpectedRowKind.Process => bindings.TryResolve(new ProcessHandle(row.Number), out int p)
                ? Figures(observation.Processes, r => (int)r[(int)ProcessField.Pid] == p, bindings)
                : null,
            ExpectedRowKind.Mapping => FindMapping(row, observation, bindings, pageSize),
            _ => throw new InvalidOperationException($"unknown row {row.Kind}"),
        };

    private delegate bool RowTest(ReadOnlySpan<ulong> row);

    private static Dictionary<string, ExpectedValue>? FindMapping(
        ExpectedRow row, Observation observation, Bindings bindings, ulong pageSize) =>
        bindings.TryResolve(new ProcessHandle(row.Number), out int pid)
            && bindings.TryResolve(row.Address, pageSize, out ulong address)
            ? Figures(
                observation.Mappings,
                r => (int)r[(int)MappingField.Pid] == pid
                    && r[(int)MappingField.Start] <= address
                    && address < r[(int)MappingField.End],
                bindings)
            : null;

    private static Dictionary<string, ExpectedValue>? Figures<TField>(
        ObservationRows<TField> rows, RowTest isWanted, Bindings bindings)
        where TField : struct, Enum
    {
        string[] names = Enum.GetNames<TField>();
        for (int at = 0; at < rows.Count; at++)
        {
            if (isWanted(rows[at]))
            {
                var figures = new Dictionary<string, ExpectedValue>();
                for (int column = 0; column < names.Length; column++)
                {
                    var span = new FigureSpan(names[column], rows[at][column]);
                    figures.Add(names[column], ReplyRendering.Render(span, bindings).Value);
                }

                return figures;
            }
        }

        return null;
    }
}
