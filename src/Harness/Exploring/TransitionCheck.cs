using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Compares one step of a system with that of the specification, as
/// <see cref="SequenceRunner"/> does.</summary>
internal sealed class TransitionCheck(SystemCapabilities capabilities)
{
    private readonly ObservationComparer _comparer = new(capabilities);
    private readonly InvariantWatch _watch = new();
    private readonly Observation _least = new();
    private readonly Observation _most = new();

    /// <summary>What the system shows after the step; to be filled before comparing.</summary>
    public Observation Actual { get; } = new();

    /// <summary>How the system departs from the specification, if it does.</summary>
    public Fingerprint? Compare(
        Call call, in StepResult step, Reply actual, Bindings bindings)
    {
        if (!ReplyComparer.Agree(step.Reply, actual))
        {
            return Of(call, step, ReplyComparer.Differences(step.Reply, actual, bindings));
        }

        Specification.Observe(step.State, _least, _most);
        return _comparer.Agree(_least, _most, Actual) ? null
            : Of(call, step, _comparer.Differences(
                _least, _most, Actual, step.State.Config.PageSize, bindings));
    }

    /// <summary>The first invariant that does not hold after a call.</summary>
    public Fingerprint? BrokenInvariant(SpecState state, Call call)
    {
        IReadOnlyList<Violation> violations = _watch.FindViolations(state);
        return violations.Count == 0 ? null
            : Fingerprint.Of(violations[0].Invariant.Id, [], call.Kind);
    }

    private static Fingerprint Of(Call call, in StepResult step, List<Difference> differences) =>
        Fingerprint.Of(step.Rule.Id, differences.Select(d => d.Field), call.Kind);
}
