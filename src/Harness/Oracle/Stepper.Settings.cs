using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>Credentials, limits, and settings of the kernel.</summary>
internal sealed partial class Stepper
{
    private IEnumerable<Configuration> SetId(
        Configuration before, Operation operation, SetIdArguments made)
    {
        ProcessHandle caller = HandleOf(operation.Task);
        Credentials who = TaskOf(before, operation.Task).Credentials;
        Call? call = (made.Call, made.OfGroup) switch
        {
            (IdCall.Set, false) => new SetUid(caller, made.First),
            (IdCall.Set, true) => new SetGid(caller, made.First),
            (IdCall.SetRealEffectiveSaved, false) => new SetResUid(
                caller, made.First, made.Effective ?? -1, made.Saved ?? -1),
            (IdCall.SetRealEffectiveSaved, true) => new SetResGid(
                caller, made.First, made.Effective ?? -1, made.Saved ?? -1),
            (IdCall.SetRealEffective, false) => new SetResUid(
                caller, made.First, made.Effective ?? -1,
                SavedAfter(made, who.Uid, who.Euid)),
            (IdCall.SetRealEffective, true) => new SetResGid(
                caller, made.First, made.Effective ?? -1,
                SavedAfter(made, who.Gid, who.Egid)),
            _ => null,
        };
        return call is null ? [before] : OrDoubted(before, operation, call);
    }

    /// <summary>The saved id after setreuid or setregid (kernel/sys.c:__sys_setreuid).</summary>
    private static int SavedAfter(SetIdArguments made, int real, int effective)
    {
        int wanted = made.Effective ?? -1;
        bool changes = made.First != -1 || (wanted != -1 && wanted != real);
        return !changes ? -1 : wanted == -1 ? effective : wanted;
    }

    private IEnumerable<Configuration> SetGroups(
        Configuration before, Operation operation, SetGroupsArguments made) =>
        made.Groups.IsDefault ? [before]
            : OrDoubted(
                before, operation, new Abi.SetGroups(HandleOf(operation.Task), made.Groups));

    /// <summary>A change of credentials that succeeded: as the specification says, or by rights
    /// that the log does not show.</summary>
    private IEnumerable<Configuration> OrDoubted(
        Configuration before, Operation operation, Call call)
    {
        if (Match(before, call, operation) is { } plain)
        {
            return [plain];
        }

        return !DoubtsCredentials ? [] : [before];
    }

    private static IEnumerable<Configuration> SetCapabilities(
        Configuration before, Operation operation, CapSetArguments made)
    {
        if (made.Sets is not { } sets || (made.Process != 0 && made.Process != operation.Task))
        {
            return [before];
        }

        KernelTask caller = TaskOf(before, operation.Task);
        return
        [
            before.With(caller with
            {
                Credentials = caller.Credentials with
                {
                    Effective = (CapabilitySet)sets.Effective & CapabilitySet.All,
                    Permitted = (CapabilitySet)sets.Permitted & CapabilitySet.All,
                },
            }),
        ];
    }

    private IEnumerable<Configuration> KeepCapabilities(
        Configuration before, Operation operation, PrctlArguments made)
    {
        var call = new KeepCaps(HandleOf(operation.Task), made.Value is not (null or 0));
        return [Step(before, call, operation).After];
    }

    private static IEnumerable<Configuration> SetLimit(
        Configuration before, Operation operation, RLimitArguments made)
    {
        const int memlock = (int)Resource.RLIMIT_MEMLOCK;
        int task = made.Process == 0 ? operation.Task : made.Process;
        if (made.Resource != memlock || made.Change is not { } change
            || !before.State.Tasks.TryGet((ulong)task, out KernelTask? target))
        {
            return [before];
        }

        ThreadGroup group = before.State.Groups[(ulong)target.Tgid];
        return
        [
            before with
            {
                State = before.State with
                {
                    Groups = before.State.Groups.Set(
                        (ulong)target.Tgid, group with { MemLock = change.Soft }),
                },
            },
        ];
    }

    private IEnumerable<Configuration> Write(
        Configuration before, Operation operation, WriteArguments made)
    {
        StraceResult seen = operation.Call!.Result;
        if (KernelSettings.IsPool(made.Descriptor))
        {
            return [seen.Succeeded ? before with { Pool = PoolKnowledge.Nothing } : before];
        }

        Sysctl name = KernelSettings.NameOf(made.Descriptor)!.Value;
        if (!seen.Succeeded || KernelSettings.ValueOf(made) is not { } value)
        {
            return !seen.Succeeded ? [before] : name == Sysctl.ShmRmidForced
                ? [Step(before, new SetSysctl(name, 1, HandleOf(operation.Task)), operation).After,
                    Step(before, new SetSysctl(name, 0, HandleOf(operation.Task)), operation).After]
                : [Forget(before, operation, name)];
        }

        if (name is Sysctl.NrHugePages or Sysctl.NrOvercommitHugePages)
        {
            return [Resize(before, operation, name, value)];
        }

        var call = new SetSysctl(name, value, HandleOf(operation.Task));
        (Configuration after, Reply reply, Rule? rule) = Step(before, call, operation);
        if (reply is Reply.Error error)
        {
            Mismatch ??= $"seen: {seen}; the specification allows: -1 {error.Errno} ({rule!.Id})";
            return [];
        }

        return [Know(after, operation, name)];
    }

    /// <summary>A pool that grows may fall short.</summary>
    private Configuration Resize(
        Configuration before, Operation operation, Sysctl name, ulong value)
    {
        bool grows = name == Sysctl.NrHugePages && value > before.State.Pool.Persistent;
        var call = new SetSysctl(name, value, HandleOf(operation.Task));
        Configuration after = Step(before, call, operation).After;
        return grows ? DoubtPool(after) : after;
    }

    /// <summary>Somebody may have taken from the pool what the model does not count.</summary>
    private static Configuration DoubtPool(Configuration at) =>
        at.Pool == PoolKnowledge.All ? at with { Pool = PoolKnowledge.AtMost } : at;

    private static Configuration Know(Configuration at, Operation operation, Sysctl name)
    {
        int ns = TaskOf(at, operation.Task).Namespace;
        NamespaceKnowledge knowledge = at.KnowledgeOf(ns);
        return at.With(ns, knowledge with { Limits = knowledge.Limits | LimitOf(name) });
    }

    private static Configuration Forget(Configuration at, Operation operation, Sysctl name)
    {
        int ns = TaskOf(at, operation.Task).Namespace;
        NamespaceKnowledge knowledge = at.KnowledgeOf(ns);
        return at.With(ns, knowledge with { Limits = knowledge.Limits & ~LimitOf(name) });
    }

    private static KnownLimits LimitOf(Sysctl name) => name switch
    {
        Sysctl.ShmMax => KnownLimits.ShmMax,
        Sysctl.ShmAll => KnownLimits.ShmAll,
        Sysctl.ShmMni => KnownLimits.ShmMni,
        Sysctl.ShmRmidForced => KnownLimits.RmidForced,
        Sysctl.ShmNextId => KnownLimits.NextId,
        _ => KnownLimits.None,
    };
}
