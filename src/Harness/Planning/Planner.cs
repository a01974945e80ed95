using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Generating;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Planning;

/// <summary>Searches the specification for a sequence of calls that hits a target: best first,
/// over states that look different, with the calls that the generator draws there.</summary>
/// <remarks>The search is a pure function of its arguments. It keeps the states it has reached
/// that no other one resembles, goes on from the one that was tried least, and adds machines as
/// it goes. What it finds is cut down to the calls that are needed.</remarks>
public sealed class Planner
{
    /// <summary>Calls that are drawn from one state before another one is chosen.</summary>
    private const int LongestWalk = 24;

    /// <summary>Walks that are far longer, for what takes many calls of one kind; they draw no
    /// others than those that the target hints at.</summary>
    private const int MarathonWalk = 180;

    /// <summary>Longer paths are not worth the time they would take.</summary>
    private const int LongestPath = 250;

    private readonly SystemCapabilities _capabilities;
    private readonly Target _target;
    private readonly Random64 _random;
    private readonly Focus _focus;
    private readonly MachineConfig[] _machines;
    private readonly PriorityQueue<Node, (int Tries, int Depth, ulong Lot)> _frontier = new();
    private readonly HashSet<ulong> _seen = [];
    private readonly Observation _least = new();
    private readonly Observation _most = new();
    private int _steps;
    private int _nextMachine;
    private int _nextStart;

    private Planner(
        Target target, SystemCapabilities capabilities, IReadOnlyCollection<KernelProfile> profiles,
        ulong seed)
    {
        _capabilities = capabilities;
        _target = target;
        _random = new Random64(seed);
        _focus = target.Focus;
        _machines = MachineGenerator.Machines(
            [.. profiles.Where(p => target.Hint?.Profiles.Contains(p) ?? true)])
            .Sample(32, new Rnd(seed, _random.Next() | 1), 50);
    }

    /// <summary>A state that was reached, and how.</summary>
    private sealed record Node(
        MachineConfig Machine, int Number, SpecState State, Bindings Bindings, Path? Path)
    {
        public int Tries { get; set; }
    }

    /// <summary>The calls to a state, the last one first: paths share what they begin with.
    /// </summary>
    private sealed record Path(Path? Before, Call Call, Reply Reply)
    {
        public int Length { get; } = LengthOf(Before) + 1;

        public static int LengthOf(Path? path) => path?.Length ?? 0;

        public static (Call Call, Reply Reply)[] ToArray(Path? path)
        {
            var steps = new (Call, Reply)[LengthOf(path)];
            for (; path is not null; path = path.Before)
            {
                steps[path.Length - 1] = (path.Call, path.Reply);
            }

            return steps;
        }
    }

    /// <summary>Searches.</summary>
    /// <param name="target">What is to happen.</param>
    /// <param name="capabilities">What the system can be asked.</param>
    /// <param name="profiles">Kernel profiles to plan for.</param>
    /// <param name="seed">Everything drawn depends on it.</param>
    /// <param name="budget">Steps of the specification to spend.</param>
    /// <param name="starts">Runs to go on from, beside those from the start of machines drawn.
    /// </param>
    /// <returns>A plan; null when the budget is spent.</returns>
    public static Plan? Search(
        Target target, SystemCapabilities capabilities,
        IReadOnlyCollection<KernelProfile> profiles, ulong seed, int budget,
        params IReadOnlyList<(MachineConfig Machine, IReadOnlyList<Call> Calls)> starts)
    {
        var planner = new Planner(target, capabilities, profiles, seed);
        foreach ((MachineConfig machine, IReadOnlyList<Call> calls) in starts)
        {
            if (planner.AddStart(machine, calls) is { } plan)
            {
                return plan;
            }
        }

        return planner.Search(budget);
    }

    private Plan? Search(int budget)
    {
        while (_steps < budget)
        {
            if (_frontier.Count == 0 || _random.OneIn(6))
            {
                AddMachine();
            }

            Node node = _frontier.Dequeue();
            if (Walk(node) is { } calls)
            {
                return Cut(node.Machine, calls);
            }

            node.Tries++;
            Enqueue(node);
        }

        return null;
    }

    private void AddMachine()
    {
        MachineConfig machine =
            _capabilities.Adapt(_machines[_nextMachine++ % _machines.Length]);
        var walk = new SpecWalk(machine, _capabilities);
        Enqueue(new Node(machine, _nextMachine, walk.State, walk.Bindings, null));
    }

    /// <summary>Adds the state behind given calls; a plan when they hit the target themselves.
    /// </summary>
    private Plan? AddStart(MachineConfig machine, IReadOnlyList<Call> calls)
    {
        var walk = new SpecWalk(machine, _capabilities);
        Path? path = null;
        foreach (Call call in calls)
        {
            _steps++;
            if (walk.Step(call, _target, out bool hit) is { } reply)
            {
                path = new Path(path, call, reply);
            }

            if (hit)
            {
                return Cut(machine, CallsOf(path));
            }
        }

        Enqueue(new Node(machine, --_nextStart, walk.State, walk.Bindings, path));
        return null;
    }

    /// <summary>Among states that were tried as often and are as deep, the lot decides: the
    /// first ones are not better than those of a machine that came later.</summary>
    private void Enqueue(Node node) =>
        _frontier.Enqueue(node, (node.Tries, Path.LengthOf(node.Path) / 8, _random.Next()));

    /// <summary>Draws calls from a state on; what is new is kept.</summary>
    /// <returns>The calls from the start to the target, when they hit it.</returns>
    private ImmutableArray<Call>? Walk(Node node)
    {
        var walk = new SpecWalk(node.State, node.Bindings, _capabilities);
        bool marathon = !_focus.Calls.IsEmpty && _random.OneIn(24);
        int length = marathon ? MarathonWalk : 1 + _random.Below(LongestWalk);
        var generator = new SequenceGenerator(
            _random.Next(), node.Machine, _capabilities, length, null,
            _focus with { Only = marathon });
        foreach ((Call call, Reply reply) in Path.ToArray(node.Path))
        {
            generator.Done(call, reply);
        }

        Path? path = node.Path;
        for (int i = 0; i < length && Path.LengthOf(path) < LongestPath; i++)
        {
            Specification.Observe(walk.State, _least, _most);
            if (generator.Next(_least, walk.Bindings) is not { } call)
            {
                break;
            }

            _steps++;
            Reply? reply = walk.Step(call, _target, out bool hit);
            generator.Done(call, reply);
            if (reply is null)
            {
                continue;
            }

            path = new Path(path, call, reply);
            if (hit)
            {
                return CallsOf(path);
            }

            if (_seen.Add(PlanSketch.Of(walk.State, node.Number)))
            {
                var bindings = new Bindings();
                bindings.CopyFrom(walk.Bindings);
                Enqueue(new Node(node.Machine, node.Number, walk.State, bindings, path));
            }
        }

        return null;
    }

    private static ImmutableArray<Call> CallsOf(Path? path) =>
        [.. Path.ToArray(path).Select(step => step.Call)];

    /// <summary>Leaves out what the target does not need.</summary>
    private Plan Cut(MachineConfig machine, ImmutableArray<Call> calls)
    {
        for (int size = Math.Max(calls.Length / 2, 1); size >= 1; size /= 2)
        {
            for (int end = calls.Length - 1; end > 0; end -= size)
            {
                end = Math.Min(end, calls.Length - 1);
                int start = Math.Max(end - size, 0);
                ImmutableArray<Call> shorter = calls.RemoveRange(start, end - start);
                if (end > start && Hits(machine, shorter))
                {
                    calls = shorter;
                }
            }
        }

        ImmutableArray<Call> plainest = calls.SetItem(calls.Length - 1, Plainest(calls[^1]));
        return new Plan(
            _target, machine, Hits(machine, plainest) ? plainest : calls, _steps);
    }

    /// <summary>With a failure in the first allocation: how many there are, only the system
    /// knows.</summary>
    private static Call Plainest(Call call) => call.Injection is { } injection
        ? call with { Injection = injection with { Nth = 1 } } : call;

    private bool Hits(MachineConfig machine, ImmutableArray<Call> calls)
    {
        _steps += calls.Length;
        return SpecWalk.Hits(machine, _capabilities, calls, _target);
    }
}
