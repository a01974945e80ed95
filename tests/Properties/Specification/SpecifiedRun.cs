using System.Buffers;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>A step of a run, with what it started from.</summary>
/// <param name="Before">The state before.</param>
/// <param name="Call">The call.</param>
/// <param name="Bindings">What its handles stood for.</param>
/// <param name="Now">The clock around it.</param>
/// <param name="Result">The outcome.</param>
internal sealed record SpecifiedStep(
    SpecState Before, Call Call, Bindings Bindings, Stamp Now, StepResult Result)
{
    /// <summary>Makes the step once more.</summary>
    public StepResult Again() => Spec.Specification.Step(
        Before, Call,
        new StepContext(Bindings, new CanonicalChoices(), new StepLog()) { Now = Now });

    /// <inheritdoc/>
    public override string ToString() => TracePrinter.Print(Call);
}

/// <summary>A run of random calls on the specification alone, every other one behind calls that
/// make something of everything. The seed is all that it depends on.</summary>
internal sealed class SpecifiedRun : ICallSource
{
    private const int Length = 100;

    private static readonly Call[] Prologue =
    [
        .. TraceParser.Parse(
            "prologue",
            $"# shmcheck trace {Trace.Version}\nmachine page=4096\n{Everything.Calls}\n").Calls,
    ];

    private readonly List<SpecifiedStep> _steps = [];
    private readonly SequenceGenerator _calls;
    private readonly Bindings _bindings = new();
    private readonly StepLog _log = new();

    public SpecifiedRun(ulong seed, KernelProfile profile)
    {
        Machine = RandomRun.Machine(seed) with { Profile = profile };
        _calls = new SequenceGenerator(
            seed, Machine, SpecSystem.Factory.Capabilities, Length,
            seed / 4 % 2 == 0 ? Prologue : null);
        State = Spec.Specification.Start(Machine, 1000);
        _bindings.Bind(ProcessHandle.First, 1000);
        Play(this);
        Play(new CallList(
            [.. Enumerable.Range(1, _bindings.ProcessCount)
                .Select(number => new Kill(new ProcessHandle(number)))]));
    }

    public MachineConfig Machine { get; }

    /// <summary>The state at the end, all processes having been killed.</summary>
    public SpecState State { get; private set; }

    public IReadOnlyList<SpecifiedStep> Steps => _steps;

    /// <summary>The canonical bytes of a state.</summary>
    public static byte[] Bytes(SpecState state)
    {
        var bytes = new ArrayBufferWriter<byte>();
        Spec.Specification.WriteCanonical(state, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    Call? ICallSource.Next(Observation observation, Bindings bindings) =>
        _calls.Next(observation, bindings);

    void ICallSource.Done(Call call, Reply? reply) => _calls.Done(call, reply);

    private void Play(ICallSource source)
    {
        var (least, most) = (new Observation(), new Observation());
        while (true)
        {
            Spec.Specification.Observe(State, least, most);
            if (source.Next(least, _bindings) is not { } call)
            {
                return;
            }

            if (!_bindings.AreBound(call)
                || !Spec.Specification.CanExecute(State, call, _bindings))
            {
                source.Done(call, null);
                continue;
            }

            source.Done(call, Take(call));
        }
    }

    private Reply Take(Call call)
    {
        var bound = new Bindings();
        bound.CopyFrom(_bindings);
        var now = new Stamp(2 * _steps.Count + 1, 2 * _steps.Count + 2);
        var context = new StepContext(_bindings, new CanonicalChoices(), _log) { Now = now };
        StepResult result = Spec.Specification.Step(State, call, context);
        _steps.Add(new SpecifiedStep(State, call, bound, now, result));
        State = result.State;
        _bindings.Bind(call, result.Reply);
        return result.Reply;
    }
}
