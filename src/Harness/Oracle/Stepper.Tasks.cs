using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>How tasks begin, execute, change namespaces and end.</summary>
internal sealed partial class Stepper
{
    /// <summary>Whether an operation can take effect when it begins, because nobody can see when
    /// it does.</summary>
    public static bool IsUnseen(Configuration at, Operation operation)
    {
        if (!at.State.Tasks.TryGet((ulong)operation.Task, out KernelTask? task))
        {
            return false;
        }

        bool isAlone = at.State.Tasks.Rows.Count(other => other.Space == task.Space) == 1;
        bool isEmpty = at.State.Spaces[task.Space].Mappings.Count == 0;
        return (operation.Kind, operation.Call?.Arguments) switch
        {
            (OperationKind.Exit, _) => !HasOrphans(at, task) && (isEmpty || !isAlone),
            (_, ExecArguments) => isEmpty || !isAlone,
            (_, VForkArguments) => true,
            (_, CloneArguments made) => made.Flags.Has(CloneArguments.CLONE_VM)
                || (isEmpty && isAlone),
            (_, ForkArguments) => isEmpty && isAlone,
            (_, UnshareArguments or SetNsArguments) => false,
            (_, SetIdArguments or SetGroupsArguments or CapSetArguments or PrctlArguments
                or RLimitArguments or MemFdCreateArguments) => true,
            _ => false,
        };
    }

    private static bool HasOrphans(Configuration at, KernelTask task) =>
        at.State.Segments.Rows.Any(segment => segment.Creator == task.Tid
            && at.State.Namespaces[(ulong)segment.Namespace].RmidForced);

    /// <summary>A task that the log does not show beginning: it was there before, or was made by
    /// a call that the log leaves out.</summary>
    public Configuration Appear(Configuration before, int task)
    {
        if (before.State.Tasks.Contains((ulong)task))
        {
            return before;
        }

        SpecState state = before.State;
        KernelTask first = _start!;
        ulong space = state.NextSpace;
        ThreadGroup limits = state.Groups.Count > 0 ? state.Groups.Rows[0]
            : new ThreadGroup { Tgid = task };
        _assumptions.Add("some processes began before the log, or unseen by it");
        return before with
        {
            OldSpaces = before.OldSpaces.Add(space),
            State = state with
            {
                NextSpace = space + 1,
                Spaces = state.Spaces.Set(space, new AddressSpace()),
                Groups = state.Groups.Set((ulong)task, limits with { Tgid = task }),
                Tasks = state.Tasks.Set((ulong)task, first with
                {
                    Tid = task, Tgid = task, Space = space, WaitsFor = 0,
                }),
            },
        };
    }

    private KernelTask? _start;

    /// <summary>What a task is like of which nothing is known.</summary>
    public void StartFrom(KernelTask task) => _start = task;

    private static CloneFlags FlagsOf(CloneArguments made) => (CloneFlags)made.Flags.Bits
        & (CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK | CloneFlags.CLONE_THREAD
            | CloneFlags.CLONE_NEWIPC);

    private IEnumerable<Configuration> Spawn(
        Configuration before, Operation operation, CloneFlags flags)
    {
        if (operation.Child == 0)
        {
            return [before];
        }

        if ((flags & CloneFlags.CLONE_NEWIPC) != 0
            && (_log.HasUserNamespaces || DoubtsCredentials))
        {
            return WithAllRights(before, operation.Task, raised =>
                Spawned(raised, operation, flags));
        }

        return Spawned(before, operation, flags);
    }

    private IEnumerable<Configuration> Spawned(
        Configuration before, Operation operation, CloneFlags flags)
    {
        ProcessHandle caller = HandleOf(operation.Task);
        int next = before.State.NextNamespace;
        (Configuration after, Reply reply, Rule? rule) =
            Step(before, new Clone(caller, flags, default), operation);
        if (reply is not Reply.Value)
        {
            Mismatch ??= $"seen: {operation.Call!.Result}; the specification allows: "
                + $"{Text(reply)} ({rule?.Id})";
            return [];
        }

        KernelTask child = TaskOf(after, operation.Child);
        if (after.OldSpaces.Contains(TaskOf(before, operation.Task).Space))
        {
            after = after with { OldSpaces = after.OldSpaces.Add(child.Space) };
        }

        if (after.State.NextNamespace != next)
        {
            after = after.With(next, NamespaceKnowledge.Empty);
        }

        if (!_visible.FollowsChildren && (flags & CloneFlags.CLONE_THREAD) == 0)
        {
            _assumptions.Add("children that the log does not follow may do anything");
            after = after with { HasStrangers = true };
        }
        else if (!_visible.FollowsChildren)
        {
            _assumptions.Add("threads that the log does not follow may do anything");
            after = after with
            {
                HasStrangers = true, OldSpaces = after.OldSpaces.Add(child.Space),
            };
        }

        return [after];
    }

    private IEnumerable<Configuration> Execute(Configuration before, Operation operation)
    {
        KernelTask caller = TaskOf(before, operation.Task);
        (Configuration after, Reply reply, _) = Step(
            before, new Exec(HandleOf(operation.Task)), operation);
        if (reply is Reply.Lost lost)
        {
            Mismatch ??= lost.Reason;
            return [];
        }

        KernelTask now = TaskOf(after, caller.Tgid);
        Credentials who = now.Credentials;
        bool keeps = caller.Credentials.Uid != 0 && caller.Credentials.Euid != 0;
        after = after.With(now with
        {
            Credentials = keeps ? who : who with
            {
                Permitted = who.Permitted & _log.Bounding,
                Effective = who.Effective & _log.Bounding,
            },
        });
        return [Leave(before, after, caller)];
    }

    /// <summary>After a task has left its address space: with the space may have gone attaches
    /// from before the log.</summary>
    private static Configuration Leave(
        Configuration before, Configuration after, KernelTask task)
    {
        if (after.State.Spaces.Contains(task.Space) || !before.OldSpaces.Contains(task.Space))
        {
            return after;
        }

        return after with
        {
            OldSpaces = after.OldSpaces.Remove(task.Space),
            Unknowns = after.Unknowns.SetItems(after.State.Segments.Rows.Select(segment =>
                KeyValuePair.Create(segment.Location.Value, after.UnknownOf(segment)))),
        };
    }

    private IEnumerable<Configuration> Exit(Configuration before, Operation operation)
    {
        KernelTask task = TaskOf(before, operation.Task);
        Configuration ready = task.WaitsFor == 0
            ? before : before.With(task with { WaitsFor = 0 });
        Configuration after = Step(ready, new Exit(HandleOf(operation.Task)), operation).After;
        return [Leave(before, after, task)];
    }

    private IEnumerable<Configuration> Unshare(
        Configuration before, Operation operation, UnshareArguments made)
    {
        if (!made.Flags.Has(CloneArguments.CLONE_NEWIPC))
        {
            return [before];
        }

        int next = before.State.NextNamespace;
        return WithAllRights(before, operation.Task, at => Plain(
                at, operation, new Abi.Unshare(HandleOf(operation.Task))))
            .Select(after => after.With(next, NamespaceKnowledge.Empty));
    }

    /// <summary>setns: into the namespace of a task that the path names, if it does; else which
    /// one it is is not known.</summary>
    private static IEnumerable<Configuration> Join(
        Configuration before, Operation operation, SetNsArguments made)
    {
        const ulong newIpc = CloneArguments.CLONE_NEWIPC;
        string path = made.Namespace.Path ?? "";
        bool isIpc = made.Types.Bits == 0 ? path.Contains("ipc", StringComparison.Ordinal)
            || path.Length == 0 : made.Types.Has(newIpc);
        if (!isIpc)
        {
            return [before];
        }

        string[] parts = path.Split('/');
        int at = Array.IndexOf(parts, "proc") + 1;
        bool isNamed = at > 0 && at < parts.Length
            && int.TryParse(parts[at], System.Globalization.CultureInfo.InvariantCulture, out _);
        int named = isNamed
            ? int.Parse(parts[at], System.Globalization.CultureInfo.InvariantCulture) : 0;
        if (isNamed && before.State.Tasks.TryGet((ulong)named, out KernelTask? target))
        {
            return [Entered(before, operation, target.Namespace)];
        }

        // Any namespace that there is, or one that the log knows nothing of.
        var nothing = new NamespaceKnowledge(false, null, null, KnownLimits.None);
        return
        [
            .. before.State.Namespaces.Rows.Select(ns => Entered(before, operation, ns.Number)),
            EnteredAnother(before, operation, nothing),
        ];
    }

    /// <summary>Enters a namespace that the log has not shown.</summary>
    private static Configuration EnteredAnother(
        Configuration before, Operation operation, NamespaceKnowledge knowledge)
    {
        int number = before.State.NextNamespace;
        Configuration after = before with
        {
            State = before.State with
            {
                NextNamespace = number + 1,
                Namespaces = before.State.Namespaces.Set(
                    (ulong)number, new IpcNamespace { Number = number }),
            },
        };
        return Entered(after, operation, number).With(number, knowledge);
    }

    private static Configuration Entered(Configuration before, Operation operation, int ns)
    {
        KernelTask caller = TaskOf(before, operation.Task);
        return before.With(caller with { Namespace = ns });
    }
}
