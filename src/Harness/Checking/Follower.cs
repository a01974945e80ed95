using System.Buffers;
using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Tolerances;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Follows a system with the specification, call by call: keeps every state that what
/// was seen so far admits. That is one, but where reclaim has taken pages and nothing shows which
/// it was.</summary>
/// <remarks>Where the books of the system are known to be wrong for good, or other programs use
/// its swap device, the states have the wrong counters and the others' slots in them: what follows
/// from those is followed exactly.</remarks>
internal sealed partial class Follower(
    SystemCapabilities capabilities, StepContext context, ReplyChoices choices)
{
    /// <summary>How late a figure may be that a system shows late: several times the longest that
    /// the end of a namespace was seen to take on a machine with more to do than processors.
    /// </summary>
    internal static readonly TimeSpan LateLimit = TimeSpan.FromSeconds(3);

    private readonly ObservationComparer _comparer = new(capabilities);
    private readonly ToleranceCounter _tolerances = new(capabilities);
    private readonly StepContext _aside =
        new(context.Bindings, new CanonicalChoices(), new StepLog());

    private readonly InvariantWatch _watch = new();
    private readonly List<SpecState> _others = [];
    private ISystemUnderTest _system = null!;
    private Reconciler? _reconciler;
    private Substitutes _substitutes = new([]);
    private KeptPages _kept = new([]);
    private RunRecord _record = null!;
    private ForeignSlots _foreign;
    private ulong _writtenOut;

    /// <summary>A step as it was compared.</summary>
    /// <param name="Result">The step.</param>
    /// <param name="Divergence">How the system departs from it.</param>
    /// <param name="Foreign">What other programs have of the swap device.</param>
    /// <param name="Keeps">Whether counters go wrong for good with it.</param>
    private readonly record struct Verdict(
        StepResult Result, Divergence? Divergence, ForeignSlots Foreign, bool Keeps = false);

    /// <summary>What the specification shows: the least values that it admits.</summary>
    public Observation Least { get; } = new();

    /// <summary>The greatest values.</summary>
    public Observation Most { get; } = new();

    /// <summary>What the system shows.</summary>
    public Observation Shown { get; } = new();

    /// <summary>The first of the states.</summary>
    public SpecState State { get; private set; } = null!;

    /// <summary>Whether what happened remains open: what comes next could be held against
    /// neither.</summary>
    public bool IsUndecided { get; private set; }

    /// <summary>Whether the figures behind the next call are looked at.</summary>
    public bool SeesFigures { get; set; } = true;

    /// <summary>Whether the system is ahead of the call that is followed, so that it cannot be
    /// asked what it shows now.</summary>
    public bool IsAhead { get; set; }

    /// <summary>Whether a call was followed for which the system would have to be asked.</summary>
    public bool MustWait { get; private set; }

    /// <summary>Begins to follow a system.</summary>
    /// <returns>How it departs from the specification before its first call.</returns>
    public Divergence? Start(
        ISystemUnderTest system, MachineConfig machine, IReadOnlyList<LedgerRow> known,
        RunRecord record)
    {
        (_system, _record) = (system, record);
        _reconciler = known.Count > 0 ? new Reconciler(known) : null;
        _kept = new KeptPages(known);
        _substitutes = new Substitutes(known);
        (_foreign, _writtenOut, IsUndecided, MustWait) = (default, 0, false, false);
        _others.Clear();
        State = Specification.Start(machine, system.FirstPid);
        system.Observe(Shown);
        Look(State);
        _reconciler?.Begin(Shown);
        if (Share(State, 0) is { } foreign)
        {
            State = foreign.In(State, default);
            _foreign = foreign;
            Look(State);
        }

        if (_comparer.Agree(Least, Most, Shown))
        {
            return null;
        }

        List<Difference> differences =
            _comparer.Differences(Least, Most, Shown, machine.PageSize, context.Bindings);
        return Unknown(new Divergence(
            -1, null, null,
            Fingerprint.Of("machine.start", differences.Select(d => d.Field), null),
            [.. differences]));
    }

    /// <summary>Whether a call, which the system has made, would have the specification fill a
    /// mapping longer than any that the system fills: nothing is locked there that should be,
    /// which a ledger knows of.</summary>
    public bool FillsTooMuch(Call call) => capabilities.LongestMapping < ulong.MaxValue
        && Filling.LongestBy(State, call, context.Bindings) > capabilities.LongestMapping;

    /// <summary>Follows no further.</summary>
    public void GiveUp() => IsUndecided = true;

    /// <summary>Whether a call that can be made is foreseen to end an IPC namespace.</summary>
    public bool EndsNamespace(Call call) => Foresight.EndsNamespace(
        State, Specification.Step(State, call, _aside).State);

    /// <summary>Whether SHM_LOCK is refused, and that may be because of segments that were locked
    /// in a namespace that has ended: their user is discharged when it is torn down.</summary>
    public bool IsRefusedLate(Call call, Reply actual) =>
        call is ShmCtlLock && actual is Reply.Error { Errno: Errno.ENOMEM }
        && capabilities.LateUnlockSource.Length > 0
        && Specification.Step(State, call, _aside).Reply.Succeeded;

    /// <summary>Whether a divergence is only in figures that the system shows late.</summary>
    public bool IsOnlyLate(Divergence divergence) => divergence.Fingerprint.Fields.Length > 0
        && divergence.Fingerprint.Fields.All(
            field => capabilities.Precisions.Any(
                known => known.Key.ToString() == field
                    && known.Value.Kind is PrecisionKind.Eventual));

    /// <summary>A divergence, unless it is known by its fingerprint: then it is counted, and
    /// nothing is known of what comes next.</summary>
    /// <param name="divergence">The divergence.</param>
    /// <param name="before">The state before its call; none where no call was followed.</param>
    public Divergence? Unknown(Divergence divergence, SpecState? before = null)
    {
        if (RowOf(divergence, before ?? State, State) is not { } known)
        {
            return divergence;
        }

        _record.Allowances.Add(known, 1);
        IsUndecided = true;
        return null;
    }

    /// <summary>Follows a call that was made and whose effect <see cref="Shown"/> has.</summary>
    public StepResult Step(Call call, Reply actual, out Divergence? divergence)
    {
        SpecState before = State;
        Verdict verdict = WeighAll(call, actual);
        MustWait |= IsAhead && verdict.Divergence is not null;

        Accept(verdict);
        divergence = verdict.Divergence is null ? null : Unknown(verdict.Divergence, before);
        _reconciler?.Settle(call, before, verdict.Result, context.Bindings);
        return verdict.Result;
    }

    /// <summary>Judges a call, and what the system is known to do instead of it: what explains
    /// all comes first, then what a row knows by its fingerprint.</summary>
    private Verdict WeighAll(Call call, Reply actual)
    {
        bool locksFuture = Caller.LocksFuture(call, State, context.Bindings);
        Substitute? always = _substitutes.Of(call, locksFuture);
        if (always is { } substitute && Weigh(substitute, actual) is { Divergence: null } agreed)
        {
            return agreed;
        }

        Verdict verdict = Weigh(call, actual);
        if (verdict.Divergence is null)
        {
            return verdict;
        }

        bool isLast = true;
        foreach (Substitute sometimes in _substitutes.Of(call, locksFuture, actual))
        {
            isLast = false;
            if (Weigh(sometimes, actual) is { Divergence: null } explained)
            {
                return explained;
            }
        }

        if (always is { } known)
        {
            isLast = false;
            Verdict instead = Weigh(known, actual);
            if (instead.Divergence is not { } divergence
                || RowOf(divergence, State, instead.Result.State) is not null)
            {
                return instead;
            }
        }

        // Figures and rules are those of what was weighed last.
        return isLast ? verdict : Weigh(call, actual);
    }

    private LedgerRow? RowOf(Divergence divergence, SpecState before, SpecState after) =>
        _reconciler?.RowOf(new Departure(
            divergence, before, after, Least, Shown, context.Bindings));

    private Verdict Weigh(in Substitute substitute, Reply actual)
    {
        Verdict verdict = Weigh(substitute.Call, actual);
        foreach (LedgerRow row in substitute.Rows)
        {
            _reconciler!.Meet(row);
        }

        return verdict;
    }

    /// <summary>Judges a call by all that may have happened beside it.</summary>
    private Verdict Weigh(Call call, Reply actual)
    {
        _reconciler?.Forget();
        Verdict verdict = Judge(call, actual);
        if (verdict.Divergence is not null)
        {
            verdict = Excuse(call, actual) ?? Again(verdict);
        }

        bool changes = !ReferenceEquals(verdict.Result.State, State);
        if (_reconciler is null || !(changes || verdict.Divergence is not null)
            || !_reconciler.IsRefused(call, verdict.Result, actual))
        {
            return verdict;
        }

        // What a call that fails has changed nevertheless may show in no figure.
        Verdict refused = Refuse(call, actual, verdict);
        return verdict.Divergence is null && refused.Divergence is not null ? Again(verdict)
            : refused;
    }

    private Verdict? Excuse(Call call, Reply actual) =>
        Assume(() => Judge(call, actual)) ?? Explain(call, actual)
            ?? Assume(() => Explain(call, actual)) ?? Starve(call, actual);

    private Verdict Judge(Call call, Reply actual)
    {
        choices.Use(actual);
        return _others.Count > 0 ? Narrow(call, actual)
            : Inject(call, actual, Try(State, call, actual));
    }

    /// <summary>Judges a call where counters may have gone wrong for good behind earlier ones
    /// whose figures were not looked at: all of them or none.</summary>
    /// <returns>A verdict without divergence, or with one in nothing but figures that may be late
    /// where they cannot be read again; null when there is none.</returns>
    private Verdict? Assume(Func<Verdict?> judge)
    {
        if (_kept.Suspected(State) is not { } suspected)
        {
            return null;
        }

        (SpecState state, SpecState[] others) = (State, [.. _others]);
        Replace(suspected, others.Select(other => _kept.Suspected(other) ?? other));
        _kept.Assumes = true;
        Verdict? verdict = judge();
        _kept.Assumes = false;
        if (verdict is { Divergence: null })
        {
            _kept.Decide(isSo: true);
            return verdict;
        }

        Replace(state, others);
        return IsAhead && verdict is { Divergence: { } rest } && IsOnlyLate(rest) ? verdict : null;
    }

    private void Replace(SpecState state, IEnumerable<SpecState> others)
    {
        State = state;
        _others.Clear();
        _others.AddRange(others);
    }

    /// <summary>A verdict that stands, with the figures that it was given on.</summary>
    private Verdict Again(in Verdict verdict)
    {
        Look(verdict.Result.State);
        return verdict;
    }

    /// <summary>A call that is known to fail, and has left everything as it was. An attach that
    /// gets as far as the kernel may have destroyed its segment then.</summary>
    private Verdict Refuse(Call call, Reply actual, in Verdict verdict)
    {
        Verdict nothing = Refuse(call, actual, verdict, State);
        if (nothing.Divergence is null || call is not ShmAt)
        {
            return nothing;
        }

        choices.InjectionHappened = true;
        SpecState failed = Specification.Step(
            State, call with { Injection = new Injection(AllocationKind.Bookkeeping, 1) },
            new StepContext(context.Bindings, choices, new StepLog())).State;
        choices.InjectionHappened = false;
        Verdict destroyed = Refuse(call, actual, verdict, failed);
        return destroyed.Divergence is null ? destroyed : nothing;
    }

    private Verdict Refuse(Call call, Reply actual, in Verdict verdict, SpecState state)
    {
        StepResult refused = verdict.Result with { State = state, Reply = actual };
        SpecState right = default(ForeignSlots).In(_kept.Right(state), _foreign);
        return new Verdict(refused, Compare(call, refused, right, actual), _foreign);
    }

    private void Accept(in Verdict verdict)
    {
        State = verdict.Result.State;
        _reconciler?.Note(context.Log);
        if (_reconciler is not null)
        {
            Allow(_reconciler.Met);
        }

        if (verdict.Divergence is not null)
        {
            return;
        }

        Remember(verdict);
        Allow(_kept.ShownIn(State));
        _foreign = verdict.Foreign;
        _writtenOut += (ulong)context.Log.WrittenOut;
        if (_foreign.Slots > 0)
        {
            _record.Allowances.Add(Tolerance.ForeignSlots, (long)_foreign.Slots);
        }

        if (SeesFigures)
        {
            _tolerances.Count(PrecisionKind.Bounded, Least, Most, Shown, _record.Allowances);
        }
    }

    private void Allow(IReadOnlyList<LedgerRow> rows)
    {
        foreach (LedgerRow row in rows)
        {
            _record.Allowances.Add(row, 1);
        }
    }

    /// <summary>Keeps in mind which counters have gone wrong for good, or may have.</summary>
    private void Remember(in Verdict verdict)
    {
        if (verdict.Keeps)
        {
            _kept.Keep();
        }
        else if (!SeesFigures && verdict.Result.Reply.Succeeded)
        {
            _kept.Suspect(verdict.Result.State, context.Log);
        }

        if (SeesFigures)
        {
            _kept.Decide(isSo: false);
        }
    }

    /// <summary>Steps every state, and keeps those that agree.</summary>
    private Verdict Narrow(Call call, Reply actual)
    {
        SpecState[] possible = [State, .. _others];
        _others.Clear();
        var kept = new List<SpecState>();
        foreach (SpecState state in possible)
        {
            Verdict verdict = Try(state, call, actual);
            if (verdict.Divergence is null)
            {
                kept.Add(state);
                _others.Add(verdict.Result.State);
            }
        }

        if (kept.Count > 0)
        {
            _others.RemoveAt(0);
        }
        else
        {
            _others.AddRange(possible[1..]);
        }

        return Try(kept.Count > 0 ? kept[0] : State, call, actual);
    }

    /// <summary>Steps a state, has pages go, and compares.</summary>
    private Verdict Try(SpecState state, Call call, Reply actual, PagePlace[]? after = null)
    {
        StepResult result = Specification.Step(state, call, context);
        result = result with { State = Reclaim(result.State, after ?? []) };
        SpecState right = default(ForeignSlots).In(_kept.Right(result.State), _foreign);
        var verdict = new Verdict(result, Compare(call, result, right, actual), _foreign);
        if (verdict.Divergence is not null && _kept.Try(result.State, context.Log) is { } wrong)
        {
            StepResult kept = result with { State = wrong };
            verdict = Compare(call, kept, right, actual) is null
                ? new Verdict(kept, null, _foreign, Keeps: true) : verdict;
        }

        ulong own = _writtenOut + (ulong)context.Log.WrittenOut;
        if (verdict.Divergence is not null && Share(result.State, own) is { } foreign)
        {
            StepResult shared = result with { State = foreign.In(result.State, _foreign) };
            verdict = Compare(call, shared, right, actual) is null
                ? new Verdict(shared, null, foreign) : verdict;
        }

        if (verdict.Divergence is not null)
        {
            Look(result.State);
        }

        return verdict;
    }

    /// <summary>What other programs must have of the swap device if the figures are to be right;
    /// null when they cannot have that.</summary>
    /// <param name="state">The state, with what they had.</param>
    /// <param name="own">Pages that the run has written to swap.</param>
    private ForeignSlots? Share(SpecState state, ulong own)
    {
        if (IsAhead || !SeesFigures || capabilities.ForeignSlotSource.Length == 0
            || _system is not ISharesSwap shared)
        {
            return null;
        }

        Look(state);
        ForeignSlots foreign = _foreign.Seen(
            Least.Global[0], Shown.Global[0], state.Config.PageSize);
        if (foreign == _foreign)
        {
            return null;
        }

        ulong written = shared.WrittenToSwap;
        bool orphans = state.Config.SwapKind == SwapKind.Asynchronous;
        return foreign.IsPossible(orphans ? written : written - ulong.Min(own, written))
            ? foreign : null;
    }

    /// <summary>Compares a step with what was seen.</summary>
    /// <param name="call">The call.</param>
    /// <param name="result">The step.</param>
    /// <param name="right">The state that it leads to, with right counters.</param>
    /// <param name="actual">The reply.</param>
    private Divergence? Compare(Call call, in StepResult result, SpecState right, Reply actual)
    {
        Look(result.State);
        Seen seen = Reconcile(call, result, actual);
        if (!IsAhead && ReplyComparer.Agree(result.Reply, seen.Reply)
            && _comparer.AreOnlyLate(Least, Most, seen.Figures))
        {
            _tolerances.Count(
                PrecisionKind.Eventual, Least, Most, seen.Figures, _record.Allowances);
            seen = AwaitLateFigures(call, result, actual);
        }

        return Compare(call, result, seen) ?? FindViolation(call, result.Rule, right);
    }

    /// <summary>What was seen, with the figures put right that the ledger knows to be wrong.
    /// </summary>
    private Seen Reconcile(Call call, in StepResult result, Reply actual)
    {
        var seen = new Seen(actual, SeesFigures ? Shown : Least);
        if (SeesFigures)
        {
            _reconciler?.Look(Shown);
        }

        return _reconciler is null || (ReplyComparer.Agree(result.Reply, actual)
            && _comparer.Agree(Least, Most, seen.Figures))
                ? seen : _reconciler.Reconcile(call, result, Least, seen, context.Bindings);
    }

    /// <summary>Gives figures that a system shows late their time: observes again as long as
    /// nothing else differs.</summary>
    /// <returns>What was seen at last.</returns>
    private Seen AwaitLateFigures(Call call, in StepResult result, Reply actual)
    {
        long deadline = Environment.TickCount64 + (long)LateLimit.TotalMilliseconds;
        Seen seen;
        do
        {
            Thread.Sleep(1);
            _system.Observe(Shown);
            seen = Reconcile(call, result, actual);
        }
        while (_comparer.AreOnlyLate(Least, Most, seen.Figures)
            && Environment.TickCount64 < deadline);
        return seen;
    }

    /// <summary>What a state shows, with the page frames where the system has shown them.
    /// </summary>
    private void Look(SpecState state)
    {
        Specification.Observe(state, Least, Most);
        if (SeesFigures && Shown.Frames.Count > 0)
        {
            Specification.ObserveFrames(state, Least);
        }
    }

    private Divergence? Compare(Call call, in StepResult result, in Seen seen)
    {
        if (!ReplyComparer.Agree(result.Reply, seen.Reply))
        {
            return Diverged(call, result.Rule, ReplyComparer.Differences(
                result.Reply, seen.Reply, context.Bindings)) with
            {
                Replied = seen.Reply,
            };
        }

        return _comparer.Agree(Least, Most, seen.Figures) ? null : Diverged(
            call, result.Rule, _comparer.Differences(
                Least, Most, seen.Figures, result.State.Config.PageSize, context.Bindings));
    }

    private Divergence? FindViolation(Call call, Rule rule, SpecState right)
    {
        IReadOnlyList<Violation> violations = _watch.FindViolations(right);
        return violations.Count == 0 ? null : new Divergence(
            _record.Calls.Count, call, rule,
            Fingerprint.Of(violations[0].Invariant.Id, [], call.Kind),
            [.. violations.Select(v => new Difference(
                Difference.OfSpecification, v.Invariant.Id, "holds", v.Detail, ""))]);
    }

    private Divergence Diverged(Call call, Rule rule, List<Difference> differences) =>
        new(_record.Calls.Count, call, rule,
            Fingerprint.Of(rule.Id, differences.Select(d => d.Field), call.Kind),
            [.. differences]);

    private static ReadOnlySpan<byte> CanonicalBytes(SpecState state)
    {
        var bytes = new ArrayBufferWriter<byte>();
        Specification.WriteCanonical(state, bytes);
        return bytes.WrittenSpan;
    }
}
