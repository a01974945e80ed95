using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>madvise(2).</summary>
internal static class MAdvise
{
    public static readonly RuleFamily Family = new("madvise");

    private readonly record struct Request(Run Run, ulong Start, ulong Length, Advice Advice)
    {
        public ulong End => unchecked(Start + Run.Up(Length));
    }

    /// <summary>A part of one mapping that the advice is for.</summary>
    private readonly record struct Part(
        Run Run, Advice Advice, Mapping Mapping, ulong Start, ulong End)
    {
        public bool IsLocked => Mapping.Has(MappingFlags.Locked);

        public bool IsHuge => Mapping.IsHuge;
    }

    private static readonly Guard<Request>[] Arguments =
    [
        Family.Fails<Request>(EINVAL, "madvise.einval.advice", r => !Enum.IsDefined(r.Advice),
            "The advice is none of those there are.",
            "mm/madvise.c:madvise_behavior_valid; madvise(2)"),
        Family.Fails<Request>(EINVAL, "madvise.einval.range",
            r => !r.Run.IsAligned(r.Start) || r.End < r.Start
                || (r.Length != 0 && r.Run.Up(r.Length) == 0),
            "The address is not a multiple of the page size, or address and length overflow.",
            "mm/madvise.c:is_valid_madvise; madvise(2)"),
    ];

    private static readonly Guard<Part>[] Discard =
    [
        Family.Fails<Part>(EINVAL, "madvise.einval.dontneed-huge",
            p => p.IsHuge && p.Advice == Advice.MADV_DONTNEED,
            "MADV_DONTNEED of huge pages.", "mm/madvise.c:can_madv_lru_vma",
            RuleFamily.UpTo(KernelProfile.Linux5_14)),
        Family.Fails<Part>(EINVAL, "madvise.einval.dontneed-huge-address",
            p => p.IsHuge && p.Start % p.Mapping.PageSize != 0,
            "MADV_DONTNEED at an address within a huge page.",
            "mm/madvise.c:madvise_dontneed_free_valid_vma",
            RuleFamily.From(KernelProfile.Linux6_1)),
        Family.Fails<Part>(EINVAL, "madvise.einval.dontneed-locked", p => p.IsLocked,
            "MADV_DONTNEED or MADV_FREE of a locked mapping; those before it are done.",
            "mm/madvise.c:madvise_dontneed_free_valid_vma; madvise(2)"),
        Family.Fails<Part>(EINVAL, "madvise.einval.free-shared",
            p => p.Advice == Advice.MADV_FREE && p.Mapping.Segment is not null,
            "MADV_FREE is for private memory.",
            "mm/madvise.c:madvise_free_single_vma; madvise(2)"),
    ];

    private static readonly Guard<Part>[] Remove =
    [
        Family.Fails<Part>(EINVAL, "madvise.einval.remove-locked", p => p.IsLocked,
            "MADV_REMOVE of a locked mapping; those before it are done.",
            "mm/madvise.c:madvise_remove; madvise(2)"),
        Family.Fails<Part>(EINVAL, "madvise.einval.remove-private",
            p => p.Mapping.Segment is null,
            "MADV_REMOVE is for mappings of objects.",
            "mm/madvise.c:madvise_remove; madvise(2)"),
        Family.Fails<Part>(EACCES, "madvise.eacces.remove-read-only",
            p => !p.Mapping.Has(MappingFlags.MayWrite),
            "MADV_REMOVE needs an attach for writing.",
            "mm/madvise.c:madvise_remove; madvise(2)"),
        Family.Fails<Part>(EACCES, "madvise.eacces.remove-protected",
            p => !p.Mapping.Has(MappingFlags.Write),
            "MADV_REMOVE needs PROT_WRITE; later an attach for writing is enough.",
            "mm/madvise.c:madvise_remove", RuleFamily.UpTo(KernelProfile.Linux5_14)),
    ];

    private static readonly Guard<Part>[] Reclaim =
    [
        Family.Fails<Part>(EINVAL, "madvise.einval.reclaim", p => p.IsLocked || p.IsHuge,
            "MADV_PAGEOUT or MADV_COLD of a locked mapping or of huge pages; those before it are "
                + "done.",
            "mm/madvise.c:can_madv_lru_vma; madvise(2)"),
    ];

    private static readonly Rule Gap = Family.Error(ENOMEM, "madvise.enomem.gap",
        "Pages of the range are not mapped; all that are have been advised, on both sides of the "
            + "gap.",
        "mm/madvise.c:madvise_walk_vmas; madvise(2)");

    private static readonly Rule PopulateGap = Family.Error(ENOMEM, "madvise.enomem.populate-gap",
        "MADV_POPULATE comes to pages that are not mapped; those before them have been faulted in.",
        "mm/gup.c:faultin_page_range; madvise(2)", RuleFamily.From(KernelProfile.Linux6_12));

    private static readonly Rule NoRight = Family.Error(EINVAL, "madvise.einval.populate-right",
        "MADV_POPULATE_READ comes to a mapping without PROT_READ, MADV_POPULATE_WRITE to one "
            + "without PROT_WRITE; pages before it have been faulted in.",
        "mm/gup.c:faultin_page_range; madvise(2)");

    private static readonly Rule Nothing = Family.Effect("madvise.ok.empty",
        "A range of length 0 changes nothing.", "mm/madvise.c:madvise_should_skip");

    private static readonly Rule Advised = Family.Effect("madvise.ok.done",
        "Done for every mapping of the range.", "madvise(2)");

    private static readonly Rule Marks = Family.Effect("madvise.ok.flags",
        "MADV_NORMAL, RANDOM, SEQUENTIAL, DONTFORK, DOFORK, DONTDUMP, DODUMP mark the mappings, "
            + "which splits them as mprotect does.",
        "mm/madvise.c:madvise_vma_behavior");

    private static readonly Rule DropEntries = Family.Effect("madvise.ok.dontneed",
        "MADV_DONTNEED drops the page table entries of this address space; pages of segments stay "
            + "with their contents, private pages read 0 again.",
        "mm/madvise.c:madvise_dontneed_single_vma");

    private static readonly Rule PartOfHuge = Family.Effect("madvise.ok.dontneed-part",
        "MADV_DONTNEED of huge pages rounds the length down to whole huge pages.",
        "mm/madvise.c:madvise_dontneed_free_valid_vma",
        RuleFamily.From(KernelProfile.Linux6_1));

    private static readonly Rule KeepFreed = Family.Effect("madvise.ok.free",
        "MADV_FREE lets memory pressure take private pages; without any they keep their contents.",
        "mm/madvise.c:madvise_free_single_vma");

    private static readonly Rule Prefetch = Family.Effect("madvise.ok.willneed",
        "MADV_WILLNEED reads swapped pages into the swap cache (S to W): the slot stays, no page "
            + "table entry comes. Everything else stays as it is.",
        "mm/madvise.c:shmem_swapin_range");

    private static readonly Rule Deactivate = Family.Effect("madvise.ok.cold",
        "MADV_COLD changes no figure.", "mm/madvise.c:madvise_cold");

    private static readonly Rule Punch = Family.Effect("madvise.ok.remove",
        "MADV_REMOVE makes holes: the pages go with their frames and slots, for everybody, and so "
            + "do all page table entries for them.",
        "mm/shmem.c:shmem_fallocate, shmem_undo_range");

    private static readonly Rule PunchHuge = Family.Effect("madvise.ok.remove-huge",
        "MADV_REMOVE of whole huge pages frees those that are allocated, and their entries in the "
            + "reservation map with them: their reservation does not come back.",
        "fs/hugetlbfs/inode.c:hugetlbfs_punch_hole, remove_inode_single_folio");

    private static readonly Rule ZeroPart = Family.Effect("madvise.ok.remove-part",
        "MADV_REMOVE of a part of an allocated huge page zeroes that part.",
        "fs/hugetlbfs/inode.c:hugetlbfs_zero_partial_page",
        RuleFamily.From(KernelProfile.Linux6_1));

    private static readonly Rule Populated = Family.Effect("madvise.ok.populate",
        "MADV_POPULATE_READ and _WRITE fault in all pages as reads and writes do, up to the first "
            + "that raises SIGBUS: EFAULT.",
        "mm/madvise.c:madvise_populate");

    public static StepResult Execute(Run run, Abi.MAdvise call)
    {
        var request = new Request(run, run.Resolve(call.Start), call.Length, call.Advice);
        Rule? failure = run.Check(Arguments, request);
        if (failure is null && request.End == request.Start)
        {
            return run.Returns(Nothing);
        }

        bool reads = call.Advice == Advice.MADV_POPULATE_READ;
        bool populates = reads || call.Advice == Advice.MADV_POPULATE_WRITE;
        failure ??= run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeepingOfAdvice
            : populates && run.Profile >= KernelProfile.Linux6_12
                ? PopulateRange(request, !reads) : Walk(request);
        return run.FailsOr(failure, Advised);
    }

    /// <summary>Advises mapping by mapping; gaps are passed over and reported at the end.</summary>
    private static Rule? Walk(Request request)
    {
        Run run = request.Run;
        Rule? gap = null;
        ulong at = request.Start;
        while (at < request.End)
        {
            if (run.Space.FindFrom(at) is not { } mapping)
            {
                return Gap;
            }

            gap = mapping.Start > at ? Gap : gap;
            ulong start = ulong.Max(mapping.Start, at);
            ulong end = ulong.Min(mapping.End, request.End);
            if (start >= request.End)
            {
                break;
            }

            if (Advise(new(run, request.Advice, mapping, start, end)) is { } failure)
            {
                return failure;
            }

            at = end;
        }

        return gap;
    }

    private static Rule? Advise(Part part)
    {
        MappingFlags flags = part.Mapping.Flags;
        return part.Advice switch
        {
            Advice.MADV_NORMAL => Mark(part, flags & ~Reading),
            Advice.MADV_RANDOM => Mark(part, (flags & ~Reading) | MappingFlags.RandomRead),
            Advice.MADV_SEQUENTIAL =>
                Mark(part, (flags & ~Reading) | MappingFlags.SequentialRead),
            Advice.MADV_DONTFORK => Mark(part, flags | MappingFlags.DontCopy),
            Advice.MADV_DOFORK => Mark(part, flags & ~MappingFlags.DontCopy),
            Advice.MADV_DONTDUMP => Mark(part, flags | MappingFlags.DontDump),
            Advice.MADV_DODUMP => Mark(part, flags & ~MappingFlags.DontDump),
            Advice.MADV_WILLNEED => WillNeed(part),
            Advice.MADV_DONTNEED or Advice.MADV_FREE => DontNeed(part),
            Advice.MADV_REMOVE => RemovePages(part),
            Advice.MADV_COLD or Advice.MADV_PAGEOUT => Deactivated(part),
            Advice.MADV_POPULATE_READ => PopulatePart(part, write: false),
            Advice.MADV_POPULATE_WRITE => PopulatePart(part, write: true),
            _ => throw new InvalidOperationException($"{part.Advice} is not checked"),
        };
    }

    private const MappingFlags Reading = MappingFlags.RandomRead | MappingFlags.SequentialRead;

    private static Rule? Mark(Part part, MappingFlags flags)
    {
        part.Run.Fire(Marks);
        return Mappings.Modify(
            part.Run, part.Mapping, part.Start, part.End, flags, part.Mapping.Policy);
    }

    private static Rule? DontNeed(Part part)
    {
        Run run = part.Run;
        if (run.Check(Discard, part) is { } failure)
        {
            return failure;
        }

        if (part.Advice == Advice.MADV_FREE)
        {
            run.Fire(KeepFreed);
            return null;
        }

        ulong end = part.End - (part.IsHuge ? part.End % part.Mapping.PageSize : 0);
        run.Fire(end == part.End ? DropEntries : PartOfHuge);
        Mappings.DropEntries(run, part.Mapping, part.Start, end);
        return null;
    }

    private static Rule? Deactivated(Part part)
    {
        if (part.Run.Check(Reclaim, part) is { } failure)
        {
            return failure;
        }

        if (part.Advice == Advice.MADV_COLD || part.Mapping.Segment is null)
        {
            part.Run.Fire(Deactivate);
        }
        else
        {
            SwapOut.PageOut(part.Run, part.Mapping, part.Start, part.End);
        }

        return null;
    }

    private static Rule? WillNeed(Part part)
    {
        Run run = part.Run;
        run.Fire(Prefetch);
        if (part.Mapping.Segment is null || part.IsHuge)
        {
            return null;
        }

        (ulong first, ulong end) = Indices(part);
        foreach ((ulong index, _) in run.SegmentOf(part.Mapping).Object.Pages
            .Between(first, end).Where(row => row.Row.State is PageState.Swapped))
        {
            if (Machine.TakeFrame(run) is { } none)
            {
                run.Fire(none);
                break;
            }

            run.State = run.State with { SwapCached = run.State.SwapCached + 1 };
            run.Moved(PageState.Swapped, PageState.SwapCached);
            Segment segment = run.SegmentOf(part.Mapping);
            run.Put(segment with
            {
                Object = ObjectPages.With(
                    segment.Object, index, new(PageState.SwapCached, Marked: true)),
            });
        }

        return null;
    }

    private static Rule? RemovePages(Part part)
    {
        Run run = part.Run;
        if (run.Check(Remove, part) is { } failure)
        {
            return failure;
        }

        (ulong first, ulong end) = Indices(part);
        Segment segment = run.SegmentOf(part.Mapping);
        if (!part.IsHuge)
        {
            run.Fire(Punch);
            Free(run, segment, first, end);
            return null;
        }

        ulong unit = part.Mapping.PageSize / run.PageSize;
        ulong wholeFirst = Run.Up(first, unit);
        ulong wholeEnd = end - (end % unit);
        if (run.Profile >= KernelProfile.Linux6_1)
        {
            ZeroPages(run, segment, first, ulong.Min(end, wholeFirst));
            ZeroPages(run, run.SegmentOf(part.Mapping), ulong.Max(wholeEnd, first), end);
        }

        if (wholeFirst < wholeEnd)
        {
            run.Fire(PunchHuge);
            Free(run, run.SegmentOf(part.Mapping), wholeFirst / unit, wholeEnd / unit);
        }

        return null;
    }

    /// <summary>Frees the pages of a range of an object, in its own units, for everybody.</summary>
    private static void Free(Run run, Segment segment, ulong first, ulong end)
    {
        MemoryObject holder = segment.Object;
        ulong unit = holder.PageSize / run.PageSize;
        bool losesPromise = holder.IsHuge && holder.Promised;
        foreach ((ulong index, ObjectPage page) in segment.Object.Pages.Between(first, end))
        {
            if (page.Mappers > 0)
            {
                SwapOut.DropAllEntries(run, segment.Location, index, unit);
            }

            ObjectPages.Release(run, page);
            holder = ObjectPages.With(
                holder, index, new(losesPromise ? PageState.HugeNone : PageState.None));
        }

        run.Put(segment with
        {
            Object = ObjectPages.Recount(run, holder with
            {
                Contents = holder.Contents.RemoveRange(first * unit, end * unit),
            }),
        });
    }

    /// <summary>Zeroes base pages of an allocated huge page.</summary>
    private static void ZeroPages(Run run, Segment segment, ulong first, ulong end)
    {
        if (first < end)
        {
            run.Fire(ZeroPart);
            MemoryObject holder = segment.Object;
            run.Put(segment with
            {
                Object = holder with { Contents = holder.Contents.RemoveRange(first, end) },
            });
        }
    }

    private static Rule? PopulatePart(Part part, bool write)
    {
        MappingFlags needed = write ? MappingFlags.Write : MappingFlags.Read;
        if (!part.Mapping.Has(needed))
        {
            return NoRight;
        }

        part.Run.Fire(Populated);
        return Populate.Pages(part.Run, part.Mapping, part.Start, part.End, write);
    }

    private static Rule? PopulateRange(Request request, bool write)
    {
        ulong at = request.Start;
        while (at < request.End)
        {
            if (request.Run.Space.Find(at) is not { } mapping)
            {
                return PopulateGap;
            }

            ulong end = ulong.Min(mapping.End, request.End);
            var part = new Part(request.Run, request.Advice, mapping, at, end);
            if (PopulatePart(part, write) is { } failure)
            {
                return failure;
            }

            at = end;
        }

        return null;
    }

    /// <summary>Base pages of the object that a part of a mapping shows.</summary>
    private static (ulong First, ulong End) Indices(Part part)
    {
        ulong first = part.Mapping.Offset
            + (part.Start - part.Mapping.Start) / part.Run.PageSize;
        return (first, first + (part.End - part.Start) / part.Run.PageSize);
    }
}
