using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>mmap(2) of private anonymous memory, munmap(2), and what shmat and mremap share with
/// them: where a mapping goes, and what makes room for it.</summary>
internal static class MMap
{
    public static readonly RuleFamily Family = new("mmap");

    /// <summary>Where a mapping is wanted.</summary>
    internal readonly record struct Target(
        Run Run, ulong Address, ulong Length, ulong PageSize, bool Fixed);

    /// <summary>MAX_ERRNO.</summary>
    private const ulong HighestError = 4095;

    private static readonly Guard<Abi.MMap>[] Arguments =
    [
        Family.Fails<Abi.MMap>(EINVAL, "mmap.einval.length-zero", call => call.Length == 0,
            "The length is 0.", "mm/mmap.c:do_mmap; mmap(2)"),
    ];

    private static readonly Guard<Target>[] Places =
    [
        Family.Fails<Target>(ENOMEM, "mmap.enomem.length", t => t.Length > MachineConfig.TaskSize,
            "The mapping is longer than the address space.",
            "mm/mmap.c:__get_unmapped_area"),
        Family.Fails<Target>(EINVAL, "mmap.einval.huge-address",
            t => t.Fixed && t.PageSize != t.Run.PageSize && t.Address % t.PageSize != 0,
            "The address given for huge pages is not a multiple of their size.",
            "fs/hugetlbfs/inode.c:hugetlb_get_unmapped_area"),
        Family.Fails<Target>(EPERM, "mmap.eperm.address-is-error",
            t => t.Fixed && t.Address > ulong.MaxValue - HighestError,
            "A fixed address in the last 4095 bytes is taken for an error, and returned as one: "
                + "EPERM for the last byte, and so on downwards.",
            "mm/mmap.c:__get_unmapped_area (IS_ERR_VALUE)"),
        Family.Fails<Target>(ENOMEM, "mmap.enomem.beyond-task-size",
            t => t.Fixed && t.Address > MachineConfig.TaskSize - t.Length,
            "The mapping would reach beyond the address space.",
            "mm/mmap.c:__get_unmapped_area"),
        Family.Fails<Target>(EINVAL, "mmap.einval.address",
            t => t.Fixed && !t.Run.IsAligned(t.Address),
            "The address given is not a multiple of the page size.",
            "mm/mmap.c:__get_unmapped_area; mmap(2)"),
        Family.Fails<Target>(EPERM, "mmap.eperm.low-address",
            t => t.Fixed && IsTooLow(t.Run, t.Address),
            "The address is below vm.mmap_min_addr, and the caller lacks CAP_SYS_RAWIO. mmap "
                + "raises a hint that is lower, MREMAP_DONTUNMAP does not.",
            "security/commoncap.c:cap_mmap_addr; mm/mmap.c:round_hint_to_min"),
        Family.Fails<Target>(ENOMEM, "mmap.enomem.no-room",
            t => !t.Fixed && Room(t, topDown: true) is null,
            "No free range of the address space is large enough.",
            "mm/mmap.c:vm_unmapped_area; mmap(2)"),
    ];

    private static readonly Rule AddressIsError = Places[2].Rule;

    private static readonly Rule TooLow = Places[^2].Rule;

    private static readonly Rule Exists = Family.Error(EEXIST, "mmap.eexist.noreplace",
        "MAP_FIXED_NOREPLACE, and something is mapped in the range.",
        "mm/mmap.c:do_mmap; mmap(2)");

    /// <summary>Also of shmat and mremap.</summary>
    public static readonly Rule LockLimit = Family.Error(EAGAIN, "mmap.eagain.memlock",
        "The new part would be locked (MCL_FUTURE, or mremap of a locked mapping), and the locked "
            + "pages of the process with it exceed RLIMIT_MEMLOCK; CAP_IPC_LOCK overrides.",
        "mm/mmap.c:mlock_future_ok; mmap(2)");

    /// <summary>Also of shmat and mremap.</summary>
    public static readonly Rule AddressSpaceLimit = Family.Error(ENOMEM, "mmap.enomem.rlimit-as",
        "The mappings of the process, less what the call replaces, would exceed RLIMIT_AS. From "
            + "Linux 6.12 on, mappings that reach over the edges of the range have been split by "
            + "then, and stay so.",
        "mm/mmap.c:may_expand_vm; mm/vma.c:__mmap_prepare");

    /// <summary>Also of mprotect and mremap.</summary>
    public static readonly Rule NotCommitted = Family.Error(ENOMEM, "mmap.enomem.commit",
        "Private memory that becomes writable is charged to committed memory, and that is refused. "
            + "Up to Linux 6.1 mmap has unmapped the range by then.",
        "mm/vma.c:__mmap_prepare; mm/util.c:__vm_enough_memory");

    private static readonly Rule OldHugeBoundary = Family.Error(
        ENOMEM, "mmap.enomem.huge-boundary",
        "The range that the call replaces has an edge within a huge page.",
        "mm/mmap.c:__mmap_region", RuleFamily.UpTo(KernelProfile.Linux6_1));

    private static readonly Rule Mapped = Family.Effect("mmap.ok.map",
        "Maps private memory: VmSize grows, and Committed_AS if it is writable and not "
            + "MAP_NORESERVE (which mode 2 ignores). What was mapped there is unmapped.",
        "mm/mmap.c:do_mmap, mm/vma.c:__mmap_region");

    private static readonly Rule Hinted = Family.Effect("mmap.ok.hint",
        "An address that is only a hint is taken when the range there is free.",
        "arch/x86/kernel/sys_x86_64.c:arch_get_unmapped_area_topdown");

    private static readonly Guard<(Run Run, ulong Start, ulong Length)>[] UnmapArguments =
    [
        Family.Fails<(Run Run, ulong Start, ulong Length)>(EINVAL, "munmap.einval.range",
            r => !r.Run.IsAligned(r.Start) || r.Start > MachineConfig.TaskSize
                || r.Length > MachineConfig.TaskSize - r.Start || r.Length == 0,
            "The address is not a multiple of the page size, the range is empty, or it leaves the "
                + "address space.",
            "mm/vma.c:do_vmi_munmap; munmap(2)"),
    ];

    private static readonly Rule Unmapped = Family.Effect("munmap.ok.unmap",
        "Unmaps the range; nothing need be mapped there. The pages of the segment stay.",
        "mm/vma.c:do_vmi_align_munmap; munmap(2)");

    /// <summary>Rights and marks of new private memory.</summary>
    private const MappingFlags PrivateFlags = MappingFlags.MayWrite;

    public static StepResult Execute(Run run, Abi.MMap call)
    {
        if (run.Check(Arguments, call) is { } invalid)
        {
            return run.Fails(invalid);
        }

        bool replaces = (call.Flags & MapFlags.MAP_FIXED) != 0;
        bool exact = replaces || (call.Flags & MapFlags.MAP_FIXED_NOREPLACE) != 0;
        ulong length = run.Up(call.Length);
        ulong address = run.Resolve(call.Start);
        Rule? failure = length == 0 ? Places[0].Rule
            : Choose(run, ref address, length, run.PageSize, exact, MachineConfig.MinMapAddress);
        bool replaced = failure is null && run.Space.IsMapped(address, address + length);
        failure ??= (call.Flags & MapFlags.MAP_FIXED_NOREPLACE) != 0 && replaced ? Exists
            : !MayLock(run, run.Space.LockFuture, length) ? LockLimit
            : run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping : null;
        if (failure is not null)
        {
            return run.Fails(failure, failure == AddressIsError
                ? (Errno)unchecked(0 - address) : failure.Errno);
        }

        failure = Replace(run, new Mapping
        {
            Start = address,
            End = address + length,
            PageSize = run.PageSize,
            Offset = address / run.PageSize,
            Flags = FlagsOf(run, call),
        });
        return failure is null ? run.Returns(Mapped, (long)address) : run.Fails(failure);
    }

    public static StepResult Execute(Run run, MUnmap call)
    {
        ulong start = run.Resolve(call.Start);
        Rule? failure = run.Check(UnmapArguments, (run, start, call.Length));
        failure ??= run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping : null;
        return run.FailsOr(failure ?? Unmap(run, start, call.Length), Unmapped);
    }

    /// <summary>Unmaps a range if it is a proper one.</summary>
    /// <returns>The rule by which that fails.</returns>
    public static Rule? Unmap(Run run, ulong start, ulong length) =>
        run.Check(UnmapArguments, (run, start, length))
        ?? Mappings.Unmap(run, start, start + run.Up(length));

    /// <summary>Chooses where a mapping goes.</summary>
    /// <param name="run">The step.</param>
    /// <param name="address">The address given, then the one chosen; 0 is no hint.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="pageSize">Bytes of one of its pages.</param>
    /// <param name="exact">Whether it must go to the address, which is no hint then.</param>
    /// <param name="lowestHint">A hint below is raised to it.</param>
    /// <returns>The rule by which it can go nowhere.</returns>
    public static Rule? Choose(
        Run run, ref ulong address, ulong length, ulong pageSize, bool exact, ulong lowestHint)
    {
        ulong hint = address - (address % run.PageSize);
        if (!exact && hint != 0)
        {
            hint = ulong.Max(hint, lowestHint);
            if (length <= MachineConfig.TaskSize && hint <= MachineConfig.TaskSize - length
                && !run.Space.IsMapped(hint, hint + length))
            {
                run.Fire(Hinted);
                address = hint;
                return IsTooLow(run, hint) ? TooLow : null;
            }
        }

        var target = new Target(run, address, length, pageSize, exact);
        if (run.Check(Places, target) is { } failure)
        {
            return failure;
        }

        if (!exact)
        {
            ulong lowest = Room(target, topDown: false)!.Value;
            ulong highest = Room(target, topDown: true)!.Value;
            address = run.Context.Choices.Place(
                new(length, pageSize, lowest, highest, start => IsRoom(target, start)));
            if (!IsRoom(target, address))
            {
                throw new InvalidOperationException($"0x{address:x} is not admissible");
            }
        }

        return null;
    }

    /// <summary>Maps in place of what is in its range.</summary>
    /// <returns>The rule by which that fails.</returns>
    public static Rule? Replace(Run run, Mapping mapping) =>
        run.Profile >= KernelProfile.Linux6_12
            ? ReplaceAtOnce(run, mapping) : ReplaceInSteps(run, mapping);

    /// <summary>Whether more bytes may be locked.</summary>
    public static bool MayLock(Run run, bool isLocked, ulong bytes) =>
        !isLocked || run.Who.Has(CapabilitySet.CAP_IPC_LOCK)
        || run.Space.LockedPages + bytes / run.PageSize <= run.Group.MemLock / run.PageSize;

    /// <summary>Whether the address space may grow by base pages.</summary>
    public static bool MayGrow(Run run, ulong pages) =>
        run.Space.TotalPages + pages <= run.Group.AddressSpaceLimit / run.PageSize;

    /// <summary>Whether an address is too low for the task that acts.</summary>
    public static bool IsTooLow(Run run, ulong address) =>
        address < MachineConfig.MinMapAddress && !run.Who.Has(CapabilitySet.CAP_SYS_RAWIO);

    private static MappingFlags FlagsOf(Run run, Abi.MMap call)
    {
        bool charged = (call.Flags & MapFlags.MAP_NORESERVE) == 0
            || run.State.Overcommit == OvercommitMode.Never;
        MappingFlags flags = PrivateFlags | ((MappingFlags)call.Protection & MappingFlags.Rights)
            | (run.Space.LockFuture ? MappingFlags.Locked : 0);
        return charged
            ? flags | ((flags & MappingFlags.Write) != 0 ? MappingFlags.Account : 0)
            : flags | MappingFlags.NoReserve;
    }

    private static Rule? ReplaceAtOnce(Run run, Mapping mapping)
    {
        if (Mappings.SplitEdges(run, mapping.Start, mapping.End) is { } failure)
        {
            return failure;
        }

        ulong replaced = Mappings.PagesWithin(
            run, mapping.Start, mapping.End, MappingFlags.None);
        ulong charged = Mappings.PagesWithin(
            run, mapping.Start, mapping.End, MappingFlags.Account);
        if (!MayGrow(run, mapping.Length / run.PageSize - replaced))
        {
            return AddressSpaceLimit;
        }

        bool account = mapping.Has(MappingFlags.Account);
        ulong added = mapping.Length / run.PageSize - charged;
        if (account && added > 0 && !Commit.Charge(run, added))
        {
            return NotCommitted;
        }

        // What the new mapping takes over from the old ones was not charged again.
        run.State = run.State with { Committed = run.State.Committed + (account ? charged : 0) };
        Mappings.Remove(run, mapping.Start, mapping.End);
        Finish(run, mapping);
        return null;
    }

    private static Rule? ReplaceInSteps(Run run, Mapping mapping)
    {
        ulong replaced = Mappings.PagesWithin(
            run, mapping.Start, mapping.End, MappingFlags.None);
        if (!MayGrow(run, mapping.Length / run.PageSize - replaced))
        {
            return AddressSpaceLimit;
        }

        if (Mappings.Unmap(run, mapping.Start, mapping.End) is not null)
        {
            return OldHugeBoundary;
        }

        if (mapping.Has(MappingFlags.Account)
            && !Commit.Charge(run, mapping.Length / run.PageSize))
        {
            return NotCommitted;
        }

        Finish(run, mapping);
        return null;
    }

    private static void Finish(Run run, Mapping mapping)
    {
        Mapping final = mapping.IsHuge
            ? mapping with { Flags = mapping.Flags & ~MappingFlags.Lock } : mapping;
        Mappings.Insert(run, final, isCopy: false);
        if (mapping.Has(MappingFlags.Locked))
        {
            Populate.Range(run, mapping.Start, mapping.End);
        }
    }

    private static bool IsRoom(Target target, ulong start)
    {
        const ulong windowEnd = MachineConfig.WindowStart + MachineConfig.WindowLength;
        ulong end = start + target.Length;
        return start % target.PageSize == 0 && start >= MachineConfig.MinMapAddress
            && start <= MachineConfig.TaskSize - target.Length
            && (end <= MachineConfig.WindowStart || start >= windowEnd)
            && !target.Run.Space.IsMapped(start, end);
    }

    /// <summary>The lowest or highest room: it touches an end of the address space, the window,
    /// or a mapping.</summary>
    private static ulong? Room(Target target, bool topDown)
    {
        const ulong windowEnd = MachineConfig.WindowStart + MachineConfig.WindowLength;
        ulong? best = null;
        void Try(ulong limit)
        {
            ulong start = topDown
                ? unchecked(limit - target.Length) & ~(target.PageSize - 1)
                : Run.Up(limit, target.PageSize);
            if ((!topDown || limit >= target.Length) && IsRoom(target, start)
                && (best is null || (topDown ? start > best : start < best)))
            {
                best = start;
            }
        }

        Try(topDown ? MachineConfig.TaskSize : MachineConfig.MinMapAddress);
        Try(topDown ? MachineConfig.WindowStart : windowEnd);
        foreach (Mapping mapping in target.Run.Space.Mappings.Rows)
        {
            Try(topDown ? mapping.Start : mapping.End);
        }

        return best;
    }
}
