using System.Buffers;
using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Tolerances;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Receives what the specification did at each step.</summary>
public interface IStepListener
{
    /// <summary>A step was compared and agreed, or is about to be reported as a divergence.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="result">What the specification says of it.</param>
    /// <param name="log">The rules and transitions that fired.</param>
    /// <param name="observation">What the specification shows afterwards.</param>
    void Stepped(Call call, in StepResult result, StepLog log, Observation observation);
}

/// <summary>Runs sequences of calls on a system and on the specification side by side, compares
/// every reply and every figure after every call, and stops at the first that differs.</summary>
/// <remarks>Keeps its buffers from run to run; one runner belongs to one thread.</remarks>
public sealed class SequenceRunner
{
    /// <summary>How late a figure may be that a system shows late: several times the longest that
    /// the end of a namespace was seen to take on a machine with more to do than processors.
    /// </summary>
    internal static readonly TimeSpan LateLimit = TimeSpan.FromSeconds(3);

    private readonly ISystemFactory _factory;
    private readonly IStepListener? _listener;
    private readonly Ledger? _ledger;
    private readonly ObservationComparer _comparer;
    private readonly ToleranceCounter _tolerances;
    private readonly ReplyChoices _choices;
    private readonly StepContext _context;
    private readonly InvariantWatch _watch = new();
    private readonly Bindings _bindings = new();
    private readonly Observation _least = new();
    private readonly Observation _most = new();
    private readonly Observation _actual = new();
    private Reconciler? _reconciler;
    private bool _undecided;

    /// <summary>A runner for one kind of system.</summary>
    /// <param name="factory">Starts the system.</param>
    /// <param name="listener">Told of each step.</param>
    /// <param name="ledger">Known divergences, which are counted instead of found.</param>
    public SequenceRunner(
        ISystemFactory factory, IStepListener? listener = null, Ledger? ledger = null)
    {
        _factory = factory;
        _listener = listener;
        _ledger = ledger;
        _comparer = new ObservationComparer(factory.Capabilities);
        _tolerances = new ToleranceCounter(factory.Capabilities);
        _choices = new ReplyChoices(factory.Capabilities);
        _context = new StepContext(_bindings, _choices, new StepLog());
    }

    /// <summary>Starts the systems.</summary>
    internal ISystemFactory Factory => _factory;

    /// <summary>Runs calls until the source ends or the system diverges; then, unless it has
    /// diverged, ends every process, so that all books must be back where they were.</summary>
    /// <param name="machine">The machine to start, or the nearest one that the system can be.
    /// </param>
    /// <param name="source">The calls.</param>
    /// <param name="record">Filled with what happened.</param>
    /// <param name="endProcesses">Whether to end every process behind the last call.</param>
    /// <exception cref="SystemLostException">The machine does not start.</exception>
    public void Run(
        MachineConfig machine, ICallSource source, RunRecord record, bool endProcesses = true)
    {
        machine = _factory.Capabilities.Adapt(machine);
        record.Start(machine);
        using ISystemUnderTest system = Start(machine);
        IReadOnlyList<LedgerRow> known = _ledger is null ? []
            : KnownLedgers.Applicable(_ledger, _factory.Capabilities, machine.Profile);
        _reconciler = known.Count > 0 ? new Reconciler(known) : null;
        _bindings.Clear();
        _bindings.Bind(ProcessHandle.First, system.FirstPid);
        SpecState state = Specification.Start(machine, system.FirstPid);
        Specification.Observe(state, _least, _most);
        record.Divergence = CompareStart(system, machine);
        _undecided = false;
        while (record.Divergence is null && !_undecided
            && source.Next(_least, _bindings) is { } call)
        {
            state = Execute(system, state, call, record);
            source.Done(call, record.Replies[^1]);
        }

        if (endProcesses && !_undecided)
        {
            EndProcesses(system, state, record);
        }

        record.Bindings.CopyFrom(_bindings);
    }

    private ISystemUnderTest Start(MachineConfig machine)
    {
        try
        {
            return _factory.Start(machine);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            throw new SystemLostException(
                $"{_factory.Name} could not be started: {problem.Message}", problem);
        }
    }

    private Divergence? CompareStart(ISystemUnderTest system, MachineConfig machine)
    {
        system.Observe(_actual);
        if (_comparer.Agree(_least, _most, _actual))
        {
            return null;
        }

        List<Difference> differences =
            _comparer.Differences(_least, _most, _actual, machine.PageSize, _bindings);
        return new Divergence(
            -1, null, null,
            Fingerprint.Of("machine.start", differences.Select(d => d.Field), null),
            [.. differences]);
    }

    private SpecState Execute(
        ISystemUnderTest system, SpecState state, Call call, RunRecord record)
    {
        if (!CanExecute(state, call))
        {
            record.Add(call, null);
            return state;
        }

        long before = system.Clock;
        Reply actual;
        try
        {
            actual = system.Execute(call, _bindings);
            system.Observe(_actual);
        }
        catch (CallNotPossibleException)
        {
            record.Add(call, null);
            return state;
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            return Break(state, call, record, "system.threw", problem,
                new Difference("reply", "reply", "one", ThrownText.Of(problem), ""));
        }

        _context.Now = new Stamp(before, system.Clock);
        _choices.Use(actual);
        try
        {
            return Check(system, state, call, actual, record);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            return Break(state, call, record, "specification.threw", problem, new Difference(
                "reply", "reply", ThrownText.Of(problem), ReplyComparer.Text(actual), ""));
        }
    }

    private SpecState Check(
        ISystemUnderTest system, SpecState state, Call call, Reply actual, RunRecord record)
    {
        _bindings.Bind(call, actual);
        _reconciler?.Forget();
        StepResult result = Step(system, state, call, actual, record, out Divergence? divergence);
        if (divergence is not null && MayFailUncounted(call))
        {
            _choices.InjectionHappened = true;
            StepResult failed = Step(
                system, state, call, actual, record, out Divergence? otherwise);
            if (otherwise is null || ReplyComparer.Agree(failed.Reply, actual))
            {
                (result, divergence) = (failed, otherwise);
            }
        }

        else if (divergence is null && MayFailUncounted(call) && !actual.Succeeded)
        {
            _undecided = IsUndecided(state, result.State, call, actual);
            _choices.InjectionHappened = false;
            result = Step(system, state, call, actual, record, out divergence);
        }

        _listener?.Stepped(call, result, _context.Log, _least);
        record.Add(call, result.Reply);
        record.Divergence = divergence;
        CountAllowances(record);
        return result.State;
    }

    /// <summary>Whether a call that failed as it ordinarily does may as well have failed by its
    /// injection, and left another state behind that shows in no figure. What comes then can be
    /// held against neither.</summary>
    private bool IsUndecided(SpecState before, SpecState after, Call call, Reply actual)
    {
        _choices.InjectionHappened = true;
        StepResult failed = Specification.Step(before, call, _context);
        Specification.Observe(failed.State, _least, _most);
        return Compare(call, failed, new Seen(actual, _actual), 0) is null
            && !CanonicalBytes(after).SequenceEqual(CanonicalBytes(failed.State));
    }

    private static ReadOnlySpan<byte> CanonicalBytes(SpecState state)
    {
        var bytes = new ArrayBufferWriter<byte>();
        Specification.WriteCanonical(state, bytes);
        return bytes.WrittenSpan;
    }

    private void CountAllowances(RunRecord record)
    {
        foreach (LedgerRow row in _reconciler?.Met ?? [])
        {
            record.Allowances.Add(row, 1);
        }

        if (record.Divergence is null)
        {
            _tolerances.Count(
                PrecisionKind.Bounded, _least, _most, _actual, record.Allowances);
        }
    }

    private StepResult Step(
        ISystemUnderTest system, SpecState state, Call call, Reply actual, RunRecord record,
        out Divergence? divergence)
    {
        StepResult result = Specification.Step(state, call, _context);
        Specification.Observe(result.State, _least, _most);
        Seen seen = Reconcile(call, result, actual);
        if (ReplyComparer.Agree(result.Reply, seen.Reply)
            && _comparer.AreOnlyLate(_least, _most, seen.Figures))
        {
            _tolerances.Count(
                PrecisionKind.Eventual, _least, _most, seen.Figures, record.Allowances);
            seen = AwaitLateFigures(system, call, result, actual);
        }

        divergence = Compare(call, result, seen, record.Calls.Count);
        return result;
    }

    /// <summary>What was seen, with the figures put right that the ledger knows to be wrong.
    /// </summary>
    private Seen Reconcile(Call call, in StepResult result, Reply actual)
    {
        var seen = new Seen(actual, _actual);
        return _reconciler is null || (ReplyComparer.Agree(result.Reply, actual)
            && _comparer.Agree(_least, _most, _actual))
                ? seen : _reconciler.Reconcile(call, result, _least, seen, _bindings);
    }

    /// <summary>Gives figures that a system shows late their time: observes again as long as
    /// nothing else differs.</summary>
    /// <returns>What was seen at last.</returns>
    private Seen AwaitLateFigures(
        ISystemUnderTest system, Call call, in StepResult result, Reply actual)
    {
        long deadline = Environment.TickCount64 + (long)LateLimit.TotalMilliseconds;
        Seen seen;
        do
        {
            Thread.Sleep(1);
            system.Observe(_actual);
            seen = Reconcile(call, result, actual);
        }
        while (_comparer.AreOnlyLate(_least, _most, seen.Figures)
            && Environment.TickCount64 < deadline);
        return seen;
    }

    /// <summary>Whether a call carries a failure of a kind whose number within the call the
    /// specification cannot know: then both outcomes are admitted.</summary>
    private static bool MayFailUncounted(Call call) =>
        call.Injection?.Kind is AllocationKind.Bookkeeping or AllocationKind.Id;

    private bool CanExecute(SpecState state, Call call) =>
        _factory.Capabilities.Has(call) && _bindings.AreBound(call)
        && Specification.CanExecute(state, call, _bindings);

    private static SpecState Break(
        SpecState state, Call call, RunRecord record, string rule, Exception problem,
        Difference difference)
    {
        record.Divergence = new Divergence(
            record.Calls.Count, call, null,
            Fingerprint.Of(rule, [problem.GetType().Name], call.Kind), [difference]);
        record.Add(call, Reply.Zero);
        return state;
    }

    private Divergence? Compare(
        Call call, in StepResult result, in Seen seen, int step)
    {
        if (!ReplyComparer.Agree(result.Reply, seen.Reply))
        {
            return Diverged(
                call, step, result.Rule,
                ReplyComparer.Differences(result.Reply, seen.Reply, _bindings));
        }

        if (!_comparer.Agree(_least, _most, seen.Figures))
        {
            return Diverged(
                call, step, result.Rule,
                _comparer.Differences(
                    _least, _most, seen.Figures, result.State.Config.PageSize, _bindings));
        }

        IReadOnlyList<Violation> violations = _watch.FindViolations(result.State);
        return violations.Count == 0 ? null : new Divergence(
            step, call, result.Rule, Fingerprint.Of(violations[0].Invariant.Id, [], call.Kind),
            [.. violations.Select(v => new Difference(
                Difference.OfSpecification, v.Invariant.Id, "holds", v.Detail, ""))]);
    }

    private static Divergence Diverged(
        Call call, int step, Rule rule, List<Difference> differences) =>
        new(step, call, rule,
            Fingerprint.Of(rule.Id, differences.Select(d => d.Field), call.Kind),
            [.. differences]);

    /// <summary>Ends every process that is still alive, the first one last.</summary>
    private void EndProcesses(ISystemUnderTest system, SpecState state, RunRecord record)
    {
        for (int number = _bindings.ProcessCount; number > 0; number--)
        {
            var kill = new Kill(new ProcessHandle(number));
            if (record.Divergence is null && CanExecute(state, kill))
            {
                state = Execute(system, state, kill, record);
            }
        }
    }
}
