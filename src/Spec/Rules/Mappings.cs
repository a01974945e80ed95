using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>What the calls that map, unmap and change mappings have in common: splitting, joining,
/// moving a boundary, unmapping, dropping page table entries (mm/vma.c).</summary>
internal static class Mappings
{
    public static readonly RuleFamily Family = new("mapping");

    public static readonly Rule HugeBoundary = Family.Error(
        EINVAL, "mapping.einval.huge-boundary",
        "A mapping of huge pages can only be split between them. A split that a call made before "
            + "the one that fails stays.",
        "mm/hugetlb.c:hugetlb_vm_op_split; mm/vma.c:__split_vma");

    private static readonly Rule SplitAttach = Family.Effect(
        "nattch.split",
        "A mapping of a segment that is changed in part is split, and the new mapping counts as "
            + "an attach.",
        "mm/vma.c:__split_vma");

    private static readonly Rule MovedBoundary = Family.Effect(
        "nattch.boundary-moves",
        "When a part of a mapping at its edge becomes like the neighbour, which is of the same "
            + "attach, the boundary between them moves: no split, no stamp. A mapping of a "
            + "segment never disappears by joining, and huge ones never change a boundary.",
        "mm/vma.c:vma_merge_existing_range, can_merge_remove_vma",
        RuleFamily.From(KernelProfile.Linux6_12));

    private static readonly Rule ExtendedNeighbour = Family.Effect(
        "nattch.extend",
        "A mapping of a segment that mremap puts beside a mapping of the same attach, of the same "
            + "kind and with adjoining pages, extends it instead of becoming one of its own.",
        "mm/vma.c:copy_vma, vma_merge_new_range",
        RuleFamily.From(KernelProfile.Linux6_12));

    private static readonly Rule Joined = Family.Effect(
        "mapping.join-private",
        "Neighbouring mappings of private memory of the same kind become one when one of them "
            + "comes into being or changes; one that mremap makes longer in place joins the one "
            + "behind it only. One that was written and one that was not join unless fork "
            + "copied the former.",
        "mm/vma.c:is_mergeable_anon_vma, vma_merge_extend");

    private static readonly Rule NextFirst = Family.Effect(
        "mapping.join-next-alone",
        "What mmap puts between two mappings of private memory, each of which it could join, joins "
            + "the one behind it alone, where these two have been written differently: the one "
            + "before never and the one behind once, or both on their own.",
        "mm/mmap.c:mmap_region (can_vma_merge_before, can_vma_merge_after)",
        [KernelProfile.Linux6_1]);

    private static readonly Rule GrowsAlone = Family.Effect(
        "mapping.grow-apart",
        "Private memory that mremap makes longer in place does not join its neighbours.",
        "mm/mremap.c:mremap (vma_adjust)", RuleFamily.UpTo(KernelProfile.Linux5_14));

    private static readonly Rule CopyStaysApart = Family.Effect(
        "mapping.dontunmap-apart",
        "A copy that MREMAP_DONTUNMAP makes of private memory that was never written does not "
            + "join the original beside it; in Linux 6.1 it then joins nothing.",
        "mm/mmap.c:copy_vma (stable)", [KernelProfile.Linux6_1, KernelProfile.Linux6_12]);

    private static readonly Rule Unlocked = Family.Effect(
        "mapping.dontunmap-unlocks",
        "The whole mapping that MREMAP_DONTUNMAP has moved a range of is not locked any more, and "
            + "its pages leave VmLck.",
        "mm/mremap.c:dontunmap_complete");

    private static readonly Rule OffsetAnew = Family.Effect(
        "mapping.dontunmap-offset",
        "What MREMAP_DONTUNMAP leaves of a whole mapping of private memory counts its pages from "
            + "its address again, as memory does that was never written, so that it can join "
            + "its neighbours. Elsewhere it counts on from where it was first mapped.",
        "mm/mremap.c:move_vma (stable)", [KernelProfile.Linux6_1, KernelProfile.Linux6_12]);

    private static readonly Rule EntryDirty = Family.Effect(
        "pte.dirty-to-page",
        "A page table entry that goes leaves its dirt with the page.",
        "mm/memory.c:zap_present_folio_ptes");

    /// <summary>Splits a mapping, if an address lies within it.</summary>
    /// <returns>The rule by which it cannot be split there.</returns>
    public static Rule? Split(Run run, ulong address)
    {
        if (run.Space.Find(address) is not { } mapping || mapping.Start == address)
        {
            return null;
        }

        if (address % mapping.PageSize != 0)
        {
            return HugeBoundary;
        }

        if (mapping.Segment is not null)
        {
            run.Fire(SplitAttach);
        }

        Mapping upper = WithStart(run, mapping, address);
        Lifetime.Open(run, upper);
        run.Put(mapping with { End = address });
        run.Put(upper);
        return null;
    }

    /// <summary>Unmaps [<paramref name="start"/>, <paramref name="end"/>).</summary>
    /// <returns>The rule by which that fails; splits made before it stay.</returns>
    public static Rule? Unmap(Run run, ulong start, ulong end)
    {
        Rule? failure = start == end ? null : SplitEdges(run, start, end);
        if (failure is null)
        {
            Remove(run, start, end);
        }

        return failure;
    }

    /// <summary>Splits the mappings that reach over the edges of a range.</summary>
    public static Rule? SplitEdges(Run run, ulong start, ulong end) =>
        Split(run, start) ?? Split(run, end);

    /// <summary>Removes the mappings of a range that no mapping reaches over: first their page
    /// table entries, then, in ascending order, the mappings.</summary>
    public static void Remove(Run run, ulong start, ulong end)
    {
        Mapping[] gone = [.. run.Space.Mappings.Between(start, end).Select(row => row.Row)];
        foreach (Mapping mapping in gone)
        {
            DropEntries(run, mapping, start, end);
        }

        foreach (Mapping mapping in gone)
        {
            AddressSpace space = run.Space;
            run.Space = space with
            {
                Mappings = space.Mappings.Remove(mapping.Start),
                TotalPages = space.TotalPages - mapping.Length / run.PageSize,
                LockedPages = space.LockedPages - PagesIf(run, mapping, MappingFlags.Locked),
            };
            Commit.Uncharge(run, PagesIf(run, mapping, MappingFlags.Account));
            Lifetime.Close(run, mapping);
        }
    }

    /// <summary>Drops the page table entries of a mapping, and the private pages, in a range.
    /// </summary>
    public static void DropEntries(Run run, Mapping mapping, ulong start, ulong end)
    {
        AddressSpace space = run.Space;
        ulong first = ulong.Max(start, mapping.Start) / run.PageSize;
        ulong last = ulong.Min(end, mapping.End) / run.PageSize;
        if (mapping.Segment is null)
        {
            run.Space = space with { Contents = space.Contents.RemoveRange(first, last) };
            return;
        }

        ulong entries = (ulong)(space.Pages.CountBelow(last) - space.Pages.CountBelow(first));
        if (entries == 0)
        {
            return;
        }

        Segment segment = run.SegmentOf(mapping);
        run.Put(segment with { Object = Unmapped(run, segment.Object, mapping, first, last) });
        run.Space = space with
        {
            Pages = space.Pages.RemoveRange(first, last),
            ShmemPages = space.ShmemPages - (mapping.IsHuge ? 0 : entries),
            HugetlbPages = space.HugetlbPages
                - (mapping.IsHuge ? entries * (mapping.PageSize / run.PageSize) : 0),
        };
    }

    /// <summary>Puts a mapping into free room, joins it with its neighbours where that is
    /// possible, and counts it. A copy that mremap makes may extend a mapping of its own attach.
    /// </summary>
    /// <param name="run">The step.</param>
    /// <param name="mapping">The mapping.</param>
    /// <param name="isCopy">Whether mremap makes it.</param>
    /// <param name="kept">What it is a copy of, when that stays (MREMAP_DONTUNMAP).</param>
    public static void Insert(Run run, Mapping mapping, bool isCopy, Mapping? kept = null)
    {
        AddressSpace space = run.Space;
        run.Space = space with
        {
            TotalPages = space.TotalPages + mapping.Length / run.PageSize,
            LockedPages = space.LockedPages + PagesIf(run, mapping, MappingFlags.Locked),
        };
        if (mapping.Segment is null)
        {
            run.Put(mapping);
            Join(run, mapping, kept, isNew: !isCopy);
        }
        else if (!isCopy || !ExtendNeighbour(run, mapping))
        {
            Lifetime.Open(run, mapping);
            run.Put(mapping);
        }
    }

    /// <summary>Changes flags and policy of a part of one mapping: moves a boundary, or splits.
    /// </summary>
    /// <returns>The rule by which that fails; a split made before it stays.</returns>
    public static Rule? Modify(
        Run run, Mapping mapping, ulong start, ulong end, MappingFlags flags, int policy)
    {
        if (flags == mapping.Flags && policy == mapping.Policy)
        {
            return null;
        }

        Mapping changed = mapping with { Flags = flags, Policy = policy };
        if (mapping.Segment is not null && MoveBoundary(run, mapping, changed, start, end))
        {
            CountLocked(run, mapping, changed, end - start);
            return null;
        }

        if (SplitEdges(run, start, end) is { } failure)
        {
            return failure;
        }

        changed = run.Space.Find(start)! with { Flags = flags, Policy = policy };
        run.Put(changed);
        CountLocked(run, mapping, changed, end - start);
        if (changed.Segment is null)
        {
            Join(run, changed);
        }

        return null;
    }

    /// <summary>Makes a mapping longer, into free room.</summary>
    public static void Extend(Run run, Mapping mapping, ulong delta)
    {
        Mapping longer = mapping with { End = mapping.End + delta };
        AddressSpace space = run.Space;
        run.Space = space with
        {
            TotalPages = space.TotalPages + delta / run.PageSize,
            LockedPages = space.LockedPages + PagesIf(run, longer, MappingFlags.Locked)
                - PagesIf(run, mapping, MappingFlags.Locked),
        };
        run.Put(longer);
        if (longer.Segment is not null)
        {
            return;
        }

        if (GrowsAlone.Profiles.Contains(run.Profile))
        {
            run.Fire(GrowsAlone);
        }
        else
        {
            Join(run, longer, onlyBehind: true);
        }
    }

    /// <summary>Moves page table entries and private pages of a range to another place in the
    /// same address space.</summary>
    public static void MoveEntries(Run run, Mapping mapping, ulong start, ulong end, ulong target)
    {
        AddressSpace space = run.Space;
        ulong first = start / run.PageSize;
        ulong last = end / run.PageSize;
        ulong to = target / run.PageSize;
        run.Space = mapping.Segment is null
            ? space with { Contents = Moved(space.Contents, first, last, to) }
            : space with { Pages = Moved(space.Pages, first, last, to) };
    }

    /// <summary>What MREMAP_DONTUNMAP leaves of the mapping it moved a range of: not locked, and
    /// never written if all of it has moved.</summary>
    public static void Forsake(Run run, ulong start, ulong end)
    {
        Mapping left = run.Space.Find(start)!;
        Mapping forsaken = left with { Flags = left.Flags & ~MappingFlags.Lock };
        if (left.Segment is null && left.Start == start && left.End == end)
        {
            forsaken = forsaken with { Anon = 0, Forked = false };
            ulong anew = left.Start / run.PageSize;
            if (left.Offset != anew && OffsetAnew.Profiles.Contains(run.Profile))
            {
                run.Fire(OffsetAnew);
                forsaken = forsaken with { Offset = anew };
            }
        }

        if (left.Has(MappingFlags.Locked))
        {
            run.Fire(Unlocked, left.Length / run.PageSize);
        }

        CountLocked(run, left, forsaken, left.Length);
        run.Put(forsaken);
    }

    /// <summary>The first write to private memory that has never been written. Its history is
    /// that of a neighbour from which it differs in rights only, if there is one
    /// (mm/vma.c:find_mergeable_anon_vma).</summary>
    public static void BeginHistory(Run run, Mapping mapping)
    {
        Mapping? next = Next(run, mapping);
        Mapping? previous = Previous(run, mapping);
        ulong anon = next is not null && Adjoin(run, mapping, next) ? Lends(next, mapping) : 0;
        anon = anon == 0 && previous is not null && Adjoin(run, previous, mapping)
            ? Lends(previous, mapping) : anon;
        if (anon == 0)
        {
            anon = run.State.NextAnon;
            run.State = run.State with { NextAnon = anon + 1 };
        }

        run.Put(mapping with { Anon = anon });
    }

    /// <summary>Base pages of mappings with these flags within a range.</summary>
    public static ulong PagesWithin(Run run, ulong start, ulong end, MappingFlags flags)
    {
        ulong pages = 0;
        foreach (Mapping mapping in run.Space.Mappings.Rows)
        {
            ulong first = ulong.Max(mapping.Start, start);
            ulong last = ulong.Min(mapping.End, end);
            pages += last > first && mapping.Has(flags) ? (last - first) / run.PageSize : 0;
        }

        return pages;
    }

    /// <summary>A mapping cut off below an address within it.</summary>
    public static Mapping WithStart(Run run, Mapping mapping, ulong start) => mapping with
    {
        Start = start,
        Offset = unchecked(
            mapping.Offset + start / run.PageSize - mapping.Start / run.PageSize),
    };

    private static PageMap<T> Moved<T>(PageMap<T> table, ulong first, ulong last, ulong to)
    {
        PageMap<T> moved = table.RemoveRange(first, last);
        foreach ((ulong page, T row) in table.Between(first, last))
        {
            moved = moved.Set(page - first + to, row);
        }

        return moved;
    }

    private static MemoryObject Unmapped(
        Run run, MemoryObject holder, Mapping mapping, ulong first, ulong last)
    {
        PageMap<PageTableEntry> entries = run.Space.Pages;
        ulong unit = mapping.PageSize / run.PageSize;
        ulong from = Faults.IndexOf(run, mapping, first);
        ulong to = from + (last - first) / unit;
        return holder with
        {
            Pages = holder.Pages.Map(from, to, (index, page) =>
            {
                if (!entries.TryGet(first + (index - from) * unit, out PageTableEntry entry))
                {
                    return page;
                }

                if (entry.Dirty && !page.Marked)
                {
                    run.Fire(EntryDirty);
                }

                return page with
                {
                    Mappers = page.Mappers - 1,
                    Marked = page.Marked || entry.Dirty,
                };
            }),
        };
    }

    private static bool MoveBoundary(
        Run run, Mapping mapping, Mapping changed, ulong start, ulong end)
    {
        bool atStart = start == mapping.Start;
        bool atEnd = end == mapping.End;
        if (run.Profile < KernelProfile.Linux6_12 || mapping.IsHuge || atStart == atEnd)
        {
            return false;
        }

        Mapping? neighbour = atStart ? Previous(run, mapping) : Next(run, mapping);
        if (neighbour is null || !AreAlike(neighbour, changed)
            || !Adjoin(run, atStart ? neighbour : mapping, atStart ? mapping : neighbour))
        {
            return false;
        }

        run.Fire(MovedBoundary);
        AddressSpace space = run.Space;
        run.Space = space with
        {
            Mappings = space.Mappings.Remove(atStart ? mapping.Start : neighbour.Start),
        };
        run.Put(atStart ? neighbour with { End = end } : mapping with { End = start });
        run.Put(WithStart(
            run, atStart ? mapping : neighbour, atStart ? end : start));
        return true;
    }

    private static bool ExtendNeighbour(Run run, Mapping copy)
    {
        if (run.Profile < KernelProfile.Linux6_12 || copy.IsHuge)
        {
            return false;
        }

        Mapping? previous = Previous(run, copy);
        Mapping? next = Next(run, copy);
        if (previous is not null && AreAlike(previous, copy) && Adjoin(run, previous, copy))
        {
            run.Put(previous with { End = copy.End });
        }
        else if (next is not null && AreAlike(next, copy) && Adjoin(run, copy, next))
        {
            run.Space = run.Space with { Mappings = run.Space.Mappings.Remove(next.Start) };
            run.Put(copy with { End = next.End });
        }
        else
        {
            return false;
        }

        run.Fire(ExtendedNeighbour);
        return true;
    }

    /// <summary>Joins a mapping of private memory with its neighbours; one that grew at its end,
    /// with the one behind it only (mm/vma.c:vma_merge_extend).</summary>
    private static void Join(
        Run run, Mapping mapping, Mapping? kept = null, bool onlyBehind = false, bool isNew = false)
    {
        Mapping? previous = onlyBehind ? null : Previous(run, mapping);
        Mapping? next = Next(run, mapping);
        if (kept is not null && kept.Anon == 0 && (previous == kept || next == kept)
            && CopyStaysApart.Profiles.Contains(run.Profile))
        {
            run.Fire(CopyStaysApart);
            bool joinsOther = run.Profile >= KernelProfile.Linux6_12;
            previous = joinsOther && previous != kept ? previous : null;
            next = joinsOther && next != kept ? next : null;
        }

        previous = previous is not null && AreAlike(previous, mapping)
            && Adjoin(run, previous, mapping) && Accepts(run, previous, mapping)
            ? previous : null;
        next = next is not null && AreAlike(next, mapping)
            && Adjoin(run, mapping, next) && Accepts(run, next, mapping) ? next : null;
        if (previous is { } before && next is { } behind)
        {
            (previous, next) = OnesThatJoin(run, before, behind, isNew);
        }

        Mapping joined = mapping;
        foreach (Mapping? other in (ReadOnlySpan<Mapping?>)[previous, next])
        {
            if (other is not null)
            {
                run.Fire(Joined);
                run.Space = run.Space with
                {
                    Mappings = run.Space.Mappings.Remove(other.Start).Remove(joined.Start),
                };
                joined = Together(other, joined);
                run.Put(joined);
            }
        }
    }

    /// <summary>Which of two neighbours a mapping joins that could join each of them.</summary>
    private static (Mapping? Previous, Mapping? Next) OnesThatJoin(
        Run run, Mapping previous, Mapping next, bool isNew)
    {
        if (isNew && NextFirst.Profiles.Contains(run.Profile) && !Accepts(run, previous, next))
        {
            run.Fire(NextFirst);
            return (null, next);
        }

        bool areStrangers =
            previous.Anon != 0 && next.Anon != 0 && previous.Anon != next.Anon;
        return (previous, areStrangers ? null : next);
    }

    private static Mapping Together(Mapping one, Mapping other)
    {
        Mapping lower = one.Start < other.Start ? one : other;
        Mapping history = one.Anon != 0 ? one : other;
        return lower with
        {
            End = ulong.Max(one.End, other.End),
            Anon = history.Anon,
            Forked = history.Forked,
        };
    }

    /// <summary>Whether a mapping of private memory takes in another with a different history.
    /// Before Linux 6.18 one that was never written does not take in one that was.</summary>
    private static bool Accepts(Run run, Mapping target, Mapping source) =>
        (target.Anon, source.Anon) switch
        {
            (0, not 0) => run.Profile >= KernelProfile.Linux6_18 && !source.Forked,
            (not 0, 0) => !target.Forked,
            _ => target.Anon == source.Anon,
        };

    private static ulong Lends(Mapping neighbour, Mapping mapping) =>
        neighbour is { Segment: null, Forked: false } && neighbour.Policy == mapping.Policy
        && ((neighbour.Flags ^ mapping.Flags) & ~MappingFlags.Rights) == 0
            ? neighbour.Anon : 0;

    private static bool AreAlike(Mapping one, Mapping other) =>
        one.Flags == other.Flags && one.Policy == other.Policy && one.File == other.File
        && one.Segment == other.Segment;

    private static bool Adjoin(Run run, Mapping lower, Mapping upper) =>
        lower.Offset + lower.Length / run.PageSize == upper.Offset;

    private static Mapping? Previous(Run run, Mapping mapping) =>
        mapping.Start > 0 ? run.Space.Find(mapping.Start - 1) : null;

    private static Mapping? Next(Run run, Mapping mapping) => run.Space.Find(mapping.End);

    /// <summary>Base pages of a mapping if it has these flags.</summary>
    private static ulong PagesIf(Run run, Mapping mapping, MappingFlags flags) =>
        mapping.Has(flags) ? mapping.Length / run.PageSize : 0;

    private static void CountLocked(Run run, Mapping before, Mapping after, ulong length)
    {
        ulong pages = length / run.PageSize;
        AddressSpace space = run.Space;
        run.Space = space with
        {
            LockedPages = space.LockedPages + (after.Has(MappingFlags.Locked) ? pages : 0)
                - (before.Has(MappingFlags.Locked) ? pages : 0),
        };
    }
}
