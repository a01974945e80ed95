using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Campaigns;

/// <summary>What a campaign steps around: the known divergences it was given, and figures that it
/// has found wrong itself and then met again and again, so that they hide what comes behind them.
/// </summary>
internal sealed class Detours(string system, Ledger? given)
{
    /// <summary>Runs that a divergence may end before it is stepped around.</summary>
    private const long MostMet = 8;

    private readonly Dictionary<Fingerprint, long> _met = [];
    private volatile Ledger? _ledger = given;

    /// <summary>The ledger to run with.</summary>
    public Ledger? Ledger => _ledger;

    /// <summary>A divergence that is a finding has ended so many more runs.</summary>
    public void Count(Fingerprint fingerprint, MachineConfig machine, long runs)
    {
        long before = _met.GetValueOrDefault(fingerprint);
        _met[fingerprint] = before + runs;
        if (before <= MostMet && before + runs > MostMet && Around(fingerprint) is { } figures)
        {
            _ledger = new Ledger(system, (_ledger?.Rows ?? []).Add(new LedgerRow
            {
                Name = $"found-{_met.Count}",
                Fingerprint = fingerprint,
                IsProvisional = true,
                Status = new LedgerStatus.Defect(),
                Figures = figures,
                About = [],
                Trace = new Trace(machine, []),
            }));
        }
    }

    /// <summary>Any value for each of the fields; none where more than figures diverges.</summary>
    private static ImmutableArray<WrongFigure>? Around(Fingerprint fingerprint)
    {
        var figures = ImmutableArray.CreateBuilder<WrongFigure>();
        foreach (string field in fingerprint.Fields)
        {
            FigureSubject[] subjects = [.. Enum.GetValues<FigureSubject>()
                .Where(subject => FigureNames.FieldsOf(subject).Contains(field))];
            if (subjects.Length == 0)
            {
                return null;
            }

            figures.AddRange(subjects.Select(subject => new WrongFigure.Single(
                subject, field, default, new WrongValue.Anything())));
        }

        return figures.Count > 0 ? figures.ToImmutable() : null;
    }
}
