using ShmCheck.Abi;
using ShmCheck.Harness.Coverage;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Planning;

/// <summary>Something that a sequence of calls is to make happen.</summary>
public abstract record Target
{
    private Target()
    {
    }

    /// <summary>The rule that shows which calls to prefer, if it is known.</summary>
    internal virtual Rule? Hint => null;

    /// <summary>Whether a step made it happen.</summary>
    internal abstract bool IsHit(Call call, in StepResult result, StepLog log);

    /// <summary>Whether what a map has seen includes it.</summary>
    internal abstract bool IsIn(CoverageMap map);

    /// <summary>A rule fires.</summary>
    /// <param name="Rule">The rule.</param>
    public sealed record OfRule(Rule Rule) : Target
    {
        internal override Rule? Hint => Rule;

        internal override bool IsHit(Call call, in StepResult result, StepLog log) =>
            log.Rules.Contains(Rule);

        internal override bool IsIn(CoverageMap map) => map.Rules[Rule.Ordinal] > 0;

        /// <inheritdoc/>
        public override string ToString() => Rule.Id;
    }

    /// <summary>A page changes its state.</summary>
    /// <param name="Transition">From which state to which.</param>
    public sealed record OfPage(PageTransition Transition) : Target
    {
        internal override bool IsHit(Call call, in StepResult result, StepLog log) =>
            log.Transitions.Contains(Transition);

        internal override bool IsIn(CoverageMap map) => map.Transitions.ContainsKey(Transition);

        /// <inheritdoc/>
        public override string ToString() => $"{Transition.From}->{Transition.To}";
    }

    /// <summary>A call fails with an errno.</summary>
    /// <param name="Outcome">The call and the errno.</param>
    public sealed record OfErrno(CallErrno Outcome) : Target
    {
        internal override bool IsHit(Call call, in StepResult result, StepLog log) =>
            result.Reply is Reply.Error error && error.Errno == Outcome.Errno
            && CallErrno.NameOf(call.Kind) == Outcome.Call;

        internal override bool IsIn(CoverageMap map) => map.Errnos.ContainsKey(Outcome);

        /// <inheritdoc/>
        public override string ToString() => Outcome.ToString();
    }
}
