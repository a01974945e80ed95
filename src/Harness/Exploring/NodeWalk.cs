using System.Runtime.InteropServices;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Stands at one node of the tree: a system and a state of the specification, brought
/// there by the calls of the path. Going on to another node takes back what the two paths do not
/// share and makes the calls that lead to the other: nodes that follow each other in the order of
/// the tree share almost all of theirs.</summary>
internal sealed class NodeWalk : IDisposable
{
    private readonly ISystemFactory _factory;
    private readonly MachineConfig _machine;
    private readonly INodePaths _paths;
    private readonly ReplyChoices _choices;
    private readonly StepLog _log = new();
    private readonly List<Level> _levels = [];
    private readonly List<int> _way = [];
    private ISystemUnderTest? _system;
    private ICheckpointable? _marks;
    private int _top = -1;

    public NodeWalk(ISystemFactory factory, MachineConfig machine, INodePaths paths)
    {
        _factory = factory;
        _machine = machine;
        _paths = paths;
        _choices = new ReplyChoices(factory.Capabilities);
    }

    /// <summary>Calls that were made again to come to where the walk stands.</summary>
    public long CallsAgain { get; private set; }

    /// <summary>The state of the specification where the walk stands.</summary>
    public SpecState State => _levels[_top].State;

    /// <summary>What handles stand for there.</summary>
    public Bindings Bindings => _levels[_top].Context.Bindings;

    /// <summary>Calls from the start to where the walk stands.</summary>
    public int Depth => _top;

    /// <summary>What fired in the last step.</summary>
    public StepLog Log => _log;

    /// <summary>The node on the path at a depth.</summary>
    public int NodeAt(int depth) => _levels[depth].Node;

    /// <summary>The state of the specification there.</summary>
    public SpecState StateAt(int depth) => _levels[depth].State;

    /// <summary>What handles stand for there.</summary>
    public Bindings BindingsAt(int depth) => _levels[depth].Context.Bindings;

    /// <summary>Goes to a node.</summary>
    public void GoTo(int node)
    {
        if (_system is null)
        {
            Start();
        }

        _way.Clear();
        int at = node;
        for (; !IsOnPath(at); at = _paths.ParentOf(at))
        {
            _way.Add(at);
        }

        while (_levels[_top].Node != at)
        {
            _marks!.RollBack();
            _top--;
        }

        for (int step = _way.Count - 1; step >= 0; step--)
        {
            Enter(_way[step]);
        }
    }

    /// <summary>Makes a call where the walk stands.</summary>
    /// <param name="call">The call.</param>
    /// <param name="actual">The system's reply.</param>
    /// <param name="observation">What the system shows afterwards.</param>
    /// <returns>What the specification says; it is still to be compared.</returns>
    /// <remarks>To be followed by <see cref="TakeBack"/>, or by <see cref="Restart"/> when it
    /// throws.</remarks>
    public StepResult Try(Call call, out Reply actual, Observation observation)
    {
        _marks!.Mark();
        StepContext context = _levels[_top].Context;
        long before = _system!.Clock;
        try
        {
            actual = _system.Execute(call, context.Bindings);
            _system.Observe(observation);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            throw new SystemThrewException(problem);
        }

        return Step(_levels[_top], call, before, actual);
    }

    /// <summary>Appends the canonical bytes of the system as it is now, after
    /// <see cref="Try"/> or where the walk stands.</summary>
    public void WriteSystem(CanonicalBytes bytes, NodeOrder order) => _marks!.WriteCanonical(
        bytes, CollectionsMarshal.AsSpan(order.Processes),
        CollectionsMarshal.AsSpan(order.Segments));

    /// <summary>Takes the last <see cref="Try"/> back.</summary>
    public void TakeBack() => _marks!.RollBack();

    /// <summary>Gives the system up and starts another one.</summary>
    public void Restart()
    {
        int node = _levels[_top].Node;
        _system?.Dispose();
        _system = null;
        GoTo(node);
    }

    /// <inheritdoc/>
    public void Dispose() => _system?.Dispose();

    private void Start()
    {
        _system = SystemLostException.Start(_factory, _machine);
        _marks = (ICheckpointable)_system;
        _top = 0;
        Level start = LevelAt(0);
        start.Node = 0;
        start.Context.Bindings.Clear();
        start.Context.Bindings.Bind(ProcessHandle.First, _system.FirstPid);
        start.State = Specification.Start(_machine, _system.FirstPid);
    }

    /// <summary>Nodes have higher numbers than their parents, so the path ascends.</summary>
    private bool IsOnPath(int node)
    {
        int low = 0;
        int high = _top;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int found = _levels[middle].Node;
            if (found == node)
            {
                return true;
            }

            (low, high) = found < node ? (middle + 1, high) : (low, middle - 1);
        }

        return false;
    }

    private void Enter(int node)
    {
        Level from = _levels[_top];
        Level to = LevelAt(_top + 1);
        Call call = _paths.CallTo(node);
        _marks!.Mark();
        long before = _system!.Clock;
        Reply actual = _system.Execute(call, from.Context.Bindings);
        to.State = Step(from, call, before, actual).State;
        to.Context.Bindings.CopyFrom(from.Context.Bindings);
        to.Context.Bindings.Bind(call, actual);
        to.Node = node;
        _top++;
        CallsAgain++;
    }

    /// <summary>The step of the specification. Where a call carries a failure that it does not
    /// count, the system's reply tells whether that happened.</summary>
    private StepResult Step(Level from, Call call, long before, Reply actual)
    {
        from.Context.Now = new Stamp(before, _system!.Clock);
        _choices.Use(actual);
        StepResult result = Specification.Step(from.State, call, from.Context);
        if (call.Injection?.Kind is AllocationKind.Bookkeeping or AllocationKind.Id
            && !ReplyComparer.Agree(result.Reply, actual))
        {
            _choices.InjectionHappened = true;
            result = Specification.Step(from.State, call, from.Context);
        }

        return result;
    }

    private Level LevelAt(int depth)
    {
        while (_levels.Count <= depth)
        {
            _levels.Add(new Level(new StepContext(new Bindings(), _choices, _log)));
        }

        return _levels[depth];
    }

    private sealed class Level(StepContext context)
    {
        public StepContext Context { get; } = context;

        public int Node { get; set; }

        public SpecState State { get; set; } = null!;
    }
}

/// <summary>How nodes were reached first.</summary>
internal interface INodePaths
{
    /// <summary>The node before a node; lower than it.</summary>
    int ParentOf(int node);

    /// <summary>The call that leads there from the node before.</summary>
    Call CallTo(int node);
}

/// <summary>The system failed in a way that no reply stands for.</summary>
internal sealed class SystemThrewException(Exception inner) : Exception(inner.Message, inner);
