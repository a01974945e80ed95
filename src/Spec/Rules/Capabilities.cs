using System.Collections.Immutable;
using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>Users, groups and capabilities (credentials(7), capabilities(7)), and limits.</summary>
internal static class Capabilities
{
    public static readonly RuleFamily Family = new("credentials");

    private readonly record struct Request(Credentials Who, ImmutableArray<int> Ids);

    private static readonly Guard<Request> BadUser = Family.Fails<Request>(
        EINVAL, "setuid.einval.uid", r => r.Ids[0] == -1,
        "The user is -1.", "kernel/sys.c:__sys_setuid; setuid(2)");

    private static readonly Guard<Request> NotUser = Family.Fails<Request>(
        EPERM, "setuid.eperm.uid",
        r => !r.Who.Has(CapabilitySet.CAP_SETUID)
            && r.Ids[0] != r.Who.Uid && r.Ids[0] != r.Who.Suid,
        "Without CAP_SETUID, a user that is neither the real nor the saved one.",
        "kernel/sys.c:__sys_setuid; setuid(2)");

    private static readonly Guard<Request> BadGroup = Family.Fails<Request>(
        EINVAL, "setgid.einval.gid", r => r.Ids[0] == -1,
        "The group is -1.", "kernel/sys.c:__sys_setgid; setgid(2)");

    private static readonly Guard<Request> NotGroup = Family.Fails<Request>(
        EPERM, "setgid.eperm.gid",
        r => !r.Who.Has(CapabilitySet.CAP_SETGID)
            && r.Ids[0] != r.Who.Gid && r.Ids[0] != r.Who.Sgid,
        "Without CAP_SETGID, a group that is neither the real nor the saved one.",
        "kernel/sys.c:__sys_setgid; setgid(2)");

    private static readonly Guard<Request> NotUsers = Family.Fails<Request>(
        EPERM, "setresuid.eperm.uid",
        r => !r.Who.Has(CapabilitySet.CAP_SETUID)
            && !Within(r.Ids, r.Who.Uid, r.Who.Euid, r.Who.Suid),
        "Without CAP_SETUID, a user that is neither the real, the effective nor the saved one.",
        "kernel/sys.c:__sys_setresuid; setresuid(2)");

    private static readonly Guard<Request> NotGroups = Family.Fails<Request>(
        EPERM, "setresgid.eperm.gid",
        r => !r.Who.Has(CapabilitySet.CAP_SETGID)
            && !Within(r.Ids, r.Who.Gid, r.Who.Egid, r.Who.Sgid),
        "Without CAP_SETGID, a group that is neither the real, the effective nor the saved one.",
        "kernel/sys.c:__sys_setresgid; setresgid(2)");

    private static readonly Guard<Request> MayNotSetGroups = Family.Fails<Request>(
        EPERM, "setgroups.eperm", r => !r.Who.Has(CapabilitySet.CAP_SETGID),
        "setgroups needs CAP_SETGID.", "kernel/groups.c:may_setgroups; setgroups(2)");

    private static readonly Guard<Request> BadGroups = Family.Fails<Request>(
        EINVAL, "setgroups.einval.gid", r => r.Ids.Contains(-1),
        "One of the groups is -1.", "kernel/groups.c:groups_from_user");

    private static readonly Guard<(Credentials Who, CapSet Call)>[] CapSetTests =
    [
        Family.Fails<(Credentials Who, CapSet Call)>(EPERM, "capset.eperm.permitted",
            r => (r.Call.Permitted & ~r.Who.Permitted) != 0,
            "A capability is to become permitted that is not.",
            "security/commoncap.c:cap_capset; capset(2)"),
        Family.Fails<(Credentials Who, CapSet Call)>(EPERM, "capset.eperm.effective",
            r => (r.Call.Effective & ~r.Call.Permitted) != 0,
            "A capability is to become effective that will not be permitted.",
            "security/commoncap.c:cap_capset; capset(2)"),
    ];

    private static readonly Rule Changed = Family.Effect("credentials.ok",
        "The thread has the new ids, groups or capabilities.", "credentials(7)");

    private static readonly Rule AllIds = Family.Effect("setid.ok.all",
        "setuid with CAP_SETUID, setgid with CAP_SETGID: real, effective and saved id; without, "
            + "only the effective one.",
        "kernel/sys.c:__sys_setuid, __sys_setgid; setuid(2)");

    private static readonly Rule LosesAll = Family.Effect("capabilities.lost",
        "When the last of real, effective and saved user leaves 0, all capabilities are lost; with "
            + "PR_SET_KEEPCAPS the permitted ones stay.",
        "security/commoncap.c:cap_emulate_setxuid; capabilities(7)");

    private static readonly Rule LosesEffective = Family.Effect("capabilities.ineffective",
        "When the effective user leaves 0, no capability is effective any more.",
        "security/commoncap.c:cap_emulate_setxuid; capabilities(7)");

    private static readonly Rule GainsEffective = Family.Effect("capabilities.effective",
        "When the effective user becomes 0, all permitted capabilities become effective.",
        "security/commoncap.c:cap_emulate_setxuid; capabilities(7)");

    private static readonly Rule LimitSet = Family.Effect("setrlimit.ok",
        "The soft limit of the process; hard limits are infinite.",
        "kernel/sys.c:do_prlimit; setrlimit(2)");

    private static readonly Guard<Request>[] SetUidTests = [BadUser, NotUser];
    private static readonly Guard<Request>[] SetGidTests = [BadGroup, NotGroup];
    private static readonly Guard<Request>[] SetResUidTests = [NotUsers];
    private static readonly Guard<Request>[] SetResGidTests = [NotGroups];
    private static readonly Guard<Request>[] SetGroupsTests = [MayNotSetGroups, BadGroups];

    public static StepResult Execute(Run run, SetUid call)
    {
        Credentials who = run.Who;
        bool all = who.Has(CapabilitySet.CAP_SETUID);
        return Change(run, SetUidTests, [call.Uid], AllIds, who with
        {
            Uid = all ? call.Uid : who.Uid,
            Euid = call.Uid,
            Suid = all ? call.Uid : who.Suid,
        });
    }

    public static StepResult Execute(Run run, SetGid call)
    {
        Credentials who = run.Who;
        bool all = who.Has(CapabilitySet.CAP_SETGID);
        return Change(run, SetGidTests, [call.Gid], AllIds, who with
        {
            Gid = all ? call.Gid : who.Gid,
            Egid = call.Gid,
            Sgid = all ? call.Gid : who.Sgid,
        });
    }

    public static StepResult Execute(Run run, SetResUid call)
    {
        Credentials who = run.Who;
        ImmutableArray<int> ids = [call.Real, call.Effective, call.Saved];
        return Change(run, SetResUidTests, ids, Changed, who with
        {
            Uid = call.Real == -1 ? who.Uid : call.Real,
            Euid = call.Effective == -1 ? who.Euid : call.Effective,
            Suid = call.Saved == -1 ? who.Suid : call.Saved,
        });
    }

    public static StepResult Execute(Run run, SetResGid call)
    {
        Credentials who = run.Who;
        ImmutableArray<int> ids = [call.Real, call.Effective, call.Saved];
        return Change(run, SetResGidTests, ids, Changed, who with
        {
            Gid = call.Real == -1 ? who.Gid : call.Real,
            Egid = call.Effective == -1 ? who.Egid : call.Effective,
            Sgid = call.Saved == -1 ? who.Sgid : call.Saved,
        });
    }

    public static StepResult Execute(Run run, SetGroups call) => Change(
        run, SetGroupsTests, call.Groups, Changed, run.Who with { Groups = call.Groups });

    public static StepResult Execute(Run run, CapSet call) =>
        run.Check(CapSetTests, (run.Who, call)) is { } failure
            ? run.Fails(failure)
            : Change(run, [], [], Changed, run.Who with
            {
                Permitted = call.Permitted & CapabilitySet.All,
                Effective = call.Effective & CapabilitySet.All,
            });

    public static StepResult Execute(Run run, KeepCaps call) =>
        Change(run, [], [], Changed, run.Who with { KeepCaps = call.Keep });

    public static StepResult Execute(Run run, SetRLimit call)
    {
        run.Put(call.Resource == Resource.RLIMIT_MEMLOCK
            ? run.Group with { MemLock = call.Limit }
            : run.Group with { AddressSpaceLimit = call.Limit });
        return run.Returns(LimitSet);
    }

    /// <summary>Credentials after execve of an ordinary program: the saved ids become the
    /// effective ones; a real or effective user 0 permits all capabilities, an effective one
    /// makes them effective; anybody else has none (security/commoncap.c:
    /// cap_bprm_creds_from_file).</summary>
    public static Credentials OfExec(Credentials who)
    {
        bool isRoot = who.Uid == 0 || who.Euid == 0;
        return who with
        {
            Suid = who.Euid,
            Sgid = who.Egid,
            Permitted = isRoot ? CapabilitySet.All : CapabilitySet.None,
            Effective = who.Euid == 0 ? CapabilitySet.All : CapabilitySet.None,
            KeepCaps = false,
        };
    }

    private static StepResult Change(
        Run run, Guard<Request>[] tests, ImmutableArray<int> ids, Rule rule, Credentials changed)
    {
        if (run.Check(tests, new Request(run.Who, ids)) is { } failure)
        {
            return run.Fails(failure);
        }

        run.Put(run.Caller with { Credentials = WithUsers(run, changed) });
        return run.Returns(rule);
    }

    /// <summary>What a change of users does to capabilities.</summary>
    private static Credentials WithUsers(Run run, Credentials changed)
    {
        Credentials old = run.Who;
        bool wasRoot = old.Uid == 0 || old.Euid == 0 || old.Suid == 0;
        bool isRoot = changed.Uid == 0 || changed.Euid == 0 || changed.Suid == 0;
        if (wasRoot && !isRoot)
        {
            run.Fire(LosesAll);
            changed = changed with
            {
                Permitted = old.KeepCaps ? old.Permitted : CapabilitySet.None,
                Effective = old.KeepCaps ? old.Effective : CapabilitySet.None,
            };
        }

        if (old.Euid == 0 && changed.Euid != 0)
        {
            run.Fire(LosesEffective);
            return changed with { Effective = CapabilitySet.None };
        }

        if (old.Euid != 0 && changed.Euid == 0)
        {
            run.Fire(GainsEffective);
            return changed with { Effective = changed.Permitted };
        }

        return changed;
    }

    private static bool Within(ImmutableArray<int> ids, int real, int effective, int saved)
    {
        foreach (int id in ids)
        {
            if (id != -1 && id != real && id != effective && id != saved)
            {
                return false;
            }
        }

        return true;
    }
}
