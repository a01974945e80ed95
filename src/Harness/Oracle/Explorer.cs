using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>Takes a set of configurations through a log. Operations that overlap take effect in
/// any order: each when an observation needs it, as in the checking of linearizability.</summary>
internal sealed class Explorer(Script script, Stepper stepper)
{
    /// <summary>Configurations looked at for one observation.</summary>
    private const int Bound = 500;

    /// <summary>Configurations looked at for all observations together.</summary>
    private const int Budget = 25_000;

    private int _looked;

    private readonly List<Operation> _underWay = [];
    private readonly HashSet<int> _finished = [];
    private readonly HashSet<int> _counted = [];

    /// <summary>Calls compared so far.</summary>
    public int Checked { get; private set; }

    /// <summary>Calls that concern nothing that the specification knows.</summary>
    public int Passed { get; private set; }

    /// <summary>Whether the search was cut short anywhere.</summary>
    public bool WasBounded { get; private set; }

    /// <summary>Stages done.</summary>
    public int Progress { get; private set; }

    /// <summary>Where it failed, and why.</summary>
    public Failure? Failed { get; private set; }

    /// <summary>Whether the log is explained.</summary>
    public bool Explain(Configuration start)
    {
        List<Configuration> reached = [start];
        stepper.UnderWay = _underWay;
        foreach (Stage stage in script.Stages)
        {
            Progress++;
            reached = Advance(reached, stage);
            if (reached.Count == 0)
            {
                Failed = FailureAt(stage);
                return false;
            }
        }

        return true;
    }

    private List<Configuration> Advance(List<Configuration> reached, Stage stage)
    {
        if (stage.Kind == StageKind.Appear)
        {
            return [.. reached.Select(at => stepper.Appear(at, stage.Task))];
        }

        Operation operation = stage.Operation!;
        if (_finished.Contains(operation.Number))
        {
            return reached;
        }

        switch (stage.Kind)
        {
            case StageKind.Begin:
                return Begin(reached, operation);
            case StageKind.Abandon:
                return Abandon(reached, operation);
            default:
                return Complete(reached, operation);
        }
    }

    /// <summary>A call of which no end is shown: it has taken effect, or it never will.</summary>
    private List<Configuration> Abandon(List<Configuration> reached, Operation operation)
    {
        _finished.Add(operation.Number);
        List<Configuration> done = Search(reached, operation);
        _underWay.RemoveAll(other => other.Number == operation.Number);
        return Layers.Distinct(reached.Where(at => !at.Done.Contains(operation.Number))
            .Concat(done));
    }

    private List<Configuration> Begin(List<Configuration> reached, Operation operation)
    {
        bool isOnMappings = operation.Call is { } call && operation.Kind == OperationKind.Call
            && Stepper.IsOnMappings(call.Arguments);
        bool isPlain = isOnMappings && !reached.Exists(at => Stepper.Touches(at, operation));
        if (isPlain && !IsHugeMapping(operation))
        {
            _finished.Add(operation.Number);
            Passed++;
            return reached;
        }

        if (operation.Kind == OperationKind.Call && _counted.Add(operation.Number))
        {
            Checked++;
        }

        if (!operation.IsSplit || isPlain
            || reached.TrueForAll(at => Stepper.IsUnseen(at, operation)))
        {
            return Complete(reached, operation);
        }

        _underWay.Add(operation);
        return reached;
    }

    private static bool IsHugeMapping(Operation operation) =>
        operation.Call!.Arguments is MMapArguments made
        && (made.Flags.Bits & MMapArguments.MAP_HUGETLB) != 0;

    private List<Configuration> Complete(List<Configuration> reached, Operation operation)
    {
        stepper.Mismatch = null;
        _finished.Add(operation.Number);
        bool isAlone = _underWay.Count == 0 && reached.Count == 1;
        List<Configuration> after = isAlone
            ? [.. stepper.Apply(reached[0], operation)] : Search(reached, operation);
        after = isAlone && after.Count > 1 ? Layers.Distinct(after) : after;
        _underWay.RemoveAll(other => other.Number == operation.Number);
        return after;
    }

    /// <summary>All ways in which an operation can have taken effect by now, with others under
    /// way before it where that makes a difference.</summary>
    private List<Configuration> Search(List<Configuration> reached, Operation operation)
    {
        Operation[] others = Interfering(reached, operation);
        var found = new Layers();
        var layers = new Layers();
        reached.ForEach(at => layers.Add(Read(at, others)));
        int looked = 0;
        while (layers.TakeLowest() is { } layer)
        {
            foreach (Configuration at in layer)
            {
                looked++;
                foreach (Configuration after in Finish(at, operation))
                {
                    found.Add(after);
                }

                if (looked < Bound && _looked < Budget)
                {
                    foreach (Configuration next in Steps(at, others))
                    {
                        layers.Add(Read(next, others));
                    }
                }
            }
        }

        _looked += looked;
        WasBounded |= looked >= Bound || _looked >= Budget;
        return WithoutCovered(found, others);
    }

    /// <summary>The operations under way whose order with an operation can matter, directly or
    /// by others.</summary>
    private Operation[] Interfering(List<Configuration> reached, Operation operation)
    {
        var left = _underWay.Where(other => other.Number != operation.Number)
            .Select(other => (Operation: other, Footprint: Footprint.Of(reached, other))).ToList();
        var chosen = new List<Operation>();
        var edge = new Queue<Footprint>([Footprint.Of(reached, operation)]);
        while (edge.TryDequeue(out Footprint? footprint))
        {
            foreach (var other in left.Where(other => other.Footprint.Meets(footprint)).ToList())
            {
                left.Remove(other);
                chosen.Add(other.Operation);
                edge.Enqueue(other.Footprint);
            }
        }

        return [.. chosen.OrderBy(other => other.Number)];
    }

    /// <summary>Whatever can be reached from a configuration later need not be kept beside it.
    /// </summary>
    private List<Configuration> WithoutCovered(Layers found, Operation[] others)
    {
        var kept = new List<Configuration>();
        var covered = new Dictionary<string, (Configuration At, int From)>();
        while (found.TakeLowest() is { } layer)
        {
            foreach (Configuration at in layer)
            {
                if (covered.TryGetValue(at.Digest(), out (Configuration At, int From) known)
                    && known.At.Includes(at))
                {
                    Configuration origin = kept[known.From];
                    kept[known.From] = origin with
                    {
                        Timeline = origin.Timeline.Or(at.Timeline),
                    };
                    continue;
                }

                kept.Add(at);
                if (found.Count > 0)
                {
                    Cover(covered, at, others, kept.Count - 1);
                }
            }
        }

        return kept;
    }

    private void Cover(
        Dictionary<string, (Configuration At, int From)> covered, Configuration from,
        Operation[] others, int index)
    {
        var layers = new Layers();
        layers.Add(from);
        while (layers.TakeLowest() is { } layer)
        {
            foreach (Configuration at in layer)
            {
                string digest = at.Digest();
                if (!covered.TryGetValue(digest, out (Configuration At, int From) known)
                    || !known.At.Includes(at))
                {
                    covered[digest] = (at, index);
                }

                if (covered.Count < Bound)
                {
                    foreach (Configuration next in Steps(at, others))
                    {
                        layers.Add(next);
                    }
                }
            }
        }
    }

    /// <summary>Observations under way that agree, and teach nothing, have been made: it would be
    /// in vain to make them later.</summary>
    private Configuration Read(Configuration at, Operation[] others)
    {
        Configuration read = at;
        foreach (Operation other in others)
        {
            if (other.Call?.Arguments is not ShmCtlArguments made || !Stepper.IsObservation(made)
                || read.Done.Contains(other.Number))
            {
                continue;
            }

            List<Configuration> after = [.. stepper.Apply(read, other)];
            if (after.Count == 1 && ReferenceEquals(after[0].State.Segments, read.State.Segments)
                && after[0].Trails == read.Trails && after[0].Unknowns == read.Unknowns)
            {
                read = read with { Done = read.Done.Add(other.Number) };
            }
        }

        return read;
    }

    private IEnumerable<Configuration> Finish(Configuration at, Operation operation) =>
        at.Done.Contains(operation.Number)
            ? [at with { Done = at.Done.Remove(operation.Number) }]
            : stepper.Apply(at, operation);

    private IEnumerable<Configuration> Steps(Configuration at, Operation[] others)
    {
        foreach (Operation other in others)
        {
            if (at.Done.Contains(other.Number))
            {
                continue;
            }

            foreach (Configuration next in stepper.Apply(at, other))
            {
                yield return next with { Done = next.Done.Add(other.Number) };
            }
        }
    }

    private Failure FailureAt(Stage stage)
    {
        StraceCall? call = stage.Operation?.Kind == OperationKind.Call
            ? stage.Operation.Call : null;
        SourcePosition where = call?.Exit ?? stage.Event.Position;
        string subject = call?.ToString() ?? $"the end of process {stage.Operation?.Task}";
        return new Failure(where, $"{subject}: {stepper.Mismatch ?? "no order of the calls "
            + "under way explains it"}");
    }
}

/// <summary>What could not be explained.</summary>
/// <param name="Where">The line.</param>
/// <param name="Reason">The call, what was seen, and what the specification allows.</param>
internal sealed record Failure(SourcePosition Where, string Reason);
