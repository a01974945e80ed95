using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Tolerances;

/// <summary>Counts the figures that were let pass because of a tolerance, in observations that
/// agree otherwise.</summary>
internal sealed class ToleranceCounter(SystemCapabilities capabilities)
{
    private readonly ImmutableArray<Tolerance> _tolerances = Tolerance.Of(capabilities);

    /// <summary>Whether there are any.</summary>
    public bool Any => !_tolerances.IsEmpty;

    /// <summary>Whether any lets a figure become right later.</summary>
    public bool AnyEventual => LongestWait > TimeSpan.Zero;

    /// <summary>How long the slowest figure may take after a run.</summary>
    public TimeSpan LongestWait => _tolerances
        .Where(t => t.Precision.Kind == PrecisionKind.Eventual)
        .Select(t => t.Precision.Within).DefaultIfEmpty(TimeSpan.Zero).Max();

    /// <summary>The capabilities of the system once it has come to rest: what becomes right
    /// some time after a call is right then.</summary>
    public static SystemCapabilities AtRest(SystemCapabilities capabilities) =>
        capabilities with
        {
            Precisions = capabilities.Precisions.ToImmutableDictionary(p => p.Key, p =>
                p.Value.Kind != PrecisionKind.Eventual ? p.Value : p.Value with
                {
                    Kind = p.Value.Slack > 0 ? PrecisionKind.Bounded : PrecisionKind.Exact,
                }),
        };

    /// <summary>Counts.</summary>
    public void Count(
        Observation least, Observation most, Observation seen, Allowances allowances)
    {
        foreach (Tolerance tolerance in _tolerances)
        {
            int column = Convert.ToInt32(tolerance.Field, null);
            long off = tolerance.Field switch
            {
                GlobalField => Off(column, least.Global, most.Global, seen.Global),
                NamespaceField =>
                    Off(column, least.Namespaces, most.Namespaces, seen.Namespaces),
                SegmentField => Off(column, least.Segments, most.Segments, seen.Segments),
                ProcessField => Off(column, least.Processes, most.Processes, seen.Processes),
                MappingField => Off(column, least.Mappings, most.Mappings, seen.Mappings),
                _ => throw new InvalidOperationException($"unknown field {tolerance.Field}"),
            };
            if (off > 0)
            {
                allowances.Add(tolerance.Id, off);
            }
        }
    }

    private static long Off<TField>(
        int column, ObservationRows<TField> least, ObservationRows<TField> most,
        ObservationRows<TField> seen)
        where TField : struct, Enum
    {
        long off = 0;
        for (int row = 0; row < Math.Min(least.Count, seen.Count); row++)
        {
            ulong figure = seen[row][column];
            off += figure < least[row][column] || figure > most[row][column] ? 1 : 0;
        }

        return off;
    }
}
