using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>What holds in every state. Each predicate recomputes a figure by another way than the
/// rules change it.</summary>
internal static class Invariants
{
    private sealed record Check(Invariant Invariant, Func<SpecState, Census, string?> Find);

    private static readonly Check[] Checks =
    [
        Each("page-partition", (_, x) => Rows(
                x.Object.Pages, (index, page) => BadPage(x, index, page)),
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
        Each("content", (s, x) => Rows(
                x.Object.Contents, (index, value) => BadContent(s, x, index, value)),
            "Holes and clean pages read as 0.", "mm/shmem.c:shmem_get_folio_gfp"),
        Each("huge-no-swap", (_, x) => x.Object is { IsHuge: true, Swapped: > 0 }
                ? $"{x.Object.Swapped} swapped" : null,
            "Huge pages are never swapped.", "mm/vmscan.c"),
        Machine("tot-def", (s, _) => Rows(s.Namespaces, (number, ns) => Equal(
                "shm_tot", ns.Total, Sum(s.Segments.Rows, x =>
                    x.Namespace == ns.Number ? Pages(s, x.Size) : 0))),
            "shm_tot is the sum of the pages of all segments, in base pages.",
            "ipc/shm.c:newseg, shm_destroy"),
        Machine("used-def", (s, _) => Rows(s.Namespaces, (number, ns) => Equal(
                "used_ids", (ulong)ns.InUse,
                (ulong)s.Segments.Rows.Count(x => x.Namespace == ns.Number))),
            "used_ids is the number of segments.", "ipc/util.c:ipc_addid, ipc_rmid"),
        Machine("nattch-def", (s, census) => Segments(s, x => Equal(
                $"nattch of {x.Id}", x.Attaches, census.Attaches(x.Location))),
            "shm_nattch is the number of mappings of the segment in all address spaces.",
            "ipc/shm.c:shm_open, shm_close"),
        Each("dest-alive", (_, x) => x is { Destroyed: true, Attaches: 0 } ? "no attach" : null,
            "A segment marked for destruction has an attach.", "ipc/shm.c:shm_may_destroy"),
        Each("dest-keyless", (_, x) => x.Destroyed && x.Key != 0 ? $"key {x.Key}" : null,
            "A segment marked for destruction has no key.", "ipc/shm.c:do_shm_rmid"),
        Machine("key-unique", (s, _) => Segments(s, x => s.Segments.Rows.Any(y =>
                x.Key != 0 && y != x && y.Key == x.Key && y.Namespace == x.Namespace)
                    ? $"key {x.Key} of segment {x.Id}" : null),
            "No two segments of a namespace have the same key.", "ipc/util.c:ipc_findkey"),
        Machine("id-form", (s, _) => Rows(s.Segments, (key, x) =>
                x.Id.Value >= 0 && x.Location.Value == key ? null : $"segment {x.Id} at {key}"),
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
        Machine("pte-implies-resident", (s, _) => Spaces(s, space =>
                Rows(space.Pages, (page, _) => BadEntry(s, space, page))),
            "Every page table entry lies in a mapping and maps a resident page of its segment.",
            "mm/rmap.c"),
        Machine("mapcount", (s, census) => Segments(s, x => Rows(
                x.Object.Pages, (index, page) => Equal($"mapcount of {x.Id} page {index}",
                    (ulong)page.Mappers, census.Mappers(x.Location, index)))),
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
        Machine("lock-charge", (s, _) => Rows(s.LockedByUser, (user, pages) => Equal(
                    $"pages locked by {user}", pages, LockedBy(s, user)))
                ?? Segments(s, x => x.LockedBy is not { } uid || x.Object.Length == 0
                    || s.LockedByUser.Contains((uint)uid)
                        ? null : $"segment {x.Id}: no charge of user {uid}"),
            "What SHM_LOCK charged a user is the pages of the segments that it is charged for.",
            "mm/mlock.c:user_shm_lock, user_shm_unlock"),
        Machine("tasks", (s, _) => Rows(s.Tasks, (_, task) => BadTask(s, task)) ?? Abandoned(s)
                ?? Segments(s, x => x.Creator == 0 || s.Tasks.Contains((ulong)x.Creator)
                    ? null : $"creator {x.Creator} of segment {x.Id}"),
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
        var census = new Census(state);
        return [.. Checks.Select(check => (check.Invariant, Detail: check.Find(state, census)))
            .Where(found => found.Detail is not null)
            .Select(found => new Violation(found.Invariant, found.Detail!))];
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

    private static string? Segments(SpecState state, Func<Segment, string?> find) =>
        state.Segments.Rows.Select(find).FirstOrDefault(detail => detail is not null);

    private static string? Spaces(SpecState state, Func<AddressSpace, string?> find) =>
        state.Spaces.Rows.Select(find).FirstOrDefault(detail => detail is not null);

    private static string? Rows<T>(Table<T> table, Func<ulong, T, string?> find)
    {
        for (int row = 0; row < table.Count; row++)
        {
            if (find(table.Keys[row], table.Rows[row]) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static ulong Sum<T>(IEnumerable<T> rows, Func<T, ulong> value) =>
        rows.Aggregate(0ul, (sum, row) => sum + value(row));

    private static ulong Count(Segment segment, Func<ObjectPage, bool> which) =>
        (ulong)segment.Object.Pages.Rows.Count(which);

    private static ulong Pages(SpecState state, ulong bytes) =>
        new ByteCount(bytes).InUnitsOf(new(state.Config.PageSize));

    private static string? BadPage(Segment segment, ulong index, ObjectPage page)
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

    private static string? BadContent(SpecState state, Segment segment, ulong index, byte value)
    {
        ulong unit = segment.Object.PageSize / state.Config.PageSize;
        segment.Object.Pages.TryGet(index / unit, out ObjectPage page);
        return value != 0 && page.State is PageState.Dirty or PageState.SwapCached
            or PageState.Swapped or PageState.HugeResident
                ? null : $"page {index} ({page.State}) = {value}";
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
        return Rows(space.Mappings, (key, mapping) =>
        {
            bool isGood = mapping.Start == key && mapping.Start >= end
                && mapping.End > mapping.Start && mapping.End <= MachineConfig.TaskSize
                && mapping.Start % mapping.PageSize == 0 && mapping.End % mapping.PageSize == 0
                && (mapping.Segment is null) == (mapping.File == 0);
            end = mapping.End;
            return isGood ? null : $"mapping 0x{mapping.Start:x}-0x{mapping.End:x}";
        });
    }

    private static string? BadEntry(SpecState state, AddressSpace space, ulong page)
    {
        ulong address = page * state.Config.PageSize;
        return space.Find(address) is { Segment: { } key } mapping
            && state.Segments.TryGet(key.Value, out Segment? segment)
            && segment.Object.Pages.TryGet(
                Census.IndexOf(state, mapping, page), out ObjectPage shown)
            && shown.IsResident ? null : $"page table entry at 0x{address:x}";
    }

    private static ulong Entries(SpecState state, AddressSpace space, bool huge) =>
        Sum(space.Pages.Keys, page =>
            space.Find(page * state.Config.PageSize) is { } mapping && mapping.IsHuge == huge
                ? mapping.PageSize / state.Config.PageSize : 0);

    private static ulong Length(SpecState state, AddressSpace space, MappingFlags flags) =>
        Sum(space.Mappings.Rows, mapping => mapping.Has(flags)
            ? mapping.Length / state.Config.PageSize : 0);

    private static ulong LockedBy(SpecState state, ulong user) =>
        Sum(state.Segments.Rows, segment => (uint?)segment.LockedBy == user
            ? Pages(state, segment.Object.Length) : 0);

    private static string? BadTask(SpecState state, KernelTask task) =>
        state.Groups.Contains((ulong)task.Tgid) && state.Spaces.Contains(task.Space)
        && state.Namespaces.Contains((ulong)task.Namespace)
        && (task.WaitsFor == 0 || state.Tasks.Contains((ulong)task.WaitsFor))
            ? null : $"task {task.Tid}";

    private static string? Abandoned(SpecState state)
    {
        int groups = state.Tasks.Rows.Select(task => task.Tgid).Distinct().Count();
        int spaces = state.Tasks.Rows.Select(task => task.Space).Distinct().Count();
        return groups == state.Groups.Count && spaces == state.Spaces.Count ? null
            : $"{groups} of {state.Groups.Count} processes, {spaces} of {state.Spaces.Count} "
                + "address spaces";
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
