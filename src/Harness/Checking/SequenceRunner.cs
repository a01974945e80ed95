using System.Diagnostics;
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
public sealed partial class SequenceRunner
{
    /// <summary>What a system breaks that is lost in calls made ahead, and not when they are made
    /// one by one.</summary>
    private const string LostOnce = "system.lost-once";

    /// <summary>What it breaks when it is lost behind the last call.</summary>
    private const string LostAfter = "system.lost-after";

    private const string NotAgain = "; not again when the calls were made one by one";

    private readonly ISystemFactory _factory;
    private readonly IStepListener? _listener;
    private readonly Ledger? _ledger;
    private readonly StepContext _context;
    private readonly Bindings _bindings = new();
    private readonly Follower _follower;
    private readonly Foresight _foresight;
    private readonly int _observeEvery;
    private Substitutes _substitutes = new([]);

    /// <summary>A runner for one kind of system.</summary>
    /// <param name="factory">Starts the system.</param>
    /// <param name="listener">Told of each step.</param>
    /// <param name="ledger">Known divergences, which are counted instead of found.</param>
    /// <param name="observeEvery">Figures are compared behind every so many calls, and at the
    /// end; 0 at the end only. Replies always are.</param>
    public SequenceRunner(
        ISystemFactory factory, IStepListener? listener = null, Ledger? ledger = null,
        int observeEvery = 1)
    {
        _observeEvery = observeEvery;
        _foresight = new Foresight(factory.Capabilities);
        _factory = factory;
        _listener = listener;
        _ledger = ledger;
        var choices = new ReplyChoices(factory.Capabilities);
        _context = new StepContext(_bindings, choices, new StepLog());
        _follower = new Follower(factory.Capabilities, _context, choices);
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
    /// <exception cref="SystemLostException">The system is out of reach.</exception>
    public void Run(
        MachineConfig machine, ICallSource source, RunRecord record, bool endProcesses = true)
    {
        machine = _factory.Capabilities.Adapt(machine);
        _substitutes = new Substitutes(Known(machine));
        if (_factory.Capabilities.MostCallsAhead > 0 && source.CanBeForeseen)
        {
            RunForeseen(machine, source, record, endProcesses);
        }
        else
        {
            RunStepByStep(machine, source, record, endProcesses);
        }
    }

    private void RunStepByStep(
        MachineConfig machine, ICallSource source, RunRecord record, bool endProcesses)
    {
        record.Start(machine, _ledger);
        _lost = false;
        if (SystemLostException.TryStart(_factory, machine, out Exception? thrown)
            is not { } system)
        {
            _bindings.Clear();
            record.Divergence = NoStart(thrown!);
            return;
        }

        try
        {
            Begin(system, machine, record);
            MakeCalls(system, source, record, endProcesses);
        }
        finally
        {
            End(system, record);
        }
    }

    private void MakeCalls(
        ISystemUnderTest system, ICallSource source, RunRecord record, bool endProcesses)
    {
        while (IsFollowed(record) && source.Next(_follower.Least, _bindings) is { } call)
        {
            _follower.SeesFigures = IsObserved(record.Calls.Count) || EndsNamespace(call);
            Execute(system, call, record);
            source.Done(call, record.Replies[^1]);
        }

        _follower.SeesFigures = true;
        for (int number = _bindings.ProcessCount; endProcesses && number > 0; number--)
        {
            var kill = new Kill(new ProcessHandle(number));
            if (IsFollowed(record) && CanExecute(kill))
            {
                Execute(system, kill, record);
            }
        }
    }

    /// <summary>Begins the books of a run, and compares them with those of the system.</summary>
    private void Begin(ISystemUnderTest system, MachineConfig machine, RunRecord record)
    {
        _bindings.Clear();
        _bindings.Bind(ProcessHandle.First, system.FirstPid);
        _follower.IsAhead = false;
        _follower.SeesFigures = true;
        try
        {
            record.Divergence = _follower.Start(system, machine, Known(machine), record);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            _lost = true;
            record.Divergence = Loss(Breakdown.Of(problem, null), record, problem);
        }
    }

    private IReadOnlyList<LedgerRow> Known(MachineConfig machine) => _ledger is null ? []
        : KnownLedgers.Applicable(_ledger, _factory.Capabilities, machine.Profile);

    /// <summary>Ends a run; a system may be lost while it removes what the calls have left. Of one
    /// that was not followed to the end, that says nothing new.</summary>
    private void End(ISystemUnderTest system, RunRecord record)
    {
        record.Bindings.CopyFrom(_bindings);
        try
        {
            system.Dispose();
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            _lost = true;
            if (IsFollowed(record))
            {
                record.Divergence = Loss(
                    Fingerprint.Of(LostAfter, [problem.GetType().Name], LastOf(record)?.Kind),
                    record, problem);
            }
        }
    }

    /// <summary>A system that threw instead of starting.</summary>
    private static Divergence NoStart(Exception thrown) => new(
        -1, null, null, Breakdown.Of(thrown, null),
        [new Difference("machine", "start", "one", ThrownText.Of(thrown), "")]);

    /// <summary>The loss of a system beside any call.</summary>
    private Divergence? Loss(Fingerprint fingerprint, RunRecord record, Exception problem) =>
        _follower.Unknown(new Divergence(
            record.Calls.Count - 1, LastOf(record), null, fingerprint,
            [new Difference("reply", "reply", "one", ThrownText.Of(problem), "")]));

    private static Call? LastOf(RunRecord record) =>
        record.Calls.Count == 0 ? null : record.Calls[^1];

    private bool IsObserved(int step) =>
        _observeEvery > 0 && (step + 1) % _observeEvery == 0;

    /// <summary>Whether a namespace is going to end with a call: what it had comes back late, and
    /// until then calls may be refused that need it.</summary>
    private bool EndsNamespace(Call call) =>
        CanExecute(call) && _follower.EndsNamespace(call);

    private bool IsFollowed(RunRecord record) =>
        record.Divergence is null && !_follower.IsUndecided;

    private void Execute(ISystemUnderTest system, Call call, RunRecord record)
    {
        if (!CanExecute(call))
        {
            PassOver(call, record);
            return;
        }

        long before = system.Clock;
        Reply actual;
        try
        {
            actual = system.Execute(call, _bindings);
            if (_follower.IsRefusedLate(call, actual))
            {
                actual = AwaitUnlock(system, call, actual, record);
            }

            Observe(system, record);
        }
        catch (CallNotPossibleException)
        {
            record.Add(call, null);
            return;
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            Lose(Breakdown.Of(problem, call.Kind), call, record, problem);
            return;
        }

        Judge(system, before, call, actual, record);
    }

    /// <summary>Makes a refused SHM_LOCK again until it is not refused or has had time enough.
    /// </summary>
    private Reply AwaitUnlock(
        ISystemUnderTest system, Call call, Reply refused, RunRecord record)
    {
        record.Allowances.Add(Tolerance.LateUnlock, 1);
        long deadline =
            Environment.TickCount64 + (long)Follower.LateLimit.TotalMilliseconds;
        Reply actual = refused;
        while (actual == refused && Environment.TickCount64 < deadline)
        {
            Thread.Sleep(1);
            actual = system.Execute(call, _bindings);
        }

        return actual;
    }

    /// <summary>Observes a system behind a call, where that is asked for, and takes down what it
    /// costs.</summary>
    private void Observe(ISystemUnderTest system, RunRecord record)
    {
        if (_follower.SeesFigures)
        {
            long start = Stopwatch.GetTimestamp();
            system.Observe(_follower.Shown);
            record.AddObservation(_follower.Shown.Cost ?? Stopwatch.GetElapsedTime(start));
        }
    }

    private void Judge(
        ISystemUnderTest system, long before, Call call, Reply actual, RunRecord record)
    {
        if (_follower.FillsTooMuch(call))
        {
            _follower.GiveUp();
            record.Add(call, null);
            return;
        }

        _context.Now = new Stamp(before, system.LatestClock);
        try
        {
            Follow(call, actual, record);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            Break(
                call, record, Breakdown.OfSpecification(problem, call.Kind), new Difference(
                    "reply", "reply", ThrownText.Of(problem), ReplyComparer.Text(actual), ""));
        }
    }

    private void Follow(Call call, Reply actual, RunRecord record)
    {
        _bindings.Bind(call, actual);
        StepResult result = _follower.Step(call, actual, out Divergence? divergence);
        _listener?.Stepped(call, result, _context.Log, _follower.Least);
        record.Add(call, result.Reply);
        record.Divergence = divergence;
    }

    private bool CanExecute(Call call) =>
        IsPossible(call) && _substitutes.LostBy(call) is null;

    private bool IsPossible(Call call) =>
        _factory.Capabilities.Has(call) && _bindings.AreBound(call)
        && Specification.CanExecute(_follower.State, call, _bindings);

    /// <summary>A call that is not made; it counts as known where the system would not outlive it.
    /// </summary>
    private void PassOver(Call call, RunRecord record)
    {
        record.Add(call, null);
        if (IsPossible(call) && _substitutes.LostBy(call) is { } row)
        {
            record.Allowances.Add(row, 1);
        }
    }

    private void Lose(
        Fingerprint fingerprint, Call call, RunRecord record, Exception problem,
        string remark = "")
    {
        _lost = true;
        Break(call, record, fingerprint, new Difference(
            "reply", "reply", "one", ThrownText.Of(problem) + remark, ""));
    }

    private void Break(
        Call call, RunRecord record, Fingerprint fingerprint, Difference difference)
    {
        record.Divergence = _follower.Unknown(new Divergence(
            record.Calls.Count, call, null, fingerprint, [difference]));
        record.Add(call, Reply.Zero);
    }
}
