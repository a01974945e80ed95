using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Tolerances;

/// <summary>Counts the figures that were let pass because of a tolerance, in observations that
/// agree otherwise.</summary>
internal sealed class ToleranceCounter(SystemCapabilities capabilities)
{
    private readonly ImmutableArray<Tolerance> _tolerances = Tolerance.Of(capabilities);

    /// <summary>Counts the figures that are off and let pass because of tolerances of a kind.
    /// </summary>
    public void Count(
        PrecisionKind kind, Observation least, Observation most, Observation seen,
        Allowances allowances)
    {
        foreach (Tolerance tolerance in _tolerances)
        {
            if (tolerance.Precision.Kind != kind)
            {
                continue;
            }

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
