using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Counters of address spaces that a system has wrong for good, by rows of a ledger
/// (<see cref="WrongFigure.Kept"/>): the specification goes on with the wrong counters, so that
/// every later figure and decision must be exactly what follows from them.</summary>
internal sealed class KeptPages(IReadOnlyList<LedgerRow> rows)
{
    private readonly List<Excess> _kept = [];
    private readonly List<Excess> _new = [];
    private readonly List<Excess> _suspected = [];

    /// <summary>Pages by which a counter is too high.</summary>
    private readonly record struct Excess(
        LedgerRow Row, string Field, ulong Space, ulong Pages);

    /// <summary>Whether what is suspected is taken for so.</summary>
    public bool Assumes { get; set; }

    /// <summary>The rows whose errors show in a state.</summary>
    public IReadOnlyList<LedgerRow> ShownIn(SpecState state) => _kept.Count == 0 ? [] :
    [
        .. _kept.Where(kept => state.Spaces.Contains(kept.Space)).Select(kept => kept.Row)
            .Distinct(),
    ];

    /// <summary>The state after a step, with what the rows say that the step does not take from
    /// counters; null when they say nothing of it. <see cref="Keep"/> keeps it so.</summary>
    public SpecState? Try(SpecState state, StepLog log)
    {
        _new.Clear();
        AddTo(_new, state, log);
        return _new.Count == 0 ? null : Raise(state, _new);
    }

    /// <summary>The system has shown what <see cref="Try"/> said.</summary>
    public void Keep() => _kept.AddRange(_new);

    /// <summary>A step that nobody has looked at may have kept what <see cref="Try"/> says: that
    /// shows later, in a figure or in what a call is refused.</summary>
    public void Suspect(SpecState state, StepLog log) => AddTo(_suspected, state, log);

    /// <summary>A state in which all that is suspected is so; null when that is no other one.
    /// </summary>
    public SpecState? Suspected(SpecState state) =>
        _suspected.Exists(excess => state.Spaces.Contains(excess.Space))
            ? Raise(state, _suspected) : null;

    /// <summary>The system has shown whether what is suspected is so.</summary>
    public void Decide(bool isSo)
    {
        _kept.AddRange(isSo ? _suspected : []);
        _suspected.Clear();
    }

    /// <summary>A state with the right counters.</summary>
    public SpecState Right(SpecState state)
    {
        SpecState right = _kept.Count > 0 ? Lower(state, _kept) : state;
        return Assumes ? Lower(right, _suspected) : right;
    }

    private void AddTo(List<Excess> excesses, SpecState state, StepLog log)
    {
        foreach ((Rule rule, ulong space, ulong pages) in log.Amounts)
        {
            foreach (LedgerRow row in rows)
            {
                excesses.AddRange(row.Figures.OfType<WrongFigure.Kept>()
                    .Where(figure => figure.Rule == rule.Id && state.Spaces.Contains(space))
                    .Select(figure => new Excess(row, figure.Field, space, pages)));
            }
        }
    }

    private static SpecState Raise(SpecState state, List<Excess> excesses) => excesses
        .Where(excess => state.Spaces.Contains(excess.Space))
        .Aggregate(state, (now, excess) => Raise(now, excess, excess.Pages));

    private static SpecState Lower(SpecState state, List<Excess> excesses) => excesses
        .Where(excess => state.Spaces.Contains(excess.Space))
        .Aggregate(state, (now, excess) => Raise(now, excess, unchecked(0 - excess.Pages)));

    private static SpecState Raise(SpecState state, Excess excess, ulong pages)
    {
        AddressSpace space = state.Spaces[excess.Space];
        space = excess.Field switch
        {
            nameof(ProcessField.VmSize) => space with { TotalPages = space.TotalPages + pages },
            nameof(ProcessField.VmLck) => space with { LockedPages = space.LockedPages + pages },
            nameof(ProcessField.RssShmem) => space with { ShmemPages = space.ShmemPages + pages },
            nameof(ProcessField.HugetlbPages) =>
                space with { HugetlbPages = space.HugetlbPages + pages },
            _ => throw new ArgumentOutOfRangeException(nameof(excess), excess, "unknown counter"),
        };
        return state with { Spaces = state.Spaces.Set(excess.Space, space) };
    }
}
