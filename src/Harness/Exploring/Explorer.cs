using System.Diagnostics;
using System.Runtime.ExceptionServices;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Covers all sequences of calls of a scope, breadth first: every call at every node,
/// until no new node is found. A node is what specification and system are after a sequence, up
/// to names.</summary>
/// <remarks>Threads expand runs of nodes; this object takes what they found in the order of the
/// nodes, so that nodes are numbered, and counts come out, alike for any number of threads.
/// </remarks>
public sealed class Explorer
{
    private readonly ISystemFactory _factory;
    private readonly Scope _scope;
    private readonly ExplorationOptions _options;
    private readonly IProgress<ExplorationProgress>? _progress;
    private readonly CancellationToken _interrupted;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ViolationList _violations;
    private readonly bool[] _rules = new bool[RuleCatalogue.Rules.Length];
    private NodeTree _tree = new();
    private NodeSet _known = new();
    private TimeSpan _before;
    private int _expanded;
    private long _transitions;
    private long _pruned;
    private long _callsAgain;

    /// <summary>An exploration that is still to be run.</summary>
    /// <param name="factory">Starts the system. It must be one whose state can be saved
    /// (<see cref="ICheckpointable"/>), and have every call of the scope.</param>
    /// <param name="scope">What to cover.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told how far it has come.</param>
    /// <param name="interrupted">Ends the exploration; it can be saved and resumed.</param>
    public Explorer(
        ISystemFactory factory, Scope scope, ExplorationOptions options,
        IProgress<ExplorationProgress>? progress = null, CancellationToken interrupted = default)
    {
        _factory = factory;
        _scope = scope;
        _options = options;
        _progress = progress;
        _interrupted = interrupted;
        _violations = new ViolationList(scope);
    }

    /// <summary>Runs until nothing is left, a limit is reached, or a call does not come back,
    /// which is a violation that nothing can go on from.</summary>
    /// <exception cref="NotSupportedException">The system cannot be explored.</exception>
    /// <exception cref="SystemLostException">The system does not start.</exception>
    public ExplorationReport Run()
    {
        using var watch = new CallWatch(_options.Patience);
        ISystemFactory watched = watch.Watch(_factory);
        var end = ExplorationEnd.Hung;
        Exception? problem = null;
        var thread = new Thread(() =>
        {
            try
            {
                end = Cover(watched, watch);
            }
            catch (Exception thrown)
            {
                problem = thrown;
            }
        })
        {
            IsBackground = true,
            Name = "explore",
        };
        thread.Start();
        watch.Join(thread);
        if (watch.Found is { } hung)
        {
            if (hung.Calls.Count == 0)
            {
                throw new SystemLostException(
                    $"{_factory.Name} could not be started: it does not come back", null);
            }

            _violations.Add(hung);
            return Report(ExplorationEnd.Hung);
        }

        if (problem is not null)
        {
            ExceptionDispatchInfo.Throw(problem);
        }

        return Report(end);
    }

    /// <summary>Writes an exploration that has ended before it was closed, to be resumed.
    /// </summary>
    public void Save(string path) => new ExplorationFile(Identity).Write(path, new SavedExploration
    {
        Tree = _tree,
        Known = _known,
        Expanded = _expanded,
        Transitions = _transitions,
        Pruned = _pruned,
        CallsAgain = _callsAgain,
        Elapsed = _before + _clock.Elapsed,
        Rules = _rules,
        Violations = _violations.Places,
    });

    /// <summary>Becomes the exploration that <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">The file holds another exploration, or none.</exception>
    public void Resume(string path)
    {
        SavedExploration saved = new ExplorationFile(Identity).Read(path);
        _tree = saved.Tree;
        _known = saved.Known;
        _expanded = saved.Expanded;
        _transitions = saved.Transitions;
        _pruned = saved.Pruned;
        _callsAgain = saved.CallsAgain;
        _before = saved.Elapsed;
        saved.Rules.CopyTo(_rules, 0);
        foreach ((int node, int call) in saved.Violations)
        {
            _violations.Add(_factory, _tree, node, call);
        }
    }

    private string Identity => string.Join('\n',
    [
        $"{_factory.Name} {_factory.GetType().Module.ModuleVersionId}",
        $"{typeof(Specification).Module.ModuleVersionId}",
        $"{typeof(Explorer).Module.ModuleVersionId}",
        $"{_scope.Name} symmetry={_options.Symmetry} order={_options.PartialOrder}",
    ]);

    private ExplorationEnd Cover(ISystemFactory watched, CallWatch watch)
    {
        if (_known.Count == 0)
        {
            _violations.AddStart(watched);
            if (_violations.StartsWrong)
            {
                return ExplorationEnd.Closed;
            }
        }

        using (ISystemUnderTest system = SystemLostException.Start(watched, _scope.Machine))
        {
            if (system is not ICheckpointable
                || _scope.Alphabet.Any(call => !watched.Capabilities.Has(call.Call)))
            {
                throw new NotSupportedException($"{_factory.Name} cannot be explored: it lacks "
                    + "calls of the scope, or does not go back to states it was in");
            }
        }

        if (_known.Count == 0)
        {
            using var start = new Expansion(watched, _scope, _options, _tree, _known);
            _known.Add(start.KeyOfStart());
        }

        return Expand(watched, watch);
    }

    private ExplorationEnd Expand(ISystemFactory watched, CallWatch watch)
    {
        using var frontier = new Frontier(
            _options.Jobs, watch,
            () => new Expansion(watched, _scope, _options, _tree, _known));
        while (true)
        {
            if (watch.Found is not null)
            {
                return ExplorationEnd.Hung;
            }

            if (_interrupted.IsCancellationRequested)
            {
                return ExplorationEnd.Interrupted;
            }

            if (_known.Bytes + _known.GrowthBytes + _tree.Bytes > _options.Memory)
            {
                return ExplorationEnd.Memory;
            }

            int end = ExpansionEnd();
            if (_expanded >= end)
            {
                return end == _tree.Count ? ExplorationEnd.Closed : ExplorationEnd.Depth;
            }

            if (frontier.Take(_expanded, end) is { } result)
            {
                Take(watched, result);
            }

            ReportProgress();
        }
    }

    /// <summary>The node behind the last that may be expanded.</summary>
    private int ExpansionEnd() =>
        _options.Depth is { } depth && _tree.LevelStart(depth) is { } start ? start : _tree.Count;

    private void Take(ISystemFactory watched, ExpansionResult result)
    {
        _expanded = result.End;
        _transitions += result.Transitions;
        _pruned += result.Pruned;
        _callsAgain += result.CallsAgain;
        for (int rule = 0; rule < _rules.Length; rule++)
        {
            _rules[rule] |= result.Rules[rule];
        }

        foreach (FoundNode found in result.Found)
        {
            if (_known.Add(found.Key))
            {
                _tree.Add(found.Parent, found.Call);
            }
        }

        foreach ((Fingerprint fingerprint, int node, int call) in result.Violations)
        {
            if (!_violations.Contains(fingerprint))
            {
                _violations.Add(watched, _tree, node, call);
            }
        }
    }

    private void ReportProgress() => _progress?.Report(new ExplorationProgress(
        _tree.Count, _tree.Count - _expanded, _tree.Depth, _transitions,
        _before + _clock.Elapsed));

    private ExplorationReport Report(ExplorationEnd end) => new()
    {
        Scope = _scope,
        System = _factory.Name,
        Options = _options,
        End = end,
        States = _tree.Count,
        Frontier = _tree.Count - _expanded,
        Depth = _tree.Depth,
        Transitions = _transitions,
        Pruned = _pruned,
        CallsAgain = _callsAgain,
        Bytes = _known.Bytes + _tree.Bytes,
        Elapsed = _before + _clock.Elapsed,
        RulesFired = [.. RuleCatalogue.Rules.Where(r => _rules[r.Ordinal]).Select(r => r.Id)],
        Violations = [.. _violations.All],
    };
}
