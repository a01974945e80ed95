using System.Collections;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Makes every call of the alphabet at nodes, one node after the other, and compares what
/// the system does with what the specification says. Belongs to one thread.</summary>
internal sealed class Expansion : IDisposable
{
    private readonly Scope _scope;
    private readonly NodeTree _tree;
    private readonly SleepSets? _sleep;
    private readonly NodeSet _known;
    private readonly NodeWalk _walk;
    private readonly TransitionCheck _check;
    private readonly ScopeView _view;
    private readonly NodeNaming _naming;
    private readonly SystemBytes _system;
    private readonly HashSet<NodeKey> _found = [];

    public Expansion(
        ISystemFactory factory, Scope scope, ExplorationOptions options, NodeTree tree,
        NodeSet known)
    {
        _scope = scope;
        _tree = tree;
        _sleep = options.PartialOrder ? new SleepSets(scope) : null;
        _known = known;
        _walk = new NodeWalk(factory, scope.Machine, new ScopePaths(scope, tree));
        _check = new TransitionCheck(factory.Capabilities);
        _view = new ScopeView(scope.Bounds, scope.Machine);
        _naming = new NodeNaming(options.Symmetry);
        _system = _walk.WriteSystem;
    }

    /// <summary>The key of the start.</summary>
    public NodeKey KeyOfStart()
    {
        _walk.GoTo(0);
        return _naming.KeyOf(_walk.State, _system);
    }

    /// <summary>Expands nodes.</summary>
    /// <param name="first">The first.</param>
    /// <param name="end">The one behind the last.</param>
    public ExpansionResult Expand(int first, int end)
    {
        var result = new ExpansionResult(first, end);
        _found.Clear();
        long again = _walk.CallsAgain;
        for (int node = first; node < end; node++)
        {
            _walk.GoTo(node);
            _view.Fill(_walk.State, _walk.Bindings);
            _naming.ComeFrom(_walk.State);
            ExpandHere(node, result);
        }

        result.CallsAgain = _walk.CallsAgain - again;
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _walk.Dispose();

    private void ExpandHere(int node, ExpansionResult result)
    {
        BitArray? asleep = _sleep?.At(_walk, _tree);
        for (int call = 0; call < _scope.Alphabet.Length; call++)
        {
            if (!_scope.Alphabet[call].IsEnabled(_view))
            {
                continue;
            }

            if (asleep?[call] == true)
            {
                result.Pruned++;
            }
            else
            {
                result.Transitions++;
                Make(node, call, result);
            }
        }
    }

    private void Make(int node, int number, ExpansionResult result)
    {
        Call call = _scope.Alphabet[number].Call;
        Fingerprint broken;
        try
        {
            StepResult step = _walk.Try(call, out Reply actual, _check.Actual);
            IReadOnlyList<Rule> fired = _walk.Log.Rules;
            for (int at = 0; at < fired.Count; at++)
            {
                result.Rules[fired[at].Ordinal] = true;
            }

            if (_check.Compare(call, step, actual, _walk.Bindings) is { } fingerprint)
            {
                result.AddViolation(fingerprint, node, number);
            }
            else
            {
                Follow(step.State, node, number, result);
            }

            _walk.TakeBack();
            return;
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
        result.AddViolation(broken, node, number);
    }

    /// <summary>Looks whether the node that was reached is a new one. The invariants hold in a
    /// node when they hold in another with the same key, so only new ones are looked at.
    /// </summary>
    private void Follow(SpecState state, int node, int number, ExpansionResult result)
    {
        NodeKey key = _naming.KeyOf(state, _system);
        if (_known.Contains(key) || !_found.Add(key))
        {
            return;
        }

        if (_check.BrokenInvariant(state, _scope.Alphabet[number].Call) is { } broken)
        {
            _found.Remove(key);
            result.AddViolation(broken, node, number);
            return;
        }

        result.Found.Add(new FoundNode(key, node, number));
    }
}

/// <summary>The paths of a tree whose calls are those of a scope.</summary>
internal sealed class ScopePaths(Scope scope, NodeTree tree) : INodePaths
{
    public int ParentOf(int node) => tree.ParentOf(node);

    public Call CallTo(int node) => scope.Alphabet[tree.CallOf(node)].Call;
}

/// <summary>A node that was reached.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Parent">The node that it was reached from.</param>
/// <param name="Call">The call that led there, by its place in the alphabet.</param>
internal readonly record struct FoundNode(NodeKey Key, int Parent, int Call);

/// <summary>What expanding a run of nodes gave.</summary>
/// <param name="First">The first node.</param>
/// <param name="End">The one behind the last.</param>
internal sealed record ExpansionResult(int First, int End)
{
    /// <summary>Nodes that may be new, in the order in which they were reached.</summary>
    public List<FoundNode> Found { get; } = [];

    /// <summary>The first transition with each fingerprint that departs from the specification.
    /// </summary>
    public List<(Fingerprint Fingerprint, int Node, int Call)> Violations { get; } = [];

    /// <summary>Whether each rule fired, by <see cref="Rule.Ordinal"/>.</summary>
    public bool[] Rules { get; } = new bool[RuleCatalogue.Rules.Length];

    /// <summary>Calls made on both sides and compared.</summary>
    public long Transitions { get; set; }

    /// <summary>Calls that the reduction left out.</summary>
    public long Pruned { get; set; }

    /// <summary>Calls made again to come to the nodes.</summary>
    public long CallsAgain { get; set; }

    public void AddViolation(Fingerprint fingerprint, int node, int call)
    {
        if (!Violations.Any(known => known.Fingerprint.Equals(fingerprint)))
        {
            Violations.Add((fingerprint, node, call));
        }
    }
}
