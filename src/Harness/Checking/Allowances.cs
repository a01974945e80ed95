using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Tolerances;

namespace ShmCheck.Harness.Checking;

/// <summary>What was let pass although a system shows it otherwise than the specification: known
/// divergences of a ledger, and figures within a named tolerance.</summary>
public sealed class Allowances
{
    private readonly SortedDictionary<string, KnownCount> _known = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _tolerated = new(StringComparer.Ordinal);

    /// <summary>Rows of the ledger that were met, by name.</summary>
    public IEnumerable<KnownCount> Known => _known.Values;

    /// <summary>Figures that were off within each tolerance, by <see cref="Tolerance.Id"/>.
    /// </summary>
    public IReadOnlyDictionary<string, long> Tolerated => _tolerated;

    /// <summary>How often a row was met.</summary>
    public long CountOf(LedgerRow row) =>
        _known.TryGetValue(row.Name, out KnownCount? known) ? known.Count : 0;

    /// <summary>Adds what another one counted.</summary>
    public void Add(Allowances other)
    {
        foreach (KnownCount known in other.Known)
        {
            Add(known.Row, known.Count);
        }

        foreach ((string tolerance, long count) in other._tolerated)
        {
            Add(tolerance, count);
        }
    }

    internal void Clear()
    {
        _known.Clear();
        _tolerated.Clear();
    }

    internal void Add(LedgerRow row, long count) =>
        _known[row.Name] = new KnownCount(row, CountOf(row) + count);

    internal void Add(string tolerance, long count) =>
        _tolerated[tolerance] = _tolerated.GetValueOrDefault(tolerance) + count;
}

/// <summary>A row of a ledger that was met.</summary>
/// <param name="Row">The row.</param>
/// <param name="Count">Calls after which the system showed it.</param>
public sealed record KnownCount(LedgerRow Row, long Count);
