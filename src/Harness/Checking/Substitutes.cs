using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Harness.Checking;

/// <summary>What a system is known to do instead of a call.</summary>
/// <param name="Call">The call that it takes it for.</param>
/// <param name="Rows">The rows that know it.</param>
internal readonly record struct Substitute(Call Call, ImmutableArray<LedgerRow> Rows);

/// <summary>Which calls a system is known to take for other ones, or not to outlive, by the rows of
/// a ledger.</summary>
internal sealed class Substitutes(IReadOnlyList<LedgerRow> rows)
{
    /// <summary>What stands for nothing: an empty range, of which nothing is asked.</summary>
    private static readonly CallPattern Nothing = new("mprotect(NULL, 0, PROT_NONE)");

    private readonly (LedgerRow Row, WrongFigure.Substituted Figure)[] _always =
        [.. Of(rows).Where(known => known.Figure.Always)];

    private readonly (LedgerRow Row, WrongFigure.Substituted Figure)[] _sometimes =
        [.. Of(rows).Where(known => !known.Figure.Always)];

    /// <summary>What a system always does instead of a call; none where it makes the call.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="locksFuture">Whether MCL_FUTURE is in force for its caller.</param>
    public Substitute? Of(Call call, bool locksFuture)
    {
        Call made = call;
        ImmutableArray<LedgerRow> met = [];
        foreach ((LedgerRow row, WrongFigure.Substituted figure) in _always)
        {
            if ((locksFuture || !figure.WhileLocking) && Instead(figure, made, null) is { } other)
            {
                made = other;
                met = met.Contains(row) ? met : met.Add(row);
            }
        }

        return met.IsEmpty ? null : new Substitute(made, met);
    }

    /// <summary>What a system that has not done what it should may have done instead of a call.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="locksFuture">Whether MCL_FUTURE is in force for its caller.</param>
    /// <param name="returned">What the system has returned.</param>
    public IEnumerable<Substitute> Of(Call call, bool locksFuture, Reply returned)
    {
        Substitute always = Of(call, locksFuture) ?? new Substitute(call, []);
        foreach ((LedgerRow row, WrongFigure.Substituted figure) in _sometimes)
        {
            if ((locksFuture || !figure.WhileLocking)
                && Instead(figure, always.Call, returned) is { } other)
            {
                yield return new Substitute(other, [.. always.Rows, row]);
            }
        }
    }

    /// <summary>The row that knows that a call loses the system; null where none does.</summary>
    public LedgerRow? LostBy(Call call) => call is not ShmGet { Size: var size } ? null
        : rows.FirstOrDefault(row => row.Figures.OfType<WrongFigure.Deadly>()
            .Any(deadly => size >= deadly.Least && size <= deadly.Most));

    private static IEnumerable<(LedgerRow Row, WrongFigure.Substituted Figure)> Of(
        IReadOnlyList<LedgerRow> rows) => rows.SelectMany(
            row => row.Figures.OfType<WrongFigure.Substituted>().Select(figure => (row, figure)));

    private static Call? Instead(WrongFigure.Substituted figure, Call call, Reply? returned) =>
        figure.Calls.Instead(call, figure.Other ?? Nothing, returned) is { } other
            && other != call ? other : null;
}
