using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Planning;

/// <summary>A run of the specification alone: no system, and nothing compared.</summary>
internal sealed class SpecWalk
{
    private const int FirstPid = 1000;

    /// <summary>Pages of a mapping beyond which a plan does not go: what fills or locks them all
    /// takes the specification, and a live system, far longer than a plan is worth.</summary>
    private const ulong MostPages = 4096;

    private readonly SystemCapabilities _capabilities;
    private readonly StepContext _context;
    private long _clock = 1_000_000;

    /// <summary>The start of a run.</summary>
    public SpecWalk(MachineConfig machine, SystemCapabilities capabilities)
    {
        _capabilities = capabilities;
        _context = new StepContext(new Bindings(), new WorstChoices(), new StepLog());
        _context.Bindings.Bind(ProcessHandle.First, FirstPid);
        State = Specification.Start(machine, FirstPid);
    }

    /// <summary>A run that goes on from where another one was.</summary>
    public SpecWalk(SpecState state, Bindings bindings, SystemCapabilities capabilities)
    {
        _capabilities = capabilities;
        _context = new StepContext(new Bindings(), new WorstChoices(), new StepLog());
        _context.Bindings.CopyFrom(bindings);
        State = state;
    }

    public SpecState State { get; private set; }

    public Bindings Bindings => _context.Bindings;

    /// <summary>Whether the last of some calls hits a target.</summary>
    public static bool Hits(
        MachineConfig machine, SystemCapabilities capabilities, IEnumerable<Call> calls,
        Target target)
    {
        var walk = new SpecWalk(machine, capabilities);
        bool hit = false;
        foreach (Call call in calls)
        {
            walk.Step(call, target, out hit);
        }

        return hit;
    }

    /// <summary>Makes a call.</summary>
    /// <returns>The reply, or null when the call cannot be made; then nothing happens.</returns>
    public Reply? Step(Call call, Target target, out bool hit)
    {
        hit = false;
        if (!_capabilities.Has(call) || !Bindings.AreBound(call)
            || !Specification.CanExecute(State, call, Bindings) || IsTooLarge(call))
        {
            return null;
        }

        _context.Now = Stamp.At(++_clock);
        StepResult result = Specification.Step(State, call, _context);
        State = result.State;
        Bindings.Bind(call, result.Reply);
        hit = target.IsHit(call, result, _context.Log);
        return result.Reply;
    }

    private bool IsTooLarge(Call call) => call switch
    {
        ShmAt at => Bindings.TryResolve(at.Segment, out int id)
            && State.Segments.Rows.Any(segment => segment.Id.Value == id
                && segment.Object.PageCount > MostPages),
        MRemap remap => remap.NewLength / State.Config.PageSize > MostPages,
        MMap map => map.Length / State.Config.PageSize > MostPages && SpaceOf(map).LockFuture,
        MLock or MLockAll or MAdvise => SpaceOf((ProcessCall)call).Mappings.Rows.Any(
            mapping => mapping.Length / State.Config.PageSize > MostPages),
        _ => false,
    };

    private AddressSpace SpaceOf(ProcessCall call)
    {
        Bindings.TryResolve(call.Caller, out int tid);
        return State.Spaces[State.Tasks[(ulong)tid].Space];
    }

    /// <summary>The canonical choices, but for allocations that nobody counts: those of a call
    /// that carries a failure fail.</summary>
    private sealed class WorstChoices : IChoices
    {
        private readonly CanonicalChoices _own = new();

        public int Identifier(int predicted, Func<int, bool> admissible) => predicted;

        public ulong Place(Room room) => _own.Place(room);

        public int Pid(int predicted, Func<int, bool> admissible) => predicted;

        public bool Fails(Injection injection) => true;
    }
}
