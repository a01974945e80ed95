using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>Takes configurations through operations of a log, by the specification. What comes
/// out is empty when the log shows an outcome that the specification does not allow.</summary>
internal sealed partial class Stepper
{
    private readonly Visibility _visible;
    private readonly LogKnowledge _log;
    private readonly Bindings _bindings = new();
    private readonly Dictionary<int, ProcessHandle> _handles = [];
    private readonly LogChoices _choices = new();
    private readonly StepContext _context;
    private readonly Assumptions _assumptions;

    public Stepper(LogKnowledge log, Visibility visible, Assumptions assumptions)
    {
        (_log, _visible, _assumptions) = (log, visible, assumptions);
        _context = new StepContext(_bindings, _choices, new StepLog());
    }

    /// <summary>Operations under way, set by whoever explores.</summary>
    public IReadOnlyCollection<Operation> UnderWay { get; set; } = [];

    /// <summary>Why the last operation that could not be explained could not be: what was seen,
    /// and what the specification allows.</summary>
    public string? Mismatch { get; set; }

    /// <summary>What an operation makes of a configuration: several where the log leaves open
    /// what happened, none where it cannot have happened.</summary>
    public IEnumerable<Configuration> Apply(Configuration before, Operation operation)
    {
        if (!before.State.Tasks.Contains((ulong)operation.Task))
        {
            Mismatch ??= $"process {operation.Task} does not exist";
            return [];
        }

        if (operation.Kind == OperationKind.Exit)
        {
            return Exit(before, operation);
        }

        List<Configuration> after = [.. ApplyCall(before, operation)];
        return after.Count > 0 || !_visible.HidesNamespaces
            || operation.Call!.Arguments is not (ShmGetArguments or ShmAtArguments
                or ShmCtlArguments)
            ? after : Elsewhere(before, operation);
    }

    /// <summary>The caller has gone unseen to another namespace that is known.</summary>
    private IEnumerable<Configuration> Elsewhere(Configuration before, Operation operation)
    {
        int here = TaskOf(before, operation.Task).Namespace;
        if (before.State.Namespaces.Count < 2)
        {
            return [];
        }

        return before.State.Namespaces.Rows.Where(ns => ns.Number != here).SelectMany(
            ns => ApplyCall(Entered(before, operation, ns.Number), operation));
    }

    private IEnumerable<Configuration> ApplyCall(Configuration before, Operation operation)
    {
        return operation.Call!.Arguments switch
        {
            ShmGetArguments made => Get(before, operation, made),
            ShmAtArguments made => Attach(before, operation, made),
            ShmDtArguments made => Detach(before, operation, made),
            ShmCtlArguments made => Control(before, operation, made),
            ForkArguments => Spawn(before, operation, CloneFlags.None),
            VForkArguments => Spawn(
                before, operation, CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK),
            CloneArguments made => Spawn(before, operation, FlagsOf(made)),
            ExecArguments => Execute(before, operation),
            UnshareArguments made => Unshare(before, operation, made),
            SetNsArguments made => Join(before, operation, made),
            SetIdArguments made => SetId(before, operation, made),
            SetGroupsArguments made => SetGroups(before, operation, made),
            CapSetArguments made => SetCapabilities(before, operation, made),
            PrctlArguments made => KeepCapabilities(before, operation, made),
            RLimitArguments made => SetLimit(before, operation, made),
            WriteArguments made => Write(before, operation, made),
            MemFdCreateArguments => [DoubtPool(before)],
            _ => ChangeMappings(before, operation),
        };
    }

    /// <summary>A name for a task in calls of the specification.</summary>
    private ProcessHandle HandleOf(int task)
    {
        if (!_handles.TryGetValue(task, out ProcessHandle handle))
        {
            handle = new ProcessHandle(_handles.Count + 1);
            _handles[task] = handle;
            _bindings.Bind(handle, task);
        }

        return handle;
    }

    private static KernelTask TaskOf(Configuration at, int task) => at.State.Tasks[(ulong)task];

    private static AddressSpace SpaceOf(Configuration at, int task) =>
        at.State.Spaces[TaskOf(at, task).Space];

    private static NamespaceKnowledge KnowledgeFor(Configuration at, int ns) => at.HasStrangers
        ? at.KnowledgeOf(ns) with
        {
            Identifiers = false, HiddenSegments = null, HiddenPages = null,
        }
        : at.KnowledgeOf(ns);

    /// <summary>Executes a call; the reply is not compared with anything.</summary>
    private (Configuration After, Reply Reply, Rule? Rule) Step(
        Configuration before, Call call, Operation operation)
    {
        if (!Specification.CanExecute(before.State, call, _bindings))
        {
            return (before, new Reply.Lost("the caller waits for its vfork child"), null);
        }

        _context.Now = operation.Span;
        _choices.Result = operation.Call?.Result is { Kind: ResultKind.Value } seen
            ? seen.Value : null;
        _choices.Child = operation.Child;
        KernelTask caller = TaskOf(before, operation.Task);
        _choices.Namespace = before.State.Namespaces[(ulong)caller.Namespace];
        _choices.PredictsIdentifiers = KnowledgeFor(before, caller.Namespace).Identifiers;
        StepResult result = Specification.Step(before.State, call, _context);
        return (Settle(before, result.State, operation.Span), result.Reply, result.Rule);
    }

    /// <summary>Executes a call whose reply must be the one that the log shows.</summary>
    private Configuration? Match(Configuration before, Call call, Operation operation)
    {
        (Configuration after, Reply reply, Rule? rule) = Step(before, call, operation);
        if (reply is Reply.Lost lost)
        {
            Mismatch ??= lost.Reason;
            return null;
        }

        if (Agrees(operation.Call!, reply))
        {
            return after;
        }

        Mismatch ??= $"seen: {operation.Call!.Result}; the specification allows: "
            + $"{Text(reply)} ({rule!.Id}: {rule.Statement} [{rule.Source}])";
        return null;
    }

    private static bool Agrees(StraceCall call, Reply reply) => (call.Result.Kind, reply) switch
    {
        (ResultKind.Value, Reply.Value value) => value.Result == call.Result.Value
            || (call.Arguments is ShmAtArguments { ResultIsHidden: true }),
        (ResultKind.Error, Reply.Error error) => error.Errno == call.Result.Errno,
        (ResultKind.None or ResultKind.Unavailable or ResultKind.NoReturn, _) => true,
        _ => false,
    };

    private static string Text(Reply reply) => reply switch
    {
        Reply.Value { Result: > ShmId.IndexLimit * 65536L } value => $"0x{value.Result:x}",
        Reply.Value value => $"{value.Result}",
        Reply.Error error => $"-1 {error.Errno}",
        _ => $"{reply}",
    };

    /// <summary>The state after a step, and what is still not known of it.</summary>
    private static Configuration Settle(Configuration before, SpecState after, Stamp span)
    {
        Configuration settled = before with { State = after };
        foreach ((ulong key, ImmutableArray<Trail> trails) in before.Trails)
        {
            bool lives = after.Segments.TryGet(key, out Segment? now)
                && now.Id == before.State.Segments[key].Id;
            settled = lives
                ? settled.With(now!, trails.Select(trail => trail.After(now!, span)))
                : settled with { Trails = settled.Trails.Remove(key) };
        }

        foreach ((ulong key, Unknown unknown) in before.Unknowns)
        {
            Segment old = before.State.Segments[key];
            if (!after.Segments.TryGet(key, out Segment? now) || now.Id != old.Id)
            {
                settled = settled with { Unknowns = settled.Unknowns.Remove(key) };
                continue;
            }

            Unknown left = unknown;
            left &= now.AttachTime == old.AttachTime
                ? left : ~(Unknown.AttachTime | Unknown.LastPid);
            left &= now.DetachTime == old.DetachTime
                ? left : ~(Unknown.DetachTime | Unknown.LastPid);
            left &= now.ChangeTime == old.ChangeTime
                ? left : ~(Unknown.ChangeTime | Unknown.Owner | Unknown.Mode);
            settled = left == unknown ? settled : settled.With(now, left);
        }

        return settled;
    }

    /// <summary>As if the caller had all rights; what it does leaves its credentials alone.
    /// </summary>
    private static IEnumerable<Configuration> WithAllRights(
        Configuration before, int task, Func<Configuration, IEnumerable<Configuration>> attempt)
    {
        KernelTask caller = TaskOf(before, task);
        Configuration raised = before.With(caller with
        {
            Credentials = caller.Credentials with
            {
                Effective = CapabilitySet.All, Permitted = CapabilitySet.All,
            },
        });
        foreach (Configuration after in attempt(raised))
        {
            yield return after.State.Tasks.TryGet((ulong)task, out KernelTask? now)
                ? after.With(now with { Credentials = caller.Credentials }) : after;
        }
    }

    private static bool WasAttached(Segment segment) => segment.AttachTime != Stamp.Never;

    /// <summary>Mappings of a segment that the log shows.</summary>
    private static ulong OwnAttaches(Configuration at, Segment segment)
    {
        ulong count = 0;
        foreach (AddressSpace space in at.State.Spaces.Rows)
        {
            foreach (Mapping mapping in space.Mappings.Rows)
            {
                count += mapping.Segment == segment.Location ? 1ul : 0;
            }
        }

        return count;
    }
}
