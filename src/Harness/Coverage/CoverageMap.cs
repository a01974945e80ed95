using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Coverage;

/// <summary>What runs have exercised: rules, pairs of rules that followed each other, outcomes of
/// calls, page-state transitions, and coarse states of the machine. Maps add up.</summary>
public sealed class CoverageMap : IStepListener
{
    private readonly long[] _rules = new long[RuleCatalogue.Rules.Length];
    private readonly HashSet<(int Before, int After)> _pairs = [];
    private readonly HashSet<ulong> _states = [];
    private readonly Dictionary<(CallKind Call, string Outcome), long> _outcomes = [];
    private readonly Dictionary<PageTransition, long> _transitions = [];
    private readonly Dictionary<CallErrno, long> _errnos = [];
    private int _last = -1;
    private bool _novel;

    /// <summary>How often each rule fired, by <see cref="Rule.Ordinal"/>.</summary>
    public IReadOnlyList<long> Rules => _rules;

    /// <summary>How often each outcome of each call was seen.</summary>
    public IReadOnlyDictionary<(CallKind Call, string Outcome), long> Outcomes => _outcomes;

    /// <summary>Steps in which each page-state transition happened.</summary>
    public IReadOnlyDictionary<PageTransition, long> Transitions => _transitions;

    /// <summary>How often each call failed with each errno.</summary>
    public IReadOnlyDictionary<CallErrno, long> Errnos => _errnos;

    /// <summary>Number of rules that fired.</summary>
    public int RulesFired => _rules.Count(count => count > 0);

    /// <summary>Forgets which rule came last: a new run begins.</summary>
    public void StartRun()
    {
        _last = -1;
        _novel = false;
    }

    /// <summary>Whether the run has reached something new since this was last asked.</summary>
    public bool TakeNovelty()
    {
        bool novel = _novel;
        _novel = false;
        return novel;
    }

    /// <inheritdoc/>
    public void Stepped(Call call, in StepResult result, StepLog log, Observation observation)
    {
        foreach (Rule rule in log.Rules)
        {
            _novel |= _rules[rule.Ordinal]++ == 0;
        }

        foreach (PageTransition transition in log.Transitions)
        {
            Count(_transitions, transition);
        }

        _novel |= _pairs.Add((_last, result.Rule.Ordinal));
        _last = result.Rule.Ordinal;
        _novel |= _states.Add(StateSketch.Of(observation));
        Count(_outcomes, (call.Kind, OutcomeOf(result.Reply)));
        if (result.Reply is Reply.Error error)
        {
            Count(_errnos, new CallErrno(CallErrno.NameOf(call.Kind), error.Errno));
        }
    }

    /// <summary>Adds what another map has.</summary>
    public void Add(CoverageMap other)
    {
        for (int rule = 0; rule < _rules.Length; rule++)
        {
            _rules[rule] += other._rules[rule];
        }

        _pairs.UnionWith(other._pairs);
        _states.UnionWith(other._states);
        foreach (((CallKind, string) outcome, long count) in other._outcomes)
        {
            _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + count;
        }

        foreach ((CallErrno outcome, long count) in other._errnos)
        {
            _errnos[outcome] = _errnos.GetValueOrDefault(outcome) + count;
        }

        foreach ((PageTransition transition, long count) in other._transitions)
        {
            _transitions[transition] = _transitions.GetValueOrDefault(transition) + count;
        }
    }

    private static string OutcomeOf(Reply reply) => reply switch
    {
        Reply.Error error => error.Errno.ToString(),
        Reply.Raised raised => raised.Signal.ToString(),
        _ => "ok",
    };

    private static void Count<TKey>(Dictionary<TKey, long> counts, TKey key)
        where TKey : notnull =>
        counts[key] = counts.GetValueOrDefault(key) + 1;
}
