using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>The calls that change mappings in a range: mprotect(2), mlock(2) and its kin, mbind(2).
/// </summary>
internal static class Attributes
{
    public static readonly RuleFamily Family = new("attributes");

    private readonly record struct Range(Run Run, ulong Start, ulong Length, int Policy = 0)
    {
        /// <summary>Length in whole pages, modulo 2^64.</summary>
        public ulong Rounded => Run.Up(Length);

        public ulong End => unchecked(Start + Rounded);

        public bool BeginsInHole => Run.Space.Find(Start) is null;
    }

    private static readonly Guard<Range> ProtectUnaligned = Family.Fails<Range>(
        EINVAL, "mprotect.einval.unaligned", r => !r.Run.IsAligned(r.Start),
        "The address is not a multiple of the page size.",
        "mm/mprotect.c:do_mprotect_pkey; mprotect(2)");

    private static readonly Guard<Range>[] ProtectArguments =
    [
        Family.Fails<Range>(ENOMEM, "mprotect.enomem.overflow", r => r.End <= r.Start,
            "Address and length together overflow.", "mm/mprotect.c:do_mprotect_pkey"),
        Family.Fails<Range>(ENOMEM, "mprotect.enomem.hole", r => r.BeginsInHole,
            "The first page is not mapped.", "mm/mprotect.c:do_mprotect_pkey; mprotect(2)"),
    ];

    private static readonly Rule ProtectGap = Family.Error(ENOMEM, "mprotect.enomem.gap",
        "Beyond its first mapping the range has pages that are not mapped; what lies before them "
            + "has been changed.",
        "mm/mprotect.c:do_mprotect_pkey; mprotect(2)");

    private static readonly Rule NoMayWrite = Family.Error(EACCES, "mprotect.eacces.read-only",
        "PROT_WRITE on an attach by SHM_RDONLY; the mappings before it have been changed.",
        "mm/mprotect.c:do_mprotect_pkey; mprotect(2)");

    private static readonly Rule Protected = Family.Effect("mprotect.ok.change",
        "Changes the rights, mapping by mapping. Page table entries stay.",
        "mm/mprotect.c:mprotect_fixup");

    private static readonly Rule ProtectNothing = Family.Effect("mprotect.ok.empty",
        "A range of length 0 changes nothing.", "mm/mprotect.c:do_mprotect_pkey");

    private static readonly Rule ChargeWritable = Family.Effect("mprotect.commit.charge",
        "Private memory that becomes writable for the first time is charged.",
        "mm/mprotect.c:mprotect_fixup");

    private static readonly Rule UnchargeUnwritten = Family.Effect("mprotect.commit.uncharge",
        "Private memory that has never been written gives its charge back when it becomes not "
            + "writable.",
        "mm/mprotect.c:mprotect_fixup", RuleFamily.From(KernelProfile.Linux6_12));

    private static readonly Guard<Range> MayNotLock = Family.Fails<Range>(
        EPERM, "mlock.eperm.memlock-zero", r => !ShmLock.MayLock(r.Run),
        "RLIMIT_MEMLOCK is 0, and the caller lacks CAP_IPC_LOCK; also of mlockall.",
        "mm/mlock.c:can_do_mlock; mlock(2)");

    private static readonly Guard<Range> LockLimit = Family.Fails<Range>(
        ENOMEM, "mlock.enomem.memlock", r => !IsLockAllowed(r),
        "The locked pages of the process, with those of the range that are not locked yet, exceed "
            + "RLIMIT_MEMLOCK; CAP_IPC_LOCK overrides.",
        "mm/mlock.c:do_mlock; mlock(2)");

    private static readonly Guard<Range> LockOverflow = Family.Fails<Range>(
        EINVAL, "mlock.einval.overflow", r => r.End < r.Start,
        "Address and length together overflow.", "mm/mlock.c:apply_vma_lock_flags; mlock(2)");

    private static readonly Guard<Range> LockHole = Family.Fails<Range>(
        ENOMEM, "mlock.enomem.hole", r => r.Rounded != 0 && r.BeginsInHole,
        "The first page is not mapped.", "mm/mlock.c:apply_vma_lock_flags; mlock(2)");

    private static readonly Guard<Range>[] LockTests =
        [MayNotLock, LockLimit, LockOverflow, LockHole];

    private static readonly Guard<Range>[] UnlockTests = [LockOverflow, LockHole];

    private static readonly Rule LockGap = Family.Error(ENOMEM, "mlock.enomem.gap",
        "Beyond its first mapping the range has pages that are not mapped; what lies before them "
            + "is locked or unlocked, nothing is faulted in.",
        "mm/mlock.c:apply_vma_lock_flags; mlock(2)");

    private static readonly Rule LockFault = Family.Error(ENOMEM, "mlock.enomem.fault",
        "The range is locked, but a page of it cannot be faulted in: the pages before it have "
            + "been.",
        "mm/mlock.c:__mlock_posix_error_return; mlock(2)");

    private static readonly Rule LockDone = Family.Effect("mlock.ok.lock",
        "Locks the mappings and faults them in; VmLck grows by their length. Mappings of huge "
            + "pages are faulted in, but neither marked nor counted.",
        "mm/mlock.c:mlock_fixup, do_mlock");

    private static readonly Rule UnlockDone = Family.Effect("mlock.ok.unlock",
        "munlock and munlockall take the locks off.", "mm/mlock.c:mlock_fixup");

    private static readonly Guard<(Run Run, MLockAllFlags Flags)>[] LockAllTests =
    [
        Family.Fails<(Run Run, MLockAllFlags Flags)>(EINVAL, "mlockall.einval.flags",
            r => r.Flags == 0
                || (r.Flags & ~(MLockAllFlags.MCL_CURRENT | MLockAllFlags.MCL_FUTURE)) != 0,
            "No flag, or an unknown one.", "mm/mlock.c:mlockall; mlock(2)"),
        new(MayNotLock.Rule, r => !ShmLock.MayLock(r.Run)),
        Family.Fails<(Run Run, MLockAllFlags Flags)>(ENOMEM, "mlockall.enomem.memlock",
            r => (r.Flags & MLockAllFlags.MCL_CURRENT) != 0
                && !r.Run.Who.Has(CapabilitySet.CAP_IPC_LOCK)
                && r.Run.Space.TotalPages > r.Run.Group.MemLock / r.Run.PageSize,
            "MCL_CURRENT, and all mappings together exceed RLIMIT_MEMLOCK; CAP_IPC_LOCK "
                + "overrides.",
            "mm/mlock.c:mlockall; mlock(2)"),
    ];

    private static readonly Rule LockAll = Family.Effect("mlockall.ok.lock",
        "MCL_CURRENT locks and faults in all mappings; MCL_FUTURE, or its absence, decides for "
            + "mappings to come.",
        "mm/mlock.c:apply_mlockall_flags");

    private static readonly Guard<Range>[] BindArguments =
    [
        Family.Fails<Range>(EINVAL, "mbind.einval.policy",
            r => r.Policy < 0 || r.Policy > HighestPolicy(r.Run.Profile),
            "The policy is none of those there are: 0 to 4, from Linux 6.1 on 5, from 6.12 on 6.",
            "mm/mempolicy.c:sanitize_mpol_flags; mbind(2)"),
        Family.Fails<Range>(EINVAL, "mbind.einval.range",
            r => !r.Run.IsAligned(r.Start) || r.End < r.Start,
            "The address is not a multiple of the page size, or address and length overflow.",
            "mm/mempolicy.c:do_mbind; mbind(2)"),
    ];

    private static readonly Guard<Range> BindHole = Family.Fails<Range>(
        EFAULT, "mbind.efault.hole",
        r => r.Policy == 0 ? !r.Run.Space.IsMapped(r.Start, r.End) : HasHole(r),
        "The range has pages that are not mapped; for MPOL_DEFAULT: no page of it is.",
        "mm/mempolicy.c:queue_pages_test_walk; mbind(2)");

    private static readonly Rule Bound = Family.Effect("mbind.ok.change",
        "Sets the policy of the mappings; no page moves.",
        "mm/mempolicy.c:mbind_range");

    private static readonly Rule BindNothing = Family.Effect("mbind.ok.empty",
        "A range of length 0 changes nothing.", "mm/mempolicy.c:do_mbind");

    public static StepResult Execute(Run run, MProtect call)
    {
        var range = new Range(run, run.Resolve(call.Start), call.Length);
        if (ProtectUnaligned.When(range))
        {
            return run.Fails(ProtectUnaligned.Rule);
        }

        if (call.Length == 0)
        {
            return run.Returns(ProtectNothing);
        }

        var rights = (MappingFlags)call.Protection & MappingFlags.Rights;
        Rule? failure = run.Check(ProtectArguments, range);
        failure ??= run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping : null;
        failure ??= ForEach(run, range, ProtectGap, (mapping, start, end) =>
            Protect(run, mapping, start, end, rights));
        return run.FailsOr(failure, Protected);
    }

    public static StepResult Execute(Run run, MLock call)
    {
        MappingFlags flags = call.OnFault ? MappingFlags.Lock : MappingFlags.Locked;
        Range range = LockRange(run, call);
        Rule? failure = run.Check(LockTests, range) ?? Lock(run, range, flags);
        if (failure is null
            && Populate.Range(run, range.Start, range.End, stops: true) is { } unpopulated)
        {
            run.Fire(unpopulated);
            failure = unpopulated.Signal == Signal.None ? unpopulated : LockFault;
        }

        return run.FailsOr(failure, LockDone);
    }

    public static StepResult Execute(Run run, MUnlock call)
    {
        Range range = LockRange(run, call);
        Rule? failure = run.Check(UnlockTests, range) ?? Lock(run, range, MappingFlags.None);
        return run.FailsOr(failure, UnlockDone);
    }

    public static StepResult Execute(Run run, MLockAll call)
    {
        if (run.Check(LockAllTests, (run, call.Flags)) is { } failure)
        {
            return run.Fails(failure);
        }

        run.Space = run.Space with
        {
            LockFuture = (call.Flags & MLockAllFlags.MCL_FUTURE) != 0,
        };
        if ((call.Flags & MLockAllFlags.MCL_CURRENT) != 0)
        {
            LockMappings(run, MappingFlags.Locked);
            Populate.Range(run, 0, MachineConfig.TaskSize);
        }

        return run.Returns(LockAll);
    }

    public static StepResult Execute(Run run, MUnlockAll _)
    {
        run.Space = run.Space with { LockFuture = false };
        LockMappings(run, MappingFlags.None);
        return run.Returns(UnlockDone);
    }

    public static StepResult Execute(Run run, MBind call)
    {
        var range = new Range(run, run.Resolve(call.Start), call.Length, call.Policy);
        Rule? failure = run.Check(BindArguments, range);
        if (failure is null && range.Rounded == 0)
        {
            return run.Returns(BindNothing);
        }

        failure ??= BindHole.When(range) ? BindHole.Rule : null;
        failure ??= run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping : null;
        failure ??= ForEach(run, range, gap: null, (mapping, start, end) =>
            Mappings.Modify(run, mapping, start, end, mapping.Flags, call.Policy));
        return run.FailsOr(failure, Bound);
    }

    private static Rule? Protect(
        Run run, Mapping mapping, ulong start, ulong end, MappingFlags rights)
    {
        if ((rights & MappingFlags.Write) != 0 && !mapping.Has(MappingFlags.MayWrite))
        {
            return NoMayWrite;
        }

        MappingFlags flags = (mapping.Flags & ~MappingFlags.Rights) | rights;
        if (flags == mapping.Flags)
        {
            return null;
        }

        ulong pages = (end - start) / run.PageSize;
        const MappingFlags uncharged = MappingFlags.Account | MappingFlags.Write
            | MappingFlags.Shared | MappingFlags.NoReserve;
        if ((rights & MappingFlags.Write) != 0 && (mapping.Flags & uncharged) == 0)
        {
            if (!Commit.Charge(run, pages))
            {
                return MMap.NotCommitted;
            }

            run.Fire(ChargeWritable);
            flags |= MappingFlags.Account;
        }
        else if ((rights & MappingFlags.Write) == 0 && mapping.Has(MappingFlags.Account)
            && mapping.Anon == 0 && run.Profile >= KernelProfile.Linux6_12)
        {
            run.Fire(UnchargeUnwritten);
            Commit.Uncharge(run, pages);
            flags &= ~MappingFlags.Account;
        }

        Rule? failure = Mappings.Modify(run, mapping, start, end, flags, mapping.Policy);
        bool faultsIn = mapping.Segment is null && mapping.Has(MappingFlags.Locked)
            && !mapping.Has(MappingFlags.Write) && (rights & MappingFlags.Write) != 0;
        if (failure is null && faultsIn)
        {
            Populate.Range(run, start, end);
        }

        return failure;
    }

    private static Rule? Lock(Run run, Range range, MappingFlags locks)
    {
        if (range.Rounded == 0)
        {
            return null;
        }

        return run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping
            : ForEach(run, range, LockGap, (mapping, start, end) =>
                LockMapping(run, mapping, start, end, locks));
    }

    private static Rule? LockMapping(
        Run run, Mapping mapping, ulong start, ulong end, MappingFlags locks) =>
        mapping.IsHuge ? null : Mappings.Modify(
            run, mapping, start, end, (mapping.Flags & ~MappingFlags.Lock) | locks,
            mapping.Policy);

    private static void LockMappings(Run run, MappingFlags locks)
    {
        ulong at = 0;
        while (run.Space.FindFrom(at) is { } mapping)
        {
            LockMapping(run, mapping, mapping.Start, mapping.End, locks);
            at = mapping.End;
        }
    }

    /// <summary>Does something to every mapping of a range, up to the first that fails or is not
    /// adjacent.</summary>
    private static Rule? ForEach(
        Run run, Range range, Rule? gap, Func<Mapping, ulong, ulong, Rule?> change)
    {
        ulong at = range.Start;
        while (at < range.End)
        {
            Mapping? mapping = run.Space.FindFrom(at);
            if (mapping is null || mapping.Start >= range.End)
            {
                return gap;
            }

            if (mapping.Start > at && gap is not null)
            {
                return gap;
            }

            ulong end = ulong.Min(mapping.End, range.End);
            if (change(mapping, ulong.Max(at, mapping.Start), end) is { } failure)
            {
                return failure;
            }

            at = end;
        }

        return null;
    }

    /// <summary>mlock rounds its range outwards to pages.</summary>
    private static Range LockRange(Run run, RangeCall call)
    {
        ulong start = run.Resolve(call.Start);
        ulong within = start % run.PageSize;
        return new(run, start - within, unchecked(call.Length + within));
    }

    private static bool IsLockAllowed(Range range)
    {
        Run run = range.Run;
        ulong limit = run.Group.MemLock / run.PageSize;
        ulong wanted = range.Rounded / run.PageSize + run.Space.LockedPages;
        if (wanted <= limit || run.Who.Has(CapabilitySet.CAP_IPC_LOCK))
        {
            return true;
        }

        ulong end = range.End < range.Start ? ulong.MaxValue : range.End;
        return wanted - Mappings.PagesWithin(run, range.Start, end, MappingFlags.Locked) <= limit;
    }

    private static bool HasHole(Range range)
    {
        ulong at = range.Start;
        while (at < range.End)
        {
            if (range.Run.Space.Find(at) is not { } mapping)
            {
                return true;
            }

            at = mapping.End;
        }

        return false;
    }

    private static int HighestPolicy(KernelProfile profile) => profile switch
    {
        KernelProfile.Linux5_14 => 4,
        KernelProfile.Linux6_1 => 5,
        _ => 6,
    };
}
