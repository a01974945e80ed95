using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Exploring;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Shrinking;

/// <summary>What a search for a shorter sequence gave.</summary>
/// <param name="LowerBound">No sequence with fewer calls has the fingerprint.</param>
/// <param name="Shorter">The sequence found, which has as many calls as that; none when there is
/// none, or it was not found within the bounds of the search.</param>
/// <param name="Executions">Calls that the search made.</param>
internal sealed record ShortestResult(
    int LowerBound, ImmutableArray<Call>? Shorter, int Executions);

/// <summary>Looks for a shorter sequence with a fingerprint: all sequences of the calls of a given
/// one, each with any handles, breadth first, on its machine. Sequences after which specification
/// and system are the same, numbers included, are continued once; what stays of a time stamp is
/// whether it is set.</summary>
/// <remarks>How far the search goes is bounded by a number of calls and not by time, so that it
/// ends alike everywhere.</remarks>
internal sealed class ShortestSearch : INodePaths, IDisposable
{
    /// <summary>Calls that a search may make.</summary>
    private const int MostExecutions = 20_000;

    private readonly NodeWalk _walk;
    private readonly TransitionCheck _check;
    private readonly CallShapes _shapes;
    private readonly Fingerprint _wanted;
    private readonly SystemCapabilities _capabilities;
    private readonly CancellationToken _cancelled;
    private readonly HashSet<NodeKey> _known = [];
    private readonly List<Node> _nodes = [new Node(-1, null, 0)];
    private readonly CanonicalBytes _bytes = new();
    private readonly NodeOrder _order = new();
    private readonly SpecQuotient _quotient;
    private int _executions;

    private ShortestSearch(
        ISystemFactory factory, MachineConfig machine, ImmutableArray<Call> calls,
        Fingerprint wanted, CancellationToken cancelled)
    {
        _walk = new NodeWalk(factory, machine, this);
        _check = new TransitionCheck(factory.Capabilities);
        _shapes = new CallShapes(calls);
        _wanted = wanted;
        _capabilities = factory.Capabilities;
        _cancelled = cancelled;
        _quotient = new SpecQuotient(_bytes);
    }

    private readonly record struct Node(int Parent, Call? Call, int Depth);

    /// <summary>Searches. A system that does not go back to states it was in is not searched.
    /// </summary>
    /// <param name="factory">Starts the system.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="calls">The sequence; its last call diverges.</param>
    /// <param name="wanted">Its fingerprint.</param>
    /// <param name="cancelled">Ends the search.</param>
    public static ShortestResult Run(
        ISystemFactory factory, MachineConfig machine, ImmutableArray<Call> calls,
        Fingerprint wanted, CancellationToken cancelled)
    {
        if (calls.IsEmpty)
        {
            return new ShortestResult(0, null, 0);
        }

        machine = factory.Capabilities.Adapt(machine);
        using (ISystemUnderTest system = SystemLostException.Start(factory, machine))
        {
            if (system is not ICheckpointable)
            {
                return new ShortestResult(Math.Min(calls.Length, 1), null, 0);
            }
        }

        using var search = new ShortestSearch(factory, machine, calls, wanted, cancelled);
        return search.Run(calls.Length);
    }

    /// <inheritdoc/>
    public int ParentOf(int node) => _nodes[node].Parent;

    /// <inheritdoc/>
    public Call CallTo(int node) => _nodes[node].Call!;

    /// <inheritdoc/>
    public void Dispose() => _walk.Dispose();

    private ShortestResult Run(int length)
    {
        for (int node = 0; node < _nodes.Count && _nodes[node].Depth + 1 < length; node++)
        {
            _walk.GoTo(node);
            int depth = _nodes[node].Depth;
            var bound = new BoundHandles(_walk.Bindings, depth);
            foreach (Call call in _shapes.CallsFor(bound).Where(IsPossible))
            {
                if (_executions == MostExecutions || _cancelled.IsCancellationRequested)
                {
                    return new ShortestResult(depth + 1, null, _executions);
                }

                if (Reaches(node, call, last: depth + 2 == length))
                {
                    return new ShortestResult(depth + 1, [.. PathTo(node), call], _executions);
                }
            }
        }

        return new ShortestResult(length, null, _executions);
    }

    private bool IsPossible(Call call) => _capabilities.Has(call)
        && Specification.CanExecute(_walk.State, call, _walk.Bindings);

    /// <summary>Makes a call and, if both sides agree, keeps where it leads.</summary>
    /// <returns>Whether it diverges with the fingerprint.</returns>
    private bool Reaches(int node, Call call, bool last)
    {
        Fingerprint broken;
        _executions++;
        try
        {
            StepResult step = _walk.Try(call, out Reply actual, _check.Actual);
            Fingerprint? found = _check.Compare(call, step, actual, _walk.Bindings)
                ?? _check.BrokenInvariant(step.State, call);
            if (found is null && !last && _known.Add(KeyAfter(step.State, call, actual)))
            {
                _nodes.Add(new Node(node, call, _nodes[node].Depth + 1));
            }

            _walk.TakeBack();
            return _wanted.Equals(found);
        }
        catch (SystemThrewException problem)
        {
            broken = Breakdown.Of(problem.InnerException!, call.Kind);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            broken = Breakdown.OfSpecification(problem, call.Kind);
        }

        // Not where it is caught: the stack is as deep there as where it was thrown.
        _walk.Restart();
        return _wanted.Equals(broken);
    }

    private List<Call> PathTo(int node)
    {
        var path = new List<Call>();
        for (int at = node; at != 0; at = ParentOf(at))
        {
            path.Add(CallTo(at));
        }

        path.Reverse();
        return path;
    }

    private NodeKey KeyAfter(SpecState state, Call call, Reply actual)
    {
        _bytes.Clear();
        _order.FillFrom(state);
        _quotient.Write(state, _order);
        _quotient.WriteNumbers(state);
        var bindings = new Bindings();
        bindings.CopyFrom(_walk.Bindings);
        bindings.Bind(call, actual);
        WriteBindings(bindings);
        _walk.WriteSystem(_bytes, _order);
        return NodeKey.Of(_bytes.Written);
    }

    private void WriteBindings(Bindings bindings)
    {
        for (int number = 1; bindings.TryResolve(new ProcessHandle(number), out int pid); number++)
        {
            _bytes.Put(pid);
        }

        _bytes.Put(0);
        for (int number = 1; bindings.TryResolve(
            (SegmentRef)new SegmentHandle(number), out int id); number++)
        {
            _bytes.Put(id + 1);
        }

        _bytes.Put(0);
        for (int number = 1; bindings.TryResolve(
            (AddressRef)new MappingHandle(number), 1, out ulong address); number++)
        {
            _bytes.Put(address);
        }

        _bytes.Put(0);
    }
}
