using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>What holds in every state. Each predicate recomputes a figure by another way than the
/// rules change it.</summary>
internal static class Invariants
{
    private sealed record Check(Invariant Invariant, Func<SpecState, Census, string?> Find);

    private static readonly Check[] Checks =
    [
        Each("page-partition", (s, x) => PagesOf(s, x, BadPage),
            "Every page of an object is in one state, of its kind, within the object; a hole of a "
                + "normal object has no row, pages out of memory are not mapped, and what was "
                + "swapped is marked dirty.",
            "mm/shmem.c: the index of an inode holds a page or a swap entry"),
        Each("size-bound", (_, x) => x.Object.Resident + x.Object.Swapped <= x.Object.PageCount
                ? null : $"{x.Object.Resident} + {x.Object.Swapped} of {x.Object.PageCount} pages",
            "Resident and swapped pages together do not exceed the object.",
            "ipc/shm.c:shm_add_rss_swap"),
        Each("rss-def", (_, x) => Equal(
                "resident", x.Object.Resident, Count(x, page => page.IsResident)),
            "The resident pages of an object are its pages in C and D, or its huge pages.",
            "ipc/shm.c:shm_add_rss_swap"),
        Each("swp-def", (_, x) => Equal(
                "swapped", x.Object.Swapped, Count(x, page => page.HoldsSlot)),
            "The swapped pages of an object are its pages in S and W.",
            "ipc/shm.c:shm_add_rss_swap"),
        Each("charge-bound", (_, x) => x.Object.IsHuge || x.Object.Promised
                || x.Object.Charged >= x.Object.Resident + x.Object.Swapped
                    ? null : $"charged {x.Object.Charged} pages",
            "An object charged page by page is charged for at least what it holds.",
            "mm/shmem.c:shmem_recalc_inode"),
        Each("length-form", (s, x) => x.Object.Length == (x.Object.IsHuge
                ? Run.Up(x.Size, x.Object.PageSize) : x.Size)
                && (x.Object.IsHuge || x.Object.PageSize == s.Config.PageSize)
                    ? null : $"size {x.Size}, object {x.Object.Length} bytes",
            "A normal object is as long as its segment, a huge one as many whole huge pages.",
            "ipc/shm.c:newseg"),
        Each("content", (s, x) => BadContent(s, x),
            "Holes and clean pages read as 0.", "mm/shmem.c:shmem_get_folio_gfp"),
        Each("huge-no-swap", (_, x) => x.Object is { IsHuge: true, Swapped: > 0 }
                ? $"{x.Object.Swapped} swapped" : null,
            "Huge pages are never swapped.", "mm/vmscan.c"),
        Machine("tot-def", (s, _) => Namespaces(s, (ns, total, _) => Equal(
                "shm_tot", ns.Total, total)),
            "shm_tot is the sum of the pages of all segments, in base pages.",
            "ipc/shm.c:newseg, shm_destroy"),
        Machine("used-def", (s, _) => Namespaces(s, (ns, _, used) => Equal(
                "used_ids", (ulong)ns.InUse, used)),
            "used_ids is the number of segments.", "ipc/util.c:ipc_addid, ipc_rmid"),
        Machine("nattch-def", (s, census) => Segments(s, x => Equal(
                $"nattch of {x.Id}", x.Attaches, census.Attaches(x.Location))),
            "shm_nattch is the number of mappings of the segment in all address spaces.",
            "ipc/shm.c:shm_open, shm_close"),
        Each("dest-alive", (_, x) => x is { Destroyed: true, Attaches: 0 } ? "no attach" : null,
            "A segment marked for destruction has an attach.", "ipc/shm.c:shm_may_destroy"),
        Each("dest-keyless", (_, x) => x.Destroyed && x.Key != 0 ? $"key {x.Key}" : null,
            "A segment marked for destruction has no key.", "ipc/shm.c:do_shm_rmid"),
        Machine("key-unique", (s, _) => SharedKey(s),
            "No two segments of a namespace have the same key.", "ipc/util.c:ipc_findkey"),
        Machine("id-form", (s, _) => BadIdentifier(s),
            "An identifier is not negative, and its index is where the segment is.",
            "ipc/util.c:ipc_idr_alloc"),
        Each("mode-form", (_, x) => (x.ShownMode & ~0x7ff) == 0
                && (x.Mode & ~ShmGetFlags.ModeMask) == 0 ? null : $"mode {x.ShownMode:x}",
            "The mode has nine permission bits, SHM_DEST and SHM_LOCKED.",
            "ipc/shm.c:newseg"),
        Each("stamps", (_, x) => BadStamps(x),
            "shm_lpid is 0 exactly while neither shm_atime nor shm_dtime is set; what is attached "
                + "has shm_atime; ctime is set.",
            "ipc/shm.c:shm_open, shm_close"),
        Machine("mapping-order", (s, _) => Spaces(s, BadMappings),
            "Mappings are whole pages, in order, without overlap, within the address space, and "
                + "map segments that exist.",
            "mm/mmap.c"),
        Machine("pte-implies-resident", (s, _) => Spaces(s, space => BadEntries(s, space)),
            "Every page table entry lies in a mapping and maps a resident page of its segment.",
            "mm/rmap.c"),
        Machine("mapcount", (s, census) => Segments(s, x => PagesOf(s, x, (_, y, index, page) =>
                Equal($"mapcount of {y.Id} page {index}", (ulong)page.Mappers,
                    census.Mappers(y.Location, index)))),
            "The mapcount of a page is the number of its page table entries.", "mm/rmap.c"),
        Machine("rss-shmem", (s, _) => Spaces(s, space => Equal(
                "RssShmem pages", space.ShmemPages, Entries(s, space, huge: false))),
            "RssShmem is the number of page table entries for normal pages.",
            "mm/memory.c:set_pte_range"),
        Machine("hugepte", (s, _) => Spaces(s, space => Equal(
                "HugetlbPages", space.HugetlbPages, Entries(s, space, huge: true))),
            "HugetlbPages is the size of the huge pages with a page table entry.",
            "mm/hugetlb.c:hugetlb_count_add"),
        Machine("vmsize", (s, _) => Spaces(s, space => Equal(
                "VmSize pages", space.TotalPages, Length(s, space, MappingFlags.None))),
            "VmSize is the length of all mappings.", "mm/mmap.c:vm_stat_account"),
        Machine("vmlck", (s, _) => Spaces(s, space => Equal(
                "VmLck pages", space.LockedPages, Length(s, space, MappingFlags.Locked))),
            "VmLck is the length of the locked mappings.", "mm/mlock.c:mlock_fixup"),
        Machine("frames", (s, census) => Equal("frames", s.FramesUsed, census.Frames)
                ?? (s.FramesUsed + s.Pool.Total * s.Config.PagesPerHugePage <= s.Config.TotalPages
                    ? null : $"{s.FramesUsed} frames and {s.Pool.Total} huge pages"),
            "Frames are taken by pages in C, D and W; with the huge page pool they fit memory.",
            "docs/machine.md, Memory"),
        Machine("shmem-total", (s, census) => Equal(
                "Shmem pages", s.FramesUsed - s.SwapCached, census.Resident),
            "Shmem is the number of pages in C and D.", "mm/shmem.c:shmem_add_to_page_cache"),
        Machine("slots", (s, census) => Equal("slots", s.SlotsUsed, census.Swapped)
                ?? (s.SlotsUsed <= s.SwapTotal ? null : $"{s.SlotsUsed} of {s.SwapTotal} slots"),
            "Slots are taken by pages in S and W, and the device in use has as many.",
            "mm/swapfile.c"),
        Machine("swapcache-slot", (s, census) => Equal(
                "SwapCached pages", s.SwapCached, census.SwapCached),
            "SwapCached is the number of pages in W.", "mm/swap_state.c"),
        Machine("commit", (s, census) => Equal("committed", s.Committed, census.Committed(s)),
            "Committed memory is that of normal segments, in full or page by page, and of charged "
                + "mappings of private memory; huge pages add nothing.",
            "mm/util.c:__vm_enough_memory"),
        Machine("pool-sum", (s, census) => Equal(
                "huge pages in use", s.Pool.Total - s.Pool.Free, census.Huge),
            "Huge pages of the pool that are not free hold a page of an object.",
            "mm/hugetlb.c"),
        Machine("rsvd-le-free", (s, _) => s.Pool.Reserved <= s.Pool.Free
                && s.Pool.Free <= s.Pool.Total ? null : $"{s.Pool}",
            "HugePages_Rsvd <= HugePages_Free <= HugePages_Total.", "mm/hugetlb.c"),
        Machine("surp", (s, _) => s.Pool.Surplus <= s.Pool.Total
                && (s.Pool.Surplus == 0 || s.Pool.Free == s.Pool.Reserved) ? null : $"{s.Pool}",
            "HugePages_Surp <= HugePages_Total; while there are surplus pages, all free ones are "
                + "reserved.",
            "mm/hugetlb.c:free_huge_folio, return_unused_surplus_pages"),
        Machine("rsvd-def", (s, census) => Equal("reserved", s.Pool.Reserved, census.Promises),
            "HugePages_Rsvd is the number of entries in reservation maps without a page.",
            "mm/hugetlb.c:region_add, alloc_hugetlb_folio"),
        Machine("lock-charge", (s, _) => BadLockCharge(s),
            "What SHM_LOCK charged a user is the pages of the segments that it is charged for.",
            "mm/mlock.c:user_shm_lock, user_shm_unlock"),
        Machine("tasks", (s, _) => BadTask(s),
            "Every task has its process, address space and namespace, every process and address "
                + "space a task; creators and awaited vfork children live.",
            "kernel/fork.c"),
        Machine("conservation", (s, _) => s.Tasks.Count > 0 ? null : Leftover(s),
            "With no task left, nothing is left: no namespace, segment, page, slot, charge or "
                + "reservation.",
            "ipc/namespace.c:free_ipc_ns; mm/mmap.c:exit_mmap"),
    ];

    public static IEnumerable<Invariant> All => Checks.Select(check => check.Invariant);

    public static IReadOnlyList<Violation> Find(SpecState state)
    {
        List<Violation>? found = null;
        var census = new Census(state);
        foreach (Check check in Checks)
        {
            if (check.Find(state, census) is { } detail)
            {
                (found ??= []).Add(new(check.Invariant, detail));
            }
        }

        return found ?? (IReadOnlyList<Violation>)[];
    }

    private static Check Machine(
        string id, Func<SpecState, Census, string?> find, string statement, string source) =>
        new(new Invariant { Id = id, Statement = statement, Source = source }, find);

    private static Check Each(
        string id, Func<SpecState, Segment, string?> find, string statement, string source) =>
        Machine(id, (state, _) => Segments(state, segment => find(state, segment) is { } detail
            ? $"segment {segment.Id}: {detail}" : null), statement, source);

    private static string? Equal(string what, ulong kept, ulong counted) =>
        kept == counted ? null : $"{what}: {kept} kept, {counted} counted";

    private static string? Segments(SpecState state, Func<Segment, string?> find)
    {
        foreach (Segment segment in state.Segments.Rows)
        {
            if (find(segment) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static string? Spaces(SpecState state, Func<AddressSpace, string?> find)
    {
        foreach (AddressSpace space in state.Spaces.Rows)
        {
            if (find(space) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static string? PagesOf(
        SpecState state, Segment segment, Func<SpecState, Segment, ulong, ObjectPage, string?> find)
    {
        Table<ObjectPage> pages = segment.Object.Pages;
        for (int row = 0; row < pages.Count; row++)
        {
            if (find(state, segment, pages.Keys[row], pages.Rows[row]) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static string? Namespaces(
        SpecState state, Func<IpcNamespace, ulong, ulong, string?> find)
    {
        foreach (IpcNamespace ns in state.Namespaces.Rows)
        {
            ulong total = 0;
            ulong used = 0;
            foreach (Segment segment in state.Segments.Rows)
            {
                bool isHere = segment.Namespace == ns.Number;
                used += isHere ? 1ul : 0;
                total += isHere
                    ? new ByteCount(segment.Size).InUnitsOf(new(state.Config.PageSize)) : 0;
            }

            if (find(ns, total, used) is { } detail)
            {
                return $"namespace {ns.Number}: {detail}";
            }
        }

        return null;
    }

    private static ulong Count(Segment segment, Func<ObjectPage, bool> which)
    {
        ulong count = 0;
        foreach (ObjectPage page in segment.Object.Pages.Rows)
        {
            count += which(page) ? 1ul : 0;
        }

        return count;
    }

    private static string? BadPage(SpecState _, Segment segment, ulong index, ObjectPage page)
    {
        bool isHugeState = page.State is PageState.HugeNone or PageState.HugeResident;
        bool isGood = index < segment.Object.PageCount && page.State is not PageState.None
            && isHugeState == segment.Object.IsHuge
            && (page.State is not PageState.HugeNone || segment.Object.Promised)
            && (page.Mappers == 0 || page.IsResident)
            && (!page.HoldsSlot || page.Marked)
            && !(page.State is PageState.Clean && page.Marked);
        return isGood ? null : $"page {index} of {segment.Object.PageCount}: {page}";
    }

    private static string? BadContent(SpecState state, Segment segment)
    {
        Table<byte> contents = segment.Object.Contents;
        ulong unit = segment.Object.PageSize / state.Config.PageSize;
        for (int row = 0; row < contents.Count; row++)
        {
            segment.Object.Pages.TryGet(contents.Keys[row] / unit, out ObjectPage page);
            bool mayHold = page.State is PageState.Dirty or PageState.SwapCached
                or PageState.Swapped or PageState.HugeResident;
            if (!mayHold || contents.Rows[row] == 0)
            {
                return $"page {contents.Keys[row]} ({page.State}) = {contents.Rows[row]}";
            }
        }

        return null;
    }

    private static string? SharedKey(SpecState state)
    {
        ReadOnlySpan<Segment> segments = state.Segments.Rows;
        for (int one = 0; one < segments.Length; one++)
        {
            for (int other = one + 1; other < segments.Length && segments[one].Key != 0; other++)
            {
                if (segments[one].Key == segments[other].Key
                    && segments[one].Namespace == segments[other].Namespace)
                {
                    return $"segments {segments[one].Id} and {segments[other].Id}";
                }
            }
        }

        return null;
    }

    private static string? BadIdentifier(SpecState state)
    {
        for (int row = 0; row < state.Segments.Count; row++)
        {
            Segment segment = state.Segments.Rows[row];
            if (segment.Id.Value < 0 || segment.Location.Value != state.Segments.Keys[row])
            {
                return $"segment {segment.Id} in row {state.Segments.Keys[row]}";
            }
        }

        return null;
    }

    private static string? BadStamps(Segment segment)
    {
        bool isAttached = segment.AttachTime != Stamp.Never;
        bool isGood = (segment.LastPid != 0) == (isAttached || segment.DetachTime != Stamp.Never)
            && (segment.Attaches == 0 || isAttached)
            && segment.ChangeTime != Stamp.Never;
        return isGood ? null
            : $"lpid {segment.LastPid}, atime {segment.AttachTime}, dtime {segment.DetachTime}";
    }

    private static string? BadMappings(AddressSpace space)
    {
        ulong end = 0;
        for (int row = 0; row < space.Mappings.Count; row++)
        {
            Mapping mapping = space.Mappings.Rows[row];
            bool isGood = mapping.Start == space.Mappings.Keys[row] && mapping.Start >= end
                && mapping.End > mapping.Start && mapping.End <= MachineConfig.TaskSize
                && mapping.Start % mapping.PageSize == 0 && mapping.End % mapping.PageSize == 0
                && (mapping.Segment is null) == (mapping.File == 0);
            if (!isGood)
            {
                return $"mapping 0x{mapping.Start:x}-0x{mapping.End:x}";
            }

            end = mapping.End;
        }

        return null;
    }

    private static string? BadEntries(SpecState state, AddressSpace space)
    {
        ulong basePage = state.Config.PageSize;
        foreach (ulong page in space.Pages.Keys)
        {
            Mapping? mapping = space.Find(page * basePage);
            if (mapping?.Segment is not { } key
                || !state.Segments.TryGet(key.Value, out Segment? segment)
                || !segment.Object.Pages.TryGet(
                    Census.IndexOf(state, mapping, page), out ObjectPage shown)
                || !shown.IsResident)
            {
                return $"page table entry at 0x{page * basePage:x}";
            }
        }

        return null;
    }

    private static ulong Entries(SpecState state, AddressSpace space, bool huge)
    {
        ulong pages = 0;
        foreach (ulong page in space.Pages.Keys)
        {
            if (space.Find(page * state.Config.PageSize) is { } mapping && mapping.IsHuge == huge)
            {
                pages += mapping.PageSize / state.Config.PageSize;
            }
        }

        return pages;
    }

    private static ulong Length(SpecState state, AddressSpace space, MappingFlags flags)
    {
        ulong bytes = 0;
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            bytes += mapping.Has(flags) ? mapping.Length : 0;
        }

        return bytes / state.Config.PageSize;
    }

    private static string? BadLockCharge(SpecState state)
    {
        ulong counted = 0;
        foreach (Segment segment in state.Segments.Rows)
        {
            counted += segment.LockedBy is null ? 0
                : new ByteCount(segment.Object.Length).InUnitsOf(new(state.Config.PageSize));
        }

        ulong kept = 0;
        for (int row = 0; row < state.LockedByUser.Count; row++)
        {
            ulong user = 0;
            foreach (Segment segment in state.Segments.Rows)
            {
                user += segment.LockedBy is { } uid && (uint)uid == state.LockedByUser.Keys[row]
                    ? new ByteCount(segment.Object.Length).InUnitsOf(new(state.Config.PageSize))
                    : 0;
            }

            if (user != state.LockedByUser.Rows[row] || user == 0)
            {
                return $"user {state.LockedByUser.Keys[row]}: {state.LockedByUser.Rows[row]} "
                    + $"pages kept, {user} counted";
            }

            kept += user;
        }

        return Equal("locked pages", kept, counted);
    }

    private static string? BadTask(SpecState state)
    {
        var groups = new HashSet<int>();
        var spaces = new HashSet<ulong>();
        foreach (KernelTask task in state.Tasks.Rows)
        {
            groups.Add(task.Tgid);
            spaces.Add(task.Space);
            if (!state.Groups.Contains((ulong)task.Tgid) || !state.Spaces.Contains(task.Space)
                || !state.Namespaces.Contains((ulong)task.Namespace)
                || (task.WaitsFor != 0 && !state.Tasks.Contains((ulong)task.WaitsFor)))
            {
                return $"task {task.Tid}";
            }
        }

        return groups.Count != state.Groups.Count || spaces.Count != state.Spaces.Count
            ? $"{groups.Count} of {state.Groups.Count} processes, "
                + $"{spaces.Count} of {state.Spaces.Count} address spaces"
            : Segments(state, segment => segment.Creator == 0
                || state.Tasks.Contains((ulong)segment.Creator)
                    ? null : $"creator {segment.Creator} of segment {segment.Id}");
    }

    private static string? Leftover(SpecState state) =>
        state.Namespaces.Count == 0 && state.Segments.Count == 0 && state.Spaces.Count == 0
        && state.Groups.Count == 0 && state.LockedByUser.Count == 0 && state.FramesUsed == 0
        && state.SlotsUsed == 0 && state.SwapCached == 0 && state.Committed == 0
        && state.Pool.Reserved == 0 && state.Pool.Free == state.Pool.Total
            ? null
            : $"{state.Segments.Count} segments, {state.FramesUsed} frames, "
                + $"{state.SlotsUsed} slots, {state.Committed} pages committed, {state.Pool}";
}
