using ShmCheck.Abi;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Generating;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Planning;

/// <summary>Something that a sequence of calls is to make happen.</summary>
public abstract record Target
{
    private Target()
    {
    }

    /// <summary>A rule that is likely to fire with it, if one is known.</summary>
    internal virtual Rule? Hint => null;

    /// <summary>The calls to draw most often.</summary>
    internal virtual Focus Focus => Focus.On(Hint);

    /// <summary>Whether a step made it happen.</summary>
    internal abstract bool IsHit(Call call, in StepResult result, StepLog log);

    /// <summary>Whether what a map has seen includes it.</summary>
    public abstract bool IsIn(CoverageMap map);

    /// <summary>A rule fires.</summary>
    /// <param name="Rule">The rule.</param>
    public sealed record OfRule(Rule Rule) : Target
    {
        internal override Rule? Hint => Rule;

        internal override bool IsHit(Call call, in StepResult result, StepLog log) =>
            log.Rules.Contains(Rule);

        /// <inheritdoc/>
        public override bool IsIn(CoverageMap map) => map.Rules[Rule.Ordinal] > 0;

        /// <inheritdoc/>
        public override string ToString() => Rule.Id;
    }

    /// <summary>A page changes its state.</summary>
    /// <param name="Transition">From which state to which.</param>
    public sealed record OfPage(PageTransition Transition) : Target
    {
        internal override Focus Focus =>
            Transition.From is PageState.SwapCached || Transition.To is PageState.SwapCached
                ? Focus.OnSwapCache : Focus.OnPages;

        internal override bool IsHit(Call call, in StepResult result, StepLog log) =>
            log.Transitions.Contains(Transition);

        /// <inheritdoc/>
        public override bool IsIn(CoverageMap map) => map.Transitions.ContainsKey(Transition);

        /// <inheritdoc/>
        public override string ToString() => $"{Transition.From}->{Transition.To}";
    }

    /// <summary>A call fails with an errno.</summary>
    /// <param name="Possible">The call, the errno, and a rule that gives it.</param>
    public sealed record OfErrno(PossibleErrno Possible) : Target
    {
        private CallErrno Outcome => Possible.Outcome;

        internal override Rule? Hint => Possible.Rule;

        internal override bool IsHit(Call call, in StepResult result, StepLog log) =>
            result.Reply is Reply.Error error && error.Errno == Outcome.Errno
            && CallErrno.NameOf(call.Kind) == Outcome.Call;

        /// <inheritdoc/>
        public override bool IsIn(CoverageMap map) => map.Errnos.ContainsKey(Outcome);

        /// <inheritdoc/>
        public override string ToString() => Outcome.ToString();
    }
}
