using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>shmctl(2).</summary>
internal static class ShmCtl
{
    public static readonly RuleFamily Family = new("shmctl");

    private sealed record Request(Run Run, int Id, bool BadBuffer = false, ShmCtlSet? Set = null)
    {
        public Segment? Segment => Run.FindSegment(Id);
        public Segment? AtIndex => Run.AtIndex(Id);
        public bool MayLock => Run.Who.Has(CapabilitySet.CAP_IPC_LOCK);

        public bool Owns => Run.Who.Euid == Segment!.Uid || Run.Who.Euid == Segment.Cuid;
    }

    private static readonly Guard<Request> NegativeId = Family.Fails<Request>(
        EINVAL, "shmctl.einval.negative-id", r => r.Id < 0,
        "The identifier is negative; with IPC_INFO and SHM_INFO too, which ignore it otherwise.",
        "ipc/shm.c:ksys_shmctl");

    private static readonly Guard<Request> BadSetBuffer = Family.Fails<Request>(
        EFAULT, "shmctl.efault.set", r => r.BadBuffer,
        "IPC_SET reads its buffer before it looks at anything else, and cannot.",
        "ipc/shm.c:ksys_shmctl; shmctl(2)");

    private static readonly Guard<Request> UnknownId = Family.Fails<Request>(
        EINVAL, "shmctl.einval.id", r => r.Segment is null,
        "No segment has the identifier; one with another sequence number does not.",
        "ipc/util.c:ipc_obtain_object_check; shmctl(2)");

    private static readonly Guard<Request> UnknownIndex = Family.Fails<Request>(
        EINVAL, "shmctl.einval.index", r => r.AtIndex is null,
        "No segment is at the index; SHM_STAT and SHM_STAT_ANY cut an identifier down to it.",
        "ipc/util.c:ipc_obtain_object_idr; shmctl(2)");

    private static readonly Guard<Request> NotReadable = Family.Fails<Request>(
        EACCES, "shmctl.eacces.read",
        r => !Permissions.Grants(r.Run.Who, r.AtIndex!, Permissions.Read),
        "IPC_STAT and SHM_STAT need the right to read; SHM_STAT_ANY needs none.",
        "ipc/shm.c:shmctl_stat; shmctl(2)");

    private static readonly Guard<Request> BadBuffer = Family.Fails<Request>(
        EFAULT, "shmctl.efault.result", r => r.BadBuffer,
        "The result cannot be written to the buffer; this is found last.",
        "ipc/shm.c:ksys_shmctl; shmctl(2)");

    private static readonly Guard<Request> NotController = Family.Fails<Request>(
        EPERM, "shmctl.eperm.owner", r => !Permissions.Controls(r.Run.Who, r.Segment!),
        "IPC_SET and IPC_RMID need the effective user to be the owner or the creator, or "
            + "CAP_SYS_ADMIN.",
        "ipc/util.c:ipcctl_obtain_check; shmctl(2)");

    private static readonly Guard<Request> BadOwner = Family.Fails<Request>(
        EINVAL, "shmctl.einval.owner", r => r.Set!.Uid == -1 || r.Set.Gid == -1,
        "IPC_SET of user or group -1.", "ipc/util.c:ipc_update_perm");

    private static readonly Guard<Request> NotLocker = Family.Fails<Request>(
        EPERM, "shmctl.eperm.lock", r => !r.MayLock && !r.Owns,
        "SHM_LOCK and SHM_UNLOCK need the effective user to be the owner or the creator, or "
            + "CAP_IPC_LOCK.",
        "ipc/shm.c:shmctl_do_lock; shmctl(2)");

    private static readonly Guard<Request> NoLockLimit = Family.Fails<Request>(
        EPERM, "shmctl.eperm.memlock-zero", r => !r.MayLock && r.Run.Group.MemLock == 0,
        "SHM_LOCK with RLIMIT_MEMLOCK 0, also of a segment that is locked already; CAP_IPC_LOCK "
            + "overrides.",
        "ipc/shm.c:shmctl_do_lock; shmctl(2)");

    private static readonly Guard<Request> LockLimit = Family.Fails<Request>(
        ENOMEM, "shmctl.enomem.memlock",
        r => r.Segment is { IsLocked: false, Object.IsHuge: false } segment
            && !ShmLock.Charge(r.Run, r.Run.Pages(segment.Object.Length)),
        "All segments that the real user locked would, with this one, exceed RLIMIT_MEMLOCK of "
            + "the caller; what mlock locked does not count. CAP_IPC_LOCK overrides.",
        "mm/mlock.c:user_shm_lock; shmctl(2)");

    private static readonly Rule UnknownCommand = Family.Error(EINVAL, "shmctl.einval.command",
        "The command is none of those there are, or negative.",
        "ipc/shm.c:ksys_shmctl; shmctl(2)");

    private static readonly Guard<Request>[] StatTests =
        [NegativeId, UnknownId, NotReadable, BadBuffer];

    private static readonly Guard<Request>[] StatIndexTests =
        [NegativeId, UnknownIndex, NotReadable, BadBuffer];

    private static readonly Guard<Request>[] StatAnyTests = [NegativeId, UnknownIndex, BadBuffer];
    private static readonly Guard<Request>[] InfoTests = [NegativeId, BadBuffer];

    private static readonly Guard<Request>[] SetTests =
        [NegativeId, BadSetBuffer, UnknownId, NotController, BadOwner];

    private static readonly Guard<Request>[] RmidTests = [NegativeId, UnknownId, NotController];

    private static readonly Guard<Request>[] LockTests =
        [NegativeId, UnknownId, NotLocker, NoLockLimit, LockLimit];

    private static readonly Guard<Request>[] UnlockTests = [NegativeId, UnknownId, NotLocker];

    private static readonly Rule Stat = Family.Effect("shmctl.ok.stat",
        "IPC_STAT: the data of the segment; the mode shows SHM_DEST and SHM_LOCKED.",
        "ipc/shm.c:shmctl_stat; shmctl(2)");

    private static readonly Rule StatIndex = Family.Effect("shmctl.ok.stat-index",
        "SHM_STAT and SHM_STAT_ANY: the same by index; returns the identifier.",
        "ipc/shm.c:shmctl_stat; shmctl(2)");

    private static readonly Rule IpcInfo = Family.Effect("shmctl.ok.ipc-info",
        "IPC_INFO: the limits; returns the highest index in use, 0 if there is none.",
        "ipc/shm.c:shmctl_ipc_info; shmctl(2)");

    private static readonly Rule ShmInfo = Family.Effect("shmctl.ok.shm-info",
        "SHM_INFO: segments, their pages, and how many of those are in memory (C, D, allocated "
            + "huge pages) and in swap (S, W), all in base pages; returns the highest index.",
        "ipc/shm.c:shmctl_shm_info, shm_add_rss_swap; shmctl(2)");

    private static readonly Rule SetOwner = Family.Effect("shmctl.ok.set",
        "IPC_SET: owner, group and the nine mode bits; ctime = now. SHM_DEST and SHM_LOCKED stay.",
        "ipc/util.c:ipc_update_perm; shmctl(2)");

    private static readonly Rule Removed = Family.Effect("shmctl.ok.rmid",
        "IPC_RMID of a segment without attach destroys it.",
        "ipc/shm.c:do_shm_rmid; shmctl(2)");

    private static readonly Rule Marked = Family.Effect("shmctl.ok.rmid-attached",
        "IPC_RMID of an attached segment marks it (SHM_DEST) and makes its key IPC_PRIVATE, so "
            + "that the key is free at once; repeating it changes nothing.",
        "ipc/shm.c:do_shm_rmid; shmctl(2)");

    private static readonly Rule Locked = Family.Effect("shmctl.ok.lock",
        "SHM_LOCK: pages in memory stay there; nothing is faulted in or swapped in. The pages of "
            + "the segment are charged to the real user.",
        "ipc/shm.c:shmctl_do_lock; mm/shmem.c:shmem_lock");

    private static readonly Rule AlreadyLocked = Family.Effect("shmctl.ok.lock-again",
        "SHM_LOCK of a locked segment changes nothing, whoever locked it.",
        "mm/shmem.c:shmem_lock");

    private static readonly Rule LockedHuge = Family.Effect("shmctl.ok.lock-huge",
        "SHM_LOCK and SHM_UNLOCK of a huge segment change nothing.",
        "ipc/shm.c:shmctl_do_lock");

    private static readonly Rule Unlocked = Family.Effect("shmctl.ok.unlock",
        "SHM_UNLOCK gives the charge back to the user that was charged; nothing happens to a "
            + "segment that is not locked.",
        "ipc/shm.c:shmctl_do_lock; mm/shmem.c:shmem_lock");

    public static StepResult Execute(Run run, ShmCtlStat call)
    {
        var request = new Request(run, run.Resolve(call.Segment), call.BadBuffer);
        return run.Check(StatTests, request) is { } failure
            ? run.Fails(failure) : run.Returns(Stat, 0, StatOf(request.Segment!));
    }

    public static StepResult Execute(Run run, ShmCtlStatIndex call)
    {
        var request = new Request(run, run.Resolve(call.Segment), call.BadBuffer);
        return run.Check(call.Any ? StatAnyTests : StatIndexTests, request) is { } failure
            ? run.Fails(failure)
            : run.Returns(StatIndex, request.AtIndex!.Id.Value, StatOf(request.AtIndex));
    }

    public static StepResult Execute(Run run, ShmCtlIpcInfo call)
    {
        var request = new Request(run, run.Resolve(call.Segment), call.BadBuffer);
        IpcNamespace ns = run.Namespace;
        var limits = new ShmLimits(
            ns.ShmMax, 1, (ulong)ns.ShmMni, (ulong)ns.ShmMni, ns.ShmAll);
        return run.Check(InfoTests, request) is { } failure
            ? run.Fails(failure)
            : run.Returns(IpcInfo, Observe.HighestIndex(run.State, ns.Number), limits);
    }

    public static StepResult Execute(Run run, ShmCtlShmInfo call)
    {
        var request = new Request(run, run.Resolve(call.Segment), call.BadBuffer);
        int ns = run.Caller.Namespace;
        return run.Check(InfoTests, request) is { } failure
            ? run.Fails(failure)
            : run.Returns(
                ShmInfo, Observe.HighestIndex(run.State, ns), Observe.Totals(run.State, ns));
    }

    public static StepResult Execute(Run run, ShmCtlOther _) => run.Fails(UnknownCommand);

    public static StepResult Execute(Run run, ShmCtlSet call)
    {
        var request = new Request(run, run.Resolve(call.Segment), call.BadBuffer, call);
        if (run.Check(SetTests, request) is { } failure)
        {
            return run.Fails(failure);
        }

        run.Put(request.Segment! with
        {
            Uid = call.Uid,
            Gid = call.Gid,
            Mode = call.Mode & ShmGetFlags.ModeMask,
            ChangeTime = run.Context.Now,
        });
        return run.Returns(SetOwner);
    }

    public static StepResult Execute(Run run, ShmCtlRmid call)
    {
        var request = new Request(run, run.Resolve(call.Segment));
        if (run.Check(RmidTests, request) is { } failure)
        {
            return run.Fails(failure);
        }

        Segment segment = request.Segment!;
        if (segment.Attaches == 0)
        {
            Lifetime.Destroy(run, segment);
            return run.Returns(Removed);
        }

        run.Put(segment with { Destroyed = true, Key = 0 });
        return run.Returns(Marked);
    }

    public static StepResult Execute(Run run, ShmCtlLock call)
    {
        var request = new Request(run, run.Resolve(call.Segment));
        Rule? failure = run.Check(LockTests, request);
        if (failure is not null)
        {
            return run.Fails(failure);
        }

        Segment segment = request.Segment!;
        if (segment.Object.IsHuge || segment.IsLocked)
        {
            return run.Returns(segment.Object.IsHuge ? LockedHuge : AlreadyLocked);
        }

        run.Put(segment with { LockedBy = run.Who.Uid });
        return run.Returns(Locked);
    }

    public static StepResult Execute(Run run, ShmCtlUnlock call)
    {
        var request = new Request(run, run.Resolve(call.Segment));
        if (run.Check(UnlockTests, request) is { } failure)
        {
            return run.Fails(failure);
        }

        Segment segment = request.Segment!;
        if (segment.Object.IsHuge)
        {
            return run.Returns(LockedHuge);
        }

        ShmLock.Uncharge(run, segment);
        run.Put(segment with { LockedBy = null });
        return run.Returns(Unlocked);
    }

    private static SegmentStat StatOf(Segment segment) => new(
        segment.Key, segment.Uid, segment.Gid, segment.Cuid, segment.Cgid, segment.ShownMode,
        segment.Size, segment.CreatorPid, segment.LastPid, segment.Attaches,
        segment.AttachTime, segment.DetachTime, segment.ChangeTime);
}
