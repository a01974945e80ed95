using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>mremap(2). Linux 6.18 tests everything before it acts; older kernels unmap the target
/// and the end of the range before they look at the mapping.</summary>
internal static class MRemap
{
    public static readonly RuleFamily Family = new("mremap");

    /// <summary>A call under way; lengths are rounded up to pages, and for huge pages to those.
    /// </summary>
    private sealed class Request(Run run, Abi.MRemap call)
    {
        public Run Run { get; } = run;
        public Abi.MRemap Call { get; } = call;
        public MRemapFlags Flags { get; } = call.Flags;
        public ulong Start { get; set; } = run.Resolve(call.Start);
        public ulong Old { get; set; } = run.Up(call.Length);
        public ulong New { get; set; } = run.Up(call.NewLength);
        public ulong Target { get; set; } = run.Resolve(call.NewAddress);

        public Mapping? Mapping => Run.Space.Find(Start);
        public bool IsHuge => Mapping is { IsHuge: true };
        public bool MayMove => Has(MRemapFlags.MREMAP_MAYMOVE);
        public bool IsFixed => Has(MRemapFlags.MREMAP_FIXED);
        public bool Keeps => Has(MRemapFlags.MREMAP_DONTUNMAP);
        public bool Moves => IsFixed || Keeps;

        /// <summary>Length whose mapping must hold: what a shrinking leaves of it.</summary>
        public ulong Held => ulong.Min(Old, New);

        private bool Has(MRemapFlags flag) => (Flags & flag) != 0;
    }

    private static readonly Guard<Request> UnknownFlags = Family.Fails<Request>(
        EINVAL, "mremap.einval.flags",
        r => (r.Flags & ~(MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED
            | MRemapFlags.MREMAP_DONTUNMAP)) != 0,
        "An unknown flag.", "mm/mremap.c:check_mremap_params; mremap(2)");

    private static readonly Guard<Request> Unaligned = Family.Fails<Request>(
        EINVAL, "mremap.einval.unaligned", r => !r.Run.IsAligned(r.Start),
        "The address is not a multiple of the page size.",
        "mm/mremap.c:check_mremap_params; mremap(2)");

    private static readonly Guard<Request> NoLength = Family.Fails<Request>(
        EINVAL, "mremap.einval.new-length", r => r.New == 0,
        "The new length is 0.", "mm/mremap.c:check_mremap_params; mremap(2)");

    private static readonly Guard<Request> TooLong = Family.Fails<Request>(
        EINVAL, "mremap.einval.too-long", r => r.New > MachineConfig.TaskSize,
        "The new length exceeds the address space.", "mm/mremap.c:check_mremap_params",
        RuleFamily.From(KernelProfile.Linux6_18));

    private static readonly Guard<Request> BadTarget = Family.Fails<Request>(
        EINVAL, "mremap.einval.target",
        r => r.Moves && (!r.Run.IsAligned(r.Target) || r.New > MachineConfig.TaskSize
            || r.Target > MachineConfig.TaskSize - r.New),
        "The new address is not a multiple of the page size, or the new range leaves the address "
            + "space.",
        "mm/mremap.c:check_mremap_params, mremap_to; mremap(2)");

    private static readonly Guard<Request> NotMayMove = Family.Fails<Request>(
        EINVAL, "mremap.einval.needs-maymove", r => r.Moves && !r.MayMove,
        "MREMAP_FIXED or MREMAP_DONTUNMAP without MREMAP_MAYMOVE.",
        "mm/mremap.c:check_mremap_params; mremap(2)");

    private static readonly Guard<Request> ResizeKept = Family.Fails<Request>(
        EINVAL, "mremap.einval.dontunmap-resize", r => r.Keeps && r.Old != r.New,
        "MREMAP_DONTUNMAP with different lengths, in pages.",
        "mm/mremap.c:check_mremap_params; mremap(2)",
        RuleFamily.From(KernelProfile.Linux6_18));

    private static readonly Guard<Request> ResizeKeptBytes = Family.Fails<Request>(
        EINVAL, "mremap.einval.dontunmap-resize-bytes",
        r => r.Keeps && r.Call.Length != r.Call.NewLength,
        "MREMAP_DONTUNMAP with different lengths, in bytes.", "mm/mremap.c:mremap",
        RuleFamily.UpTo(KernelProfile.Linux6_12));

    private static readonly Guard<Request> Overlap = Family.Fails<Request>(
        EINVAL, "mremap.einval.overlap",
        r => r.Moves && unchecked(r.Start + r.Old) > r.Target
            && unchecked(r.Target + r.New) > r.Start,
        "Old and new range overlap.", "mm/mremap.c:vrm_overlaps; mremap(2)");

    private static readonly Guard<Request> NotMapped = Family.Fails<Request>(
        EFAULT, "mremap.efault.not-mapped", r => r.Mapping is null,
        "Nothing is mapped at the address. Linux 5.14 looks only when a mapping grows or moves.",
        "mm/mremap.c:check_prep_vma; mremap(2)");

    private static readonly Guard<Request> HugeRange = Family.Fails<Request>(
        EINVAL, "mremap.einval.huge", r => r.IsHuge && !AlignHuge(r),
        "Huge pages: an address within one, or a mapping that would grow. Lengths are rounded up "
            + "to huge pages.",
        "mm/mremap.c:align_hugetlb", RuleFamily.From(KernelProfile.Linux6_1));

    private static readonly Guard<Request> HugeNever = Family.Fails<Request>(
        EINVAL, "mremap.einval.huge-never", r => r.IsHuge,
        "Mappings of huge pages can neither grow nor move.", "mm/mremap.c:vma_to_resize",
        RuleFamily.UpTo(KernelProfile.Linux5_14));

    private static readonly Guard<Request> CopyOfPrivate = Family.Fails<Request>(
        EINVAL, "mremap.einval.copy-private", r => r.Old == 0 && r.Mapping!.Segment is null,
        "Old length 0 duplicates mappings of segments only.",
        "mm/mremap.c:check_prep_vma; mremap(2)");

    private static readonly Guard<Request> KeepsHuge = Family.Fails<Request>(
        EINVAL, "mremap.einval.dontunmap-huge", r => r.Keeps && r.IsHuge,
        "MREMAP_DONTUNMAP of huge pages.", "mm/mremap.c:check_prep_vma",
        RuleFamily.From(KernelProfile.Linux6_1));

    private static readonly Guard<Request> BeyondMapping = Family.Fails<Request>(
        EFAULT, "mremap.efault.beyond-mapping",
        r => r.Held > r.Mapping!.End - r.Start,
        "The old range reaches beyond its mapping.", "mm/mremap.c:check_prep_vma; mremap(2)");

    private static readonly Guard<Request> LockLimit = new(MMap.LockLimit,
        r => r.New > r.Old && !MMap.MayLock(
            r.Run, r.Mapping!.Has(MappingFlags.Locked), r.New - r.Old));

    private static readonly Guard<Request> GrowLimit = new(MMap.AddressSpaceLimit,
        r => r.New > r.Old && !MMap.MayGrow(r.Run, (r.New - r.Old) / r.Run.PageSize));

    private static readonly Guard<Request> KeepLimit = new(MMap.AddressSpaceLimit,
        r => r.Keeps && !MMap.MayGrow(r.Run, r.Old / r.Run.PageSize));

    private static readonly Guard<Request> GrowthCharge = new(MMap.NotCommitted,
        r => r.Run.Profile == KernelProfile.Linux5_14 && r.New > r.Old
            && r.Mapping!.Has(MappingFlags.Account)
            && Commit.Refuses(r.Run, (r.New - r.Old) / r.Run.PageSize));

    private static readonly Rule CannotGrow = Family.Error(ENOMEM, "mremap.enomem.in-place",
        "The mapping cannot grow where it is, and MREMAP_MAYMOVE is not given.",
        "mm/mremap.c:expand_vma; mremap(2)");

    private static readonly Rule NotOneMapping = Family.Error(EFAULT, "mremap.efault.several",
        "A move to a fixed address, lengths equal: the range begins in a hole, or holds several "
            + "mappings one of which is of a segment of normal pages. Those before it have moved.",
        "mm/mremap.c:remap_move, vma_multi_allowed", RuleFamily.From(KernelProfile.Linux6_18));

    private static readonly Guard<Request>[] Arguments =
    [
        UnknownFlags, Unaligned, NoLength, TooLong, BadTarget, NotMayMove, ResizeKept, Overlap,
    ];

    private static readonly Guard<Request>[] OldArguments =
    [
        UnknownFlags, NotMayMove, ResizeKeptBytes, Unaligned, NoLength,
    ];

    private static readonly Guard<Request>[] OldMapping = [NotMapped, HugeRange];

    private static readonly Guard<Request>[] OldTarget = [BadTarget, Overlap];

    /// <summary>What a mapping must satisfy to grow or to move.</summary>
    private static readonly Guard<Request>[] Resizable =
    [
        NotMapped, HugeNever, CopyOfPrivate, KeepsHuge, BeyondMapping, LockLimit, GrowLimit,
        GrowthCharge,
    ];

    private static readonly Rule Unchanged = Family.Effect("mremap.ok.unchanged",
        "Equal lengths, and no move: nothing changes.", "mm/mremap.c:mremap_at");

    private static readonly Rule Shrunk = Family.Effect("mremap.ok.shrink",
        "A shorter length unmaps the end of the old range, whatever is mapped there.",
        "mm/mremap.c:shrink_vma");

    private static readonly Rule Grown = Family.Effect("mremap.ok.grow",
        "A range that ends with its mapping grows in place where there is room, also beyond the "
            + "end of the segment; what is locked is faulted in.",
        "mm/mremap.c:expand_vma_in_place");

    private static readonly Rule MovedRange = Family.Effect("mremap.ok.move",
        "A new mapping comes into being, page table entries and private pages move to it, the old "
            + "range is unmapped. shm_atime and shm_dtime both change.",
        "mm/mremap.c:move_vma");

    private static readonly Rule Duplicated = Family.Effect("mremap.ok.duplicate",
        "Old length 0: a second mapping, without page table entries; the old one stays.",
        "mm/mremap.c:move_vma; mremap(2)");

    private static readonly Rule Kept = Family.Effect("mremap.ok.dontunmap",
        "MREMAP_DONTUNMAP: page table entries move, the old range stays mapped and is not locked "
            + "any more.",
        "mm/mremap.c:dontunmap_complete; mremap(2)");

    private static readonly Rule KeptSplit = Family.Effect("mremap.ok.dontunmap-split",
        "MREMAP_DONTUNMAP of a part of a locked mapping splits that first.",
        "mm/mremap.c:move_vma",
        [KernelProfile.Linux6_1, KernelProfile.Linux6_12]);

    public static StepResult Execute(Run run, Abi.MRemap call)
    {
        var r = new Request(run, call);
        bool isNew = run.Profile >= KernelProfile.Linux6_18;
        Rule? failure = isNew ? run.Check(Arguments, r) : CheckOld(r);
        failure ??= run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping : null;
        if (failure is not null)
        {
            return run.Fails(failure);
        }

        ulong address = r.Start;
        Rule done = isNew && r.IsFixed && r.Old == r.New ? MoveAll(r, ref address)
            : isNew ? Prepare(r) ?? Resize(r, ref address) : Resize(r, ref address);
        return done.Errno == None ? run.Returns(done, (long)address) : run.Fails(done);
    }

    private static Rule? CheckOld(Request r)
    {
        Rule? failure = r.Run.Check(OldArguments, r);
        if (r.Run.Profile >= KernelProfile.Linux6_1)
        {
            failure ??= r.Run.Check(OldMapping, r);
        }

        return failure ?? r.Run.Check(OldTarget, r);
    }

    /// <summary>The tests of Linux 6.18 on the mapping, before anything is done.</summary>
    private static Rule? Prepare(Request r)
    {
        Rule? failure = r.Run.Check(OldMapping, r);
        return failure is null && (r.Moves || r.New > r.Old) ? r.Run.Check(Resizable, r) : failure;
    }

    private static Rule Resize(Request r, ref ulong address)
    {
        if (r.Moves)
        {
            return MoveTo(r, ref address);
        }

        if (r.New <= r.Old)
        {
            return r.New == r.Old ? Unchanged
                : MMap.Unmap(r.Run, r.Start + r.New, r.Old - r.New) ?? Shrunk;
        }

        if (r.Run.Check(Resizable, r) is { } failure)
        {
            return failure;
        }

        Mapping mapping = r.Mapping!;
        if (r.Old == mapping.End - r.Start && IsExpandable(r, mapping))
        {
            return Grow(r, mapping);
        }

        if (!r.MayMove)
        {
            return CannotGrow;
        }

        r.Target = 0;
        return Place(r, exact: false) ?? Move(r, ref address);
    }

    private static Rule Grow(Request r, Mapping mapping)
    {
        Run run = r.Run;
        ulong delta = r.New - r.Old;
        if (mapping.Has(MappingFlags.Account) && !Commit.Charge(run, delta / run.PageSize))
        {
            return MMap.NotCommitted;
        }

        Mappings.Extend(run, mapping, delta);
        PopulateGrowth(r, mapping, r.Start);
        return Grown;
    }

    private static Rule MoveTo(Request r, ref ulong address)
    {
        Run run = r.Run;
        Rule? failure = null;
        if (r.IsFixed)
        {
            failure = MMap.Unmap(run, r.Target, r.New);

            // Since Linux 6.17 the old mapping is looked up again before its rest is unmapped.
            failure ??= run.Profile >= KernelProfile.Linux6_18 ? run.Check([NotMapped], r) : null;
        }

        if (failure is null && r.Old > r.New)
        {
            failure = MMap.Unmap(run, r.Start + r.New, r.Old - r.New);
            r.Old = r.New;
        }

        failure ??= run.Check(Resizable, r);
        failure ??= run.Check([KeepLimit], r);
        failure ??= Place(r, r.IsFixed);
        return failure ?? Move(r, ref address);
    }

    /// <summary>A move to a fixed address, lengths equal, in Linux 6.18: mapping by mapping, with
    /// the gaps between them kept.</summary>
    private static Rule MoveAll(Request r, ref ulong address)
    {
        Run run = r.Run;
        (ulong start, ulong end, ulong target) = (r.Start, r.Start + r.Old, r.Target);
        Rule done = NotOneMapping;
        ulong at = start;
        while (run.Space.FindFrom(at) is { } mapping && mapping.Start < end)
        {
            bool isFirst = at == start;
            bool isAlone = mapping.Segment is not null && !mapping.IsHuge;
            if ((isFirst ? mapping.Start > start : isAlone)
                || (isAlone && mapping.End < end))
            {
                return NotOneMapping;
            }

            r.Start = ulong.Max(mapping.Start, start);
            r.Old = r.New = ulong.Min(mapping.End, end) - r.Start;
            r.Target = target + (r.Start - start);
            at = mapping.End;
            ulong moved = 0;
            done = Prepare(r) ?? MoveTo(r, ref moved);
            if (done.Errno != None)
            {
                return done;
            }

            address = isFirst ? moved : address;
        }

        return done;
    }

    private static Rule? Place(Request r, bool exact)
    {
        ulong address = r.Target;
        Rule? failure = MMap.Choose(
            r.Run, ref address, r.New, r.Mapping!.PageSize, exact, lowestHint: 0);
        r.Target = address;
        return failure;
    }

    private static Rule Move(Request r, ref ulong address)
    {
        Run run = r.Run;
        if (r.Keeps && r.Mapping!.Has(MappingFlags.Locked)
            && KeptSplit.Profiles.Contains(run.Profile))
        {
            run.Fire(KeptSplit);
            Mappings.SplitEdges(run, r.Start, r.Start + r.Old);
        }

        Mapping mapping = r.Mapping!;
        ulong charge = (r.Keeps ? r.New : r.New - r.Old) / run.PageSize;
        bool account = mapping.Has(MappingFlags.Account);
        bool asks = charge > 0 || run.Profile >= KernelProfile.Linux6_1;
        if (account && asks && !Commit.Charge(run, charge))
        {
            return MMap.NotCommitted;
        }

        Mapping copy = Mappings.WithStart(run, mapping, r.Start) with
        {
            Start = r.Target,
            End = r.Target + r.New,
        };
        copy = copy.Segment is null && copy.Anon == 0
            ? copy with { Offset = r.Target / run.PageSize } : copy;
        Mappings.Insert(run, copy, isCopy: true, r.Keeps ? mapping : null);
        Mappings.MoveEntries(run, mapping, r.Start, r.Start + r.Old, r.Target);
        address = r.Target;
        if (r.Keeps)
        {
            Mappings.Forsake(run, r.Start, r.Start + r.Old);
            return Kept;
        }

        // The old range gives a charge back that the new one has taken over.
        run.State = run.State with
        {
            Committed = run.State.Committed + (account ? r.Old / run.PageSize : 0),
        };
        Mappings.Unmap(run, r.Start, r.Start + r.Old);
        PopulateGrowth(r, mapping, r.Target);
        return r.Old == 0 ? Duplicated : MovedRange;
    }

    private static void PopulateGrowth(Request r, Mapping mapping, ulong address)
    {
        if (mapping.Has(MappingFlags.Locked) && r.New > r.Old)
        {
            Populate.Range(r.Run, address + r.Old, address + r.New);
        }
    }

    private static bool IsExpandable(Request r, Mapping mapping)
    {
        ulong end = unchecked(mapping.End + r.New - r.Old);
        return end > mapping.End && end <= MachineConfig.TaskSize
            && !r.Run.Space.IsMapped(mapping.End, end) && !MMap.IsTooLow(r.Run, mapping.Start);
    }

    private static bool AlignHuge(Request r)
    {
        ulong unit = r.Mapping!.PageSize;
        r.Old = Run.Up(r.Old, unit);
        r.New = Run.Up(r.New, unit);
        return r.Start % unit == 0 && r.Target % unit == 0 && r.New <= r.Old;
    }
}
