using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>How pages leave memory: MADV_PAGEOUT, and the event <c>reclaim</c>.</summary>
internal static class SwapOut
{
    public static readonly RuleFamily Family = new("reclaim");

    private static readonly Rule Eligible = Family.Effect("pageout.eligible",
        "MADV_PAGEOUT acts on pages that have a page table entry in this mapping and nowhere else; "
            + "all others stay, and so do pages of a segment that SHM_LOCK holds.",
        "mm/madvise.c:madvise_cold_or_pageout_pte_range; mm/vmscan.c:shrink_folio_list");

    private static readonly Rule DropClean = Family.Effect("reclaim.drop-clean",
        "A clean page is dropped (C to N): no slot is needed, it reads 0 again.",
        "mm/vmscan.c:shrink_folio_list");

    private static readonly Rule WriteOut = Family.Effect("reclaim.write-out",
        "A dirty page takes a slot and leaves memory (D to S); where the device writes "
            + "asynchronously it stays in the swap cache (D to W).",
        "mm/shmem.c:shmem_writeout; mm/page_io.c:swap_writeout");

    private static readonly Rule NoSlot = Family.Effect("reclaim.no-slot",
        "A dirty page for which there is no slot stays (D), without page table entries.",
        "mm/shmem.c:shmem_writeout; mm/vmscan.c:shrink_folio_list");

    private static readonly Rule DropCopy = Family.Effect("reclaim.drop-copy",
        "The copy of a swapped page in the swap cache is dropped (W to S).",
        "mm/vmscan.c:__remove_mapping");

    private static readonly Rule Skipped = Family.Effect("reclaim.locked",
        "Reclaim passes over pages in memory that SHM_LOCK holds, or that a page table entry of a "
            + "locked mapping maps.",
        "mm/vmscan.c:folio_evictable; mm/rmap.c:try_to_unmap_one");

    private static readonly Rule Done = Family.Effect("reclaim.ok",
        "Reclaim of pages of a segment, as far as it exists: the first one, by namespace, that "
            + "has the identifier.",
        "docs/machine.md, The event reclaim");

    /// <summary>MADV_PAGEOUT of a part of a mapping of normal pages.</summary>
    public static void PageOut(Run run, Mapping mapping, ulong start, ulong end)
    {
        run.Fire(Eligible);
        Segment segment = run.SegmentOf(mapping);
        foreach ((ulong page, _) in run.Space.Pages.Between(
            start / run.PageSize, end / run.PageSize))
        {
            ulong index = Faults.IndexOf(run, mapping, page);
            if (!segment.IsLocked && segment.Object.Pages[index].Mappers == 1)
            {
                Evict(run, segment.Location, index);
            }
        }
    }

    public static StepResult Execute(Run run, Reclaim call)
    {
        run.Context.Bindings.TryResolve(call.Segment, out int id);
        if (run.State.Segments.Rows.FirstOrDefault(s => s.Id.Value == id)
            is { Object.IsHuge: false } segment)
        {
            ReclaimPages(run, segment, call.Pages);
        }

        return run.Returns(Done);
    }

    /// <summary>Drops all page table entries for a page of an object.</summary>
    public static void DropAllEntries(Run run, SegmentKey key, ulong index, ulong unit)
    {
        foreach (ulong number in run.State.Spaces.Keys)
        {
            AddressSpace space = run.State.Spaces[number];
            foreach (Mapping mapping in space.Mappings.Rows)
            {
                if (EntryFor(run, space, mapping, key, index * unit) is { } page)
                {
                    space = space with
                    {
                        Pages = space.Pages.Remove(page),
                        ShmemPages = space.ShmemPages - (mapping.IsHuge ? 0 : 1ul),
                        HugetlbPages = space.HugetlbPages - (mapping.IsHuge ? unit : 0),
                    };
                }
            }

            run.State = run.State with { Spaces = run.State.Spaces.Set(number, space) };
        }
    }

    /// <summary>The virtual page number at which a mapping has a page table entry for a page of
    /// an object, in base pages; none if it has none.</summary>
    private static ulong? EntryFor(
        Run run, AddressSpace space, Mapping mapping, SegmentKey key, ulong index)
    {
        ulong page = unchecked(mapping.Start / run.PageSize + index - mapping.Offset);
        return mapping.Segment == key && page >= mapping.Start / run.PageSize
            && page < mapping.End / run.PageSize && space.Pages.Contains(page) ? page : null;
    }

    private static void ReclaimPages(Run run, Segment segment, PageRange range)
    {
        foreach ((ulong index, ObjectPage page) in segment.Object.Pages
            .Between(range.First, ulong.MaxValue).TakeWhile(row => row.Page <= range.Last))
        {
            if (page.IsResident
                && (segment.IsLocked || IsMappedLocked(run, segment.Location, index)))
            {
                run.Fire(Skipped);
            }
            else if (page.State is not PageState.Swapped)
            {
                Evict(run, segment.Location, index);
            }
        }
    }

    public static void Evict(Run run, SegmentKey key, ulong index)
    {
        Segment segment = run.State.Segments[key.Value];
        ObjectPage page = segment.Object.Pages[index];
        if (page.Mappers > 0)
        {
            DropAllEntries(run, key, index, unit: 1);
        }

        (Rule rule, PageState to) = page.State switch
        {
            PageState.Clean => (DropClean, PageState.None),
            PageState.SwapCached => (DropCopy, PageState.Swapped),
            _ => TakeSlot(run),
        };
        run.Fire(rule);
        run.Moved(page.State, to);
        ulong frames = to is PageState.None or PageState.Swapped ? 1ul : 0;
        ulong copies = to is PageState.SwapCached ? 1ul : 0;
        run.State = run.State with
        {
            FramesUsed = run.State.FramesUsed - frames,
            SwapCached = run.State.SwapCached + copies
                - (page.State is PageState.SwapCached ? 1ul : 0),
        };
        MemoryObject holder = ObjectPages.With(
            segment.Object, index, new(to, Marked: to is not PageState.None));
        bool wrote = rule == WriteOut;
        run.Put(segment with { Object = wrote ? ObjectPages.Recount(run, holder) : holder });
    }

    private static (Rule Rule, PageState To) TakeSlot(Run run)
    {
        SpecState state = run.State;
        if (!state.SwapInUse || state.SlotsUsed == state.Config.SwapSlots)
        {
            return (NoSlot, PageState.Dirty);
        }

        if (run.IsInjected(AllocationKind.Slot))
        {
            return (Machine.FailSlot, PageState.Dirty);
        }

        run.State = state with { SlotsUsed = state.SlotsUsed + 1 };
        return (WriteOut, state.Config.SwapKind == SwapKind.Synchronous
            ? PageState.Swapped : PageState.SwapCached);
    }

    private static bool IsMappedLocked(Run run, SegmentKey key, ulong index) =>
        run.State.Spaces.Rows.Any(space => space.Mappings.Rows.Any(mapping =>
            mapping.Has(MappingFlags.Locked)
            && EntryFor(run, space, mapping, key, index) is not null));
}
