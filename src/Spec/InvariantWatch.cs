namespace ShmCheck.Spec;

/// <summary>Looks at the invariants of one state after the other. States that follow each other
/// share most of their rows, and what stands for itself and has been found good is not looked at
/// again; figures that add up over the machine are added up each time.</summary>
public sealed class InvariantWatch
{
    private readonly Census _census = new();
    private SpecState? _good;

    /// <summary>The invariants that do not hold: none, unless the specification is wrong.
    /// </summary>
    public IReadOnlyList<Violation> FindViolations(SpecState state)
    {
        if (ReferenceEquals(state, _good))
        {
            return [];
        }

        SpecState? good = ReferenceEquals(state.Config, _good?.Config) ? _good : null;
        _census.Take(state, good);
        IReadOnlyList<Violation> found = Invariants.Find(state, _census);
        _good = found.Count == 0 ? state : null;
        return found;
    }
}
