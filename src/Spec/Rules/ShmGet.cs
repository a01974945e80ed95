using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>shmget(2).</summary>
internal static class ShmGet
{
    public static readonly RuleFamily Family = new("shmget");

    private sealed record Request(Run Run, Abi.ShmGet Call, IpcNamespace Ns, Segment? Existing)
    {
        public ulong Size => Call.Size;
        public ulong Pages => Run.Pages(Call.Size);
        public bool IsHuge => Call.Flags.HugeTlb;

        public ulong HugePageSize => Call.Flags.HugeSizeLog2 == 0
            ? Run.State.Config.HugePageSize : 1ul << Call.Flags.HugeSizeLog2;

        public ulong HugeLength => Run.Up(Size, HugePageSize);

        public bool MayUseHuge => Run.Who.Has(CapabilitySet.CAP_IPC_LOCK)
            || Run.Who.IsInGroup(Run.State.HugetlbShmGroup);

        public bool IsPromised => !Call.Flags.NoReserve
            || (!IsHuge && Run.State.Overcommit == OvercommitMode.Never);

        public bool IsInjected { get; set; }
    }

    private static readonly Guard<Request>[] ExistingKey =
    [
        Family.Fails<Request>(EEXIST, "shmget.eexist.exclusive",
            r => r.Call.Flags is { Create: true, Exclusive: true },
            "The key is in use, and both IPC_CREAT and IPC_EXCL are given.",
            "ipc/util.c:ipcget_public; shmget(2)"),
        Family.Fails<Request>(EINVAL, "shmget.einval.size-above-segment",
            r => r.Size > r.Existing!.Size,
            "The size in bytes exceeds that of the segment with the key.",
            "ipc/shm.c:shm_more_checks; shmget(2)"),
        Family.Fails<Request>(EACCES, "shmget.eacces.mode",
            r => !Permissions.Grants(r.Run.Who, r.Existing!, r.Call.Flags.Mode),
            "The segment's mode does not grant the caller what the mode bits of the flags ask "
                + "for; mode bits 0 ask for nothing.",
            "ipc/util.c:ipc_check_perms, ipcperms; shmget(2)"),
    ];

    private static readonly Guard<Request>[] NewSegment =
    [
        Family.Fails<Request>(ENOENT, "shmget.enoent.key",
            r => !r.Call.Key.IsPrivate && !r.Call.Flags.Create,
            "No segment has the key, and IPC_CREAT is not given.",
            "ipc/util.c:ipcget_public; shmget(2)"),
        Family.Fails<Request>(EINVAL, "shmget.einval.size-below-shmmin", r => r.Size < 1,
            "A new segment has at least SHMMIN = 1 byte.",
            "ipc/shm.c:newseg; shmget(2)"),
        Family.Fails<Request>(EINVAL, "shmget.einval.size-above-shmmax", r => r.Size > r.Ns.ShmMax,
            "A new segment has at most shmmax bytes.",
            "ipc/shm.c:newseg; shmget(2)"),
        Family.Fails<Request>(ENOSPC, "shmget.enospc.pages",
            r => unchecked(r.Size + r.Run.PageSize - 1) < r.Size,
            "The size rounded up to pages overflows.",
            "ipc/shm.c:newseg"),
        Family.Fails<Request>(ENOSPC, "shmget.enospc.shmall",
            r => unchecked(r.Ns.Total + r.Pages) < r.Pages || r.Ns.Total + r.Pages > r.Ns.ShmAll,
            "All segments together would exceed shmall base pages; huge ones count by their size "
                + "in base pages.",
            "ipc/shm.c:newseg; shmget(2)"),
        new(Machine.FailBookkeeping, r => r.Run.Lacks(AllocationKind.Bookkeeping)),
        Family.Fails<Request>(EINVAL, "shmget.einval.huge-page-size",
            r => r.IsHuge && r.HugePageSize != r.Run.State.Config.HugePageSize
                && !r.Run.State.Config.OtherHugePageSizes.Contains(r.HugePageSize),
            "SHM_HUGETLB asks for a huge page size that the machine does not have.",
            "ipc/shm.c:newseg; shmget(2)"),
        Family.Fails<Request>(EPERM, "shmget.eperm.huge", r => r.IsHuge && !r.MayUseHuge,
            "SHM_HUGETLB needs CAP_IPC_LOCK or membership of the group vm.hugetlb_shm_group.",
            "fs/hugetlbfs/inode.c:can_do_hugetlb_shm; shmget(2)",
            RuleFamily.From(KernelProfile.Linux6_1)),
        Family.Fails<Request>(EPERM, "shmget.eperm.huge-memlock",
            r => r.IsHuge && !r.MayUseHuge
                && !ShmLock.Charge(r.Run, r.Run.Pages(r.HugeLength)),
            "SHM_HUGETLB without that right is charged to the user's RLIMIT_MEMLOCK, and that does "
                + "not allow it.",
            "fs/hugetlbfs/inode.c:hugetlb_file_setup (5.14)",
            RuleFamily.UpTo(KernelProfile.Linux5_14)),
        Family.Fails<Request>(ENOMEM, "shmget.enomem.huge-reservation", IsHugeRefused,
            "SHM_HUGETLB without SHM_NORESERVE reserves a huge page for every page of the segment, "
                + "and the pool cannot.",
            "mm/hugetlb.c:hugetlb_reserve_pages; shmget(2)"),
        Family.Fails<Request>(EINVAL, "shmget.einval.size-above-long",
            r => !r.IsHuge && r.Size > long.MaxValue,
            "A normal segment has at most LONG_MAX bytes.",
            "mm/shmem.c:__shmem_file_setup"),
        Family.Fails<Request>(ENOMEM, "shmget.enomem.commit",
            r => !r.IsHuge && r.IsPromised && !Commit.Charge(r.Run, r.Pages),
            "A normal segment is charged to committed memory in full, and that is refused.",
            "mm/shmem.c:shmem_acct_size; shmget(2)"),
        Family.Fails<Request>(ENOSPC, "shmget.enospc.shmmni",
            r => r.Ns.InUse >= int.Min(r.Ns.ShmMni, ShmId.IndexLimit),
            "The namespace has shmmni segments, or 32768. This is found last.",
            "ipc/util.c:ipc_addid; shmget(2)"),
        Family.Fails<Request>(ENOSPC, "shmget.enospc.next-id",
            r => Identifiers.Predict(r.Run, r.Ns) is null,
            "shm_next_id asks for an index from which on none is free; the wish is forgotten.",
            "ipc/util.c:ipc_idr_alloc"),
        new(Machine.FailId, r => r.Run.Lacks(AllocationKind.Id)),
    ];

    private static readonly Rule Found = Family.Effect("shmget.ok.existing",
        "Returns the identifier of the segment with the key, and changes nothing.",
        "ipc/util.c:ipcget_public");

    private static readonly Rule Created = Family.Effect("shmget.ok.create",
        "A new segment: owner and creator are the effective ids, cpid the process, ctime now, all "
            + "else 0; shm_tot grows by its pages; no page is allocated.",
        "ipc/shm.c:newseg");

    private static readonly Rule Charged = Family.Effect("shmget.commit.full",
        "A normal segment is charged to committed memory in full, until it is destroyed.",
        "mm/shmem.c:shmem_acct_size");

    private static readonly Rule NotCharged = Family.Effect("shmget.commit.by-page",
        "With SHM_NORESERVE, unless overcommit_memory is 2, pages are charged one by one when "
            + "they are allocated. The choice is made at creation.",
        "ipc/shm.c:newseg; mm/shmem.c:shmem_acct_blocks");

    private static readonly Rule HugeLength = Family.Effect("shmget.huge.length",
        "The object of a huge segment is rounded up to whole huge pages; shm_segsz is not.",
        "ipc/shm.c:newseg");

    public static StepResult Execute(Run run, Abi.ShmGet call)
    {
        Segment? existing = call.Key.IsPrivate ? null
            : run.State.Segments.Rows.FirstOrDefault(segment =>
                segment.Namespace == run.Caller.Namespace && segment.Key == call.Key.Value);
        var request = new Request(run, call, run.Namespace, existing);
        if (existing is not null)
        {
            return run.Check(ExistingKey, request) is { } refusal
                ? run.Fails(refusal) : run.Returns(Found, existing.Id.Value);
        }

        SpecState before = run.State;
        if (run.Check(NewSegment, request) is { } failure)
        {
            run.State = before;
            if (failure == NewSegment[^2].Rule)
            {
                run.Put(request.Ns with { NextId = -1 });
            }

            return run.Fails(request.IsInjected ? Machine.FailHugePromise : failure);
        }

        return run.Returns(Created, Create(request).Value);
    }

    private static ShmId Create(Request r)
    {
        Run run = r.Run;
        ShmId id = Identifiers.Take(run, r.Ns);
        bool isCharged = run.Profile == KernelProfile.Linux5_14 && r.IsHuge && !r.MayUseHuge;
        run.Fire(r.IsHuge ? HugeLength : r.IsPromised ? Charged : NotCharged);
        run.Put(new Segment
        {
            Namespace = r.Ns.Number,
            Id = id,
            Key = r.Call.Key.Value,
            Uid = run.Who.Euid,
            Gid = run.Who.Egid,
            Cuid = run.Who.Euid,
            Cgid = run.Who.Egid,
            Mode = r.Call.Flags.Mode,
            Size = r.Size,
            CreatorPid = run.Caller.Tgid,
            Creator = run.Caller.Tid,
            ChangeTime = run.Context.Now,
            LockedBy = isCharged ? run.Who.Uid : null,
            Object = new MemoryObject
            {
                Length = r.IsHuge ? r.HugeLength : r.Size,
                PageSize = r.IsHuge ? r.HugePageSize : run.PageSize,
                IsHuge = r.IsHuge,
                Promised = r.IsPromised,
            },
        });
        IpcNamespace ns = run.Namespace;
        run.Put(ns with { InUse = ns.InUse + 1, Total = ns.Total + r.Pages });
        return id;
    }

    private static bool IsHugeRefused(Request r)
    {
        if (!r.IsHuge || !r.IsPromised)
        {
            return false;
        }

        bool granted = Pool.Reserve(
            r.Run, r.HugePageSize, r.HugeLength / r.HugePageSize, out bool injected);
        r.IsInjected = injected;
        return !granted;
    }
}
