using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Addresses within private mappings at which these began or ended before a call made
/// them one, or longer, of which a ledger says that its system leaves them divided there.</summary>
internal sealed class Seams(IReadOnlyList<LedgerRow> rows)
{
    private readonly WrongFigure.DividedAt[] _figures =
        [.. rows.SelectMany(row => row.Figures).OfType<WrongFigure.DividedAt>().Distinct()];

    private readonly HashSet<(WrongFigure.DividedAt Figure, ulong Address)> _seams = [];

    /// <summary>Takes note of what a call has joined.</summary>
    public void Note(Call call, SpecState before, SpecState after, Bindings bindings)
    {
        if (_figures.Length == 0)
        {
            return;
        }

        foreach (WrongFigure.DividedAt figure in _figures)
        {
            if (figure.Calls.Matches(call)
                && Caller.SpaceOf(call, before, bindings) is { } space)
            {
                _seams.UnionWith(space.Mappings.Rows
                    .SelectMany(mapping => (ulong[])[mapping.Start, mapping.End])
                    .Select(edge => (figure, edge)));
            }
        }

        _seams.RemoveWhere(seam => !after.Spaces.Rows.Any(
            space => Within(space, seam.Address) is not null));
    }

    /// <summary>Whether mremap refuses a range because it reaches over a seam.</summary>
    public bool Explain(WrongFigure.DividedAt figure, in Departure seen)
    {
        if (seen is not
            {
                Divergence:
                {
                    Call: MRemap call, Differences: [{ Field: "reply" }],
                    Replied: Reply.Error { Errno: Errno.EFAULT }
                },
                Space: { } space,
            } || seen.Resolve(call.Start) is not { } start)
        {
            return false;
        }

        return _seams.Any(seam => seam.Figure == figure && seam.Address > start
            && seam.Address - start < call.Length && Within(space, seam.Address) is { } mapping
            && (!figure.UnderPolicy || mapping.Policy != 0));
    }

    /// <summary>The private mapping that an address lies within, behind its first.</summary>
    private static Mapping? Within(AddressSpace space, ulong address) =>
        space.Find(address) is { Segment: null } mapping && mapping.Start < address
            ? mapping : null;
}
