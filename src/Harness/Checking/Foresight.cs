using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>A call of a sequence that was drawn before any of it was made.</summary>
/// <param name="Call">The call.</param>
/// <param name="Made">Whether it can be made, as far as the specification foresees.</param>
/// <param name="Ends">Whether figures may be late behind it: an IPC namespace has ended.</param>
/// <param name="Closing">Whether it only ends a process, behind the last call drawn.</param>
internal readonly record struct ForeseenCall(Call Call, bool Made, bool Ends, bool Closing);

/// <summary>Draws whole sequences on the specification alone, which makes the choices that it
/// would make itself. What a system makes of them is judged afterwards, with the choices that it
/// made.</summary>
internal sealed class Foresight(SystemCapabilities capabilities)
{
    private const int AnyPid = 1000;

    private readonly Bindings _bindings = new();
    private readonly Observation _least = new();
    private readonly Observation _most = new();
    private readonly List<ForeseenCall> _calls = [];
    private StepContext _context = null!;
    private Substitutes _substitutes = new([]);
    private SpecState _state = null!;
    private long _clock;

    /// <summary>Draws a sequence.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="source">The calls.</param>
    /// <param name="endProcesses">Whether to end every process behind the last call.</param>
    /// <param name="substitutes">What the system is known to do instead of calls.</param>
    public List<ForeseenCall> Draw(
        MachineConfig machine, ICallSource source, bool endProcesses, Substitutes substitutes)
    {
        _substitutes = substitutes;
        _calls.Clear();
        _bindings.Clear();
        _bindings.Bind(ProcessHandle.First, AnyPid);
        _context = new StepContext(_bindings, new CanonicalChoices(), new StepLog());
        _state = Specification.Start(machine, AnyPid);
        Specification.Observe(_state, _least, _most);
        _clock = 1;
        while (source.Next(_least, _bindings) is { } call)
        {
            source.Done(call, Make(call, closing: false));
        }

        for (int number = _bindings.ProcessCount; endProcesses && number > 0; number--)
        {
            var kill = new Kill(new ProcessHandle(number));
            if (CanExecute(kill))
            {
                Make(kill, closing: true);
            }
        }

        return _calls;
    }

    /// <summary>Whether an IPC namespace has ended between two states.</summary>
    public static bool EndsNamespace(SpecState before, SpecState after)
    {
        foreach (IpcNamespace ns in before.Namespaces.Rows)
        {
            if (!after.Namespaces.TryGet((ulong)ns.Number, out _))
            {
                return true;
            }
        }

        return false;
    }

    private bool CanExecute(Call call) => capabilities.Has(call) && _bindings.AreBound(call)
        && Specification.CanExecute(_state, call, _bindings) && _substitutes.LostBy(call) is null;

    /// <summary>Whether a call makes a mapping that the system leaves out: filling it would take
    /// the specification as long as the machine. It may be made nevertheless.</summary>
    private bool IsTooLong(Call call) => capabilities.LongestMapping < call switch
    {
        ShmAt at => SizeOf(at.Segment),
        MMap map => map.Length,
        MRemap remap => remap.NewLength,
        _ => 0,
    };

    private ulong SizeOf(SegmentRef segment)
    {
        _bindings.TryResolve(segment, out int id);
        ulong size = 0;
        for (int row = 0; row < _least.Segments.Count; row++)
        {
            ReadOnlySpan<ulong> figures = _least.Segments[row];
            if (figures[(int)SegmentField.shmid] == (ulong)id)
            {
                size = Math.Max(size, figures[(int)SegmentField.segsz]);
            }
        }

        return size;
    }

    private Reply? Make(Call call, bool closing)
    {
        if (!CanExecute(call))
        {
            _calls.Add(new ForeseenCall(call, false, false, closing));
            return null;
        }

        if (IsTooLong(call))
        {
            _calls.Add(new ForeseenCall(call, true, false, closing));
            return null;
        }

        SpecState before = _state;
        bool locksFuture = Caller.LocksFuture(call, before, _bindings);
        _context.Now = Stamp.At(_clock++);
        StepResult result = Specification.Step(
            _state, _substitutes.Of(call, locksFuture)?.Call ?? call, _context);
        _state = result.State;
        _bindings.Bind(call, result.Reply);
        Specification.Observe(_state, _least, _most);
        _calls.Add(new ForeseenCall(call, true, EndsNamespace(before, _state), closing));
        return result.Reply;
    }
}
