using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Harness.Exploring;

/// <summary>The departures from the specification that an exploration has found, each once, as
/// runs from the start.</summary>
internal sealed class ViolationList(Scope scope)
{
    private readonly HashSet<Fingerprint> _known = [];
    private readonly List<ExplorationViolation> _all = [];
    private readonly List<(int Node, int Call)> _places = [];

    public IReadOnlyList<ExplorationViolation> All => _all;

    /// <summary>Node and call of each.</summary>
    public IReadOnlyList<(int Node, int Call)> Places => _places;

    /// <summary>Whether the machine was wrong before the first call.</summary>
    public bool StartsWrong { get; private set; }

    public bool Contains(Fingerprint fingerprint) => _known.Contains(fingerprint);

    /// <summary>Looks at the machine before the first call.</summary>
    public void AddStart(ISystemFactory system)
    {
        RunRecord record = Run(system, []);
        StartsWrong = record.Divergence is not null;
        if (StartsWrong)
        {
            Add(record);
        }
    }

    /// <summary>Adds the call of a node at which the system departs.</summary>
    public void Add(ISystemFactory system, NodeTree tree, int node, int call)
    {
        var names = new FreshNames();
        Call[] calls = [.. tree.PathTo(node).Append(call)
            .Select(number => names.Apply(scope.Alphabet[number].Call))];
        RunRecord record = Run(system, calls);
        record.Divergence ??= new Divergence(
            calls.Length - 1, calls[^1], null,
            Fingerprint.Of("system.rollback", [], calls[^1].Kind),
            [
                new Difference(
                    "reply", "reply", "the same with and without going back to earlier states",
                    "it departs only after going back", ""),
            ]);
        if (!Contains(record.Divergence.Fingerprint))
        {
            _places.Add((node, call));
            Add(record);
        }
    }

    /// <summary>Adds a call that does not come back. No thread can be ended from outside, so it
    /// is not made again.</summary>
    public void Add(HungCall hung)
    {
        var names = new FreshNames();
        Add(HungRun.Record(hung with { Calls = [.. hung.Calls.Select(names.Apply)] }));
    }

    private void Add(RunRecord record)
    {
        _known.Add(record.Divergence!.Fingerprint);
        _all.Add(new ExplorationViolation(record.Divergence.Fingerprint, record));
    }

    private RunRecord Run(ISystemFactory system, Call[] calls)
    {
        var record = new RunRecord();
        new SequenceRunner(system).Run(
            scope.Machine, new CallList(calls), record, endProcesses: false);
        return record;
    }
}

/// <summary>Gives everything that is made a name of its own, where a scope uses names again.
/// </summary>
internal sealed class FreshNames : HandleMap
{
    private readonly Dictionary<AnyHandle, int> _now = new()
    {
        [AnyHandle.Of(ProcessHandle.First)] = 1,
    };

    private readonly Dictionary<char, int> _next = new() { ['p'] = 2, ['s'] = 1, ['a'] = 1 };

    protected override int Map(AnyHandle handle, bool binds)
    {
        if (binds)
        {
            _now[handle] = _next[handle.Kind]++;
        }

        return _now.GetValueOrDefault(handle, handle.Number);
    }
}
