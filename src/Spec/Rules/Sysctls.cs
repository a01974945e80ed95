using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>Writes to /proc/sys by root.</summary>
internal static class Sysctls
{
    public static readonly RuleFamily Family = new("sysctl");

    private static readonly Guard<(Sysctl Name, ulong Value)>[] SysctlTests =
    [
        Family.Fails<(Sysctl Name, ulong Value)>(EINVAL, "sysctl.einval.range",
            r => (long)r.Value < Range(r.Name).Least || (long)r.Value > Range(r.Name).Most,
            "The value is out of range: shmmni 0 to 32768, shm_rmid_forced 0 to 1, shm_next_id 0 "
                + "to INT_MAX, overcommit_memory 0 to 2, the page counts 0 to LONG_MAX, "
                + "overcommit_ratio and hugetlb_shm_group any int. shmmax and shmall take all.",
            "ipc/ipc_sysctl.c; kernel/sysctl.c:proc_dointvec_minmax"),
    ];

    private static readonly Rule Set = Family.Effect("sysctl.ok",
        "The knob has the value.", "Documentation/admin-guide/sysctl");

    private static readonly Rule Sweep = Family.Effect("sysctl.orphans",
        "Writing 1 to shm_rmid_forced destroys the segments of the namespace that have neither an "
            + "attach nor a creator.",
        "ipc/shm.c:shm_destroy_orphaned");

    public static StepResult Execute(Run run, SetSysctl call)
    {
        if (run.Check(SysctlTests, (call.Name, call.Value)) is { } failure)
        {
            return run.Fails(failure);
        }

        SpecState state = run.State;
        switch (call.Name)
        {
            case Sysctl.NrHugePages:
                Pool.Resize(run, call.Value);
                break;
            case Sysctl.NrOvercommitHugePages:
                run.State = state with { NrOvercommitHugePages = call.Value };
                break;
            case Sysctl.HugetlbShmGroup:
                run.State = state with { HugetlbShmGroup = (int)call.Value };
                break;
            case Sysctl.OvercommitMemory:
                run.State = state with { Overcommit = (OvercommitMode)call.Value };
                break;
            case Sysctl.OvercommitRatio:
                run.State = state with { OvercommitRatio = (int)call.Value };
                break;
            default:
                SetOfNamespace(run, call);
                break;
        }

        return run.Returns(Set);
    }

    private static void SetOfNamespace(Run run, SetSysctl call)
    {
        ulong number = call.InNamespaceOf.Number == 0 ? 0
            : (ulong)run.State.Tasks[(ulong)run.Resolve(call.InNamespaceOf)].Namespace;
        IpcNamespace ns = run.State.Namespaces[number];
        ns = call.Name switch
        {
            Sysctl.ShmMax => ns with { ShmMax = call.Value },
            Sysctl.ShmAll => ns with { ShmAll = call.Value },
            Sysctl.ShmMni => ns with { ShmMni = (int)call.Value },
            Sysctl.ShmRmidForced => ns with { RmidForced = call.Value == 1 },
            _ => ns with { NextId = (int)call.Value },
        };
        run.Put(ns);
        if (call.Name == Sysctl.ShmRmidForced && ns.RmidForced)
        {
            run.Fire(Sweep);
            foreach (Segment segment in run.State.Segments.Rows.Where(
                segment => segment.Namespace == ns.Number && segment.Creator == 0))
            {
                Lifetime.Test(run, segment);
            }
        }
    }

    private static (long Least, long Most) Range(Sysctl name) => name switch
    {
        Sysctl.ShmMni => (0, ShmId.IndexLimit),
        Sysctl.ShmRmidForced => (0, 1),
        Sysctl.ShmNextId => (0, int.MaxValue),
        Sysctl.OvercommitMemory => (0, 2),
        Sysctl.OvercommitRatio or Sysctl.HugetlbShmGroup => (int.MinValue, int.MaxValue),
        Sysctl.NrHugePages or Sysctl.NrOvercommitHugePages => (0, long.MaxValue),
        _ => (long.MinValue, long.MaxValue),
    };
}
