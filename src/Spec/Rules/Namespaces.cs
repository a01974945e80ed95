using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>IPC namespaces: unshare(2) and setns(2).</summary>
internal static class Namespaces
{
    public static readonly RuleFamily Family = new("namespace");

    private static readonly Guard<Run> UnshareRight = Family.Fails<Run>(
        EPERM, "unshare.eperm", run => !run.Who.Has(CapabilitySet.CAP_SYS_ADMIN),
        "unshare and setns of IPC namespaces need CAP_SYS_ADMIN.",
        "kernel/nsproxy.c:unshare_nsproxy_namespaces; ipc/namespace.c:ipcns_install; unshare(2)");

    private static readonly Guard<Run>[] NamespaceTests =
    [
        UnshareRight,
        new(Machine.FailBookkeeping, run => run.Lacks(AllocationKind.Bookkeeping)),
    ];

    private static readonly Rule Unshared = Family.Effect("unshare.ok",
        "The thread is in a new, empty namespace; what it created in others loses its creator; its "
            + "attaches stay.",
        "kernel/fork.c:ksys_unshare; unshare(2)");

    private static readonly Rule Joined = Family.Effect("setns.ok",
        "The thread is in the namespace of the other one; it stays the creator of what it "
            + "created.",
        "ipc/namespace.c:ipcns_install; setns(2)");

    public static StepResult Execute(Run run, Unshare _)
    {
        if (run.Check(NamespaceTests, run) is { } failure)
        {
            return run.Fails(failure);
        }

        Lifetime.LoseCreator(run, run.Caller.Tid);
        run.Put(run.Caller with { Namespace = Create(run) });
        return run.Returns(Unshared);
    }

    public static StepResult Execute(Run run, SetNs call)
    {
        if (run.Check(NamespaceTests, run) is { } failure)
        {
            return run.Fails(failure);
        }

        int joined = run.State.Tasks[(ulong)run.Resolve(call.Target)].Namespace;
        run.Put(run.Caller with { Namespace = joined });
        return run.Returns(Joined);
    }

    /// <summary>An empty IPC namespace.</summary>
    public static int Create(Run run)
    {
        int number = run.State.NextNamespace;
        run.State = run.State with { NextNamespace = number + 1 };
        run.Put(new IpcNamespace { Number = number });
        return number;
    }
}
