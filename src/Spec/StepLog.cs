namespace ShmCheck.Spec;

/// <summary>State of a page of a memory object, as the books see it.</summary>
public enum PageState
{
    /// <summary>N: a hole.</summary>
    None,
    /// <summary>C: resident, never written since it was allocated.</summary>
    Clean,
    /// <summary>D: resident, written.</summary>
    Dirty,
    /// <summary>W: swapped, with a copy in the swap cache.</summary>
    SwapCached,
    /// <summary>S: swapped, no copy in memory.</summary>
    Swapped,
    /// <summary>Huge, not allocated.</summary>
    HugeNone,
    /// <summary>Huge, allocated.</summary>
    HugeResident,
}

/// <summary>A page that changed state.</summary>
public readonly record struct PageTransition(PageState From, PageState To);

/// <summary>What fired during a step: rules and page-state transitions. Owned by the caller,
/// cleared and filled by each step.</summary>
public sealed class StepLog
{
    private readonly List<Rule> _rules = [];
    private readonly List<PageTransition> _transitions = [];
    private readonly List<(Rule Rule, ulong Space, ulong Pages)> _amounts = [];

    /// <summary>The rules that fired, in order; one that fires several times in a row has one
    /// entry.</summary>
    public IReadOnlyList<Rule> Rules => _rules;

    /// <summary>The page-state transitions, one entry for each kind that happened.</summary>
    public IReadOnlyList<PageTransition> Transitions => _transitions;

    /// <summary>Rules that fired for a number of base pages of an address space.</summary>
    public IReadOnlyList<(Rule Rule, ulong Space, ulong Pages)> Amounts => _amounts;

    /// <summary>Pages that were written to the swap device.</summary>
    public int WrittenOut { get; private set; }

    internal void Clear()
    {
        WrittenOut = 0;
        _amounts.Clear();
        _rules.Clear();
        _transitions.Clear();
    }

    internal void Add(Rule rule)
    {
        if (_rules.Count == 0 || _rules[^1] != rule)
        {
            _rules.Add(rule);
        }
    }

    internal void Add(Rule rule, ulong space, ulong pages)
    {
        Add(rule);
        _amounts.Add((rule, space, pages));
    }

    internal void Add(PageTransition transition)
    {
        bool wrote = transition is
            { From: PageState.Dirty, To: PageState.Swapped or PageState.SwapCached };
        WrittenOut += wrote ? 1 : 0;
        if (transition.From != transition.To && !_transitions.Contains(transition))
        {
            _transitions.Add(transition);
        }
    }
}
