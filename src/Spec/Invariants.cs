using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>What holds in every state. Each predicate recomputes a figure by another way than the
/// rules change it.</summary>
internal static class Invariants
{
    /// <summary>One invariant, and what finds where it does not hold. Those of a segment or of an
    /// address space say something of that one alone, whatever the rest of the state.</summary>
    private sealed record Check(Invariant Invariant)
    {
        public Func<SpecState, Census, string?>? OfMachine { get; init; }

        public Func<SpecState, Segment, string?>? OfSegment { get; init; }

        public Func<SpecState, AddressSpace, string?>? OfSpace { get; init; }
    }

    private static readonly Check[] Checks =
    [
        Each("page-partition", (_, x) => Pages(x, x.Object.Pages, BadPage),
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
        Each("content", (s, x) => Pages((s, x), x.Object.Contents, BadContent),
            "Holes and clean pages read as 0.", "mm/shmem.c:shmem_get_folio_gfp"),
        Each("huge-no-swap", (_, x) => x.Object is { IsHuge: true, Swapped: > 0 }
                ? $"{x.Object.Swapped} swapped" : null,
            "Huge pages are never swapped.", "mm/vmscan.c"),
        Machine("tot-def", (s, _) => Rows(s, s.Namespaces, (s, number, ns) => Equal(
                "shm_tot", ns.Total, Sum((s, ns), s.Segments, (of, x) =>
                    x.Namespace == of.ns.Number ? Pages(of.s, x.Size) : 0))),
            "shm_tot is the sum of the pages of all segments, in base pages.",
            "ipc/shm.c:newseg, shm_destroy"),
        Machine("used-def", (s, _) => Rows(s, s.Namespaces, (s, number, ns) => Equal(
                "used_ids", (ulong)ns.InUse, Sum(ns, s.Segments, (ns, x) =>
                    x.Namespace == ns.Number ? 1ul : 0))),
            "used_ids is the number of segments.", "ipc/util.c:ipc_addid, ipc_rmid"),
        Machine("nattch-def", (s, census) => Segments(s, census, (census, row, x) => Equal(
                "nattch", x.Attaches, census.Attaches(row))),
            "shm_nattch is the number of mappings of the segment in all address spaces.",
            "ipc/shm.c:shm_open, shm_close"),
        Each("dest-alive", (_, x) => x is { Destroyed: true, Attaches: 0 } ? "no attach" : null,
            "A segment marked for destruction has an attach.", "ipc/shm.c:shm_may_destroy"),
        Each("dest-keyless", (_, x) => x.Destroyed && x.Key != 0 ? $"key {x.Key}" : null,
            "A segment marked for destruction has no key.", "ipc/shm.c:do_shm_rmid"),
        Machine("key-unique", (s, _) => Segments(s, s, (s, row, x) => x.Key != 0
                && Sum(x, s.Segments, (x, y) =>
                    y.Key == x.Key && y.Namespace == x.Namespace ? 1ul : 0) > 1
                        ? $"key {x.Key}" : null),
            "No two segments of a namespace have the same key.", "ipc/util.c:ipc_findkey"),
        Machine("id-form", (s, _) => Rows(s, s.Segments, (_, key, x) =>
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
        EachSpace("mapping-order", (_, space) => BadMappings(space),
            "Mappings are whole pages, in order, without overlap, within the address space, and "
                + "map segments that exist.",
            "mm/mmap.c"),
        Machine("pte-implies-resident", (s, census) => census.Stray is not { } page ? null
                : $"page table entry at 0x{page * s.Config.PageSize:x}",
            "Every page table entry lies in a mapping and maps a resident page of its segment.",
            "mm/rmap.c"),
        Machine("mapcount", (s, census) => census.Miscounted is not var (x, page, counted) ? null
                : Equal($"mapcount of {x.Id} page {page}",
                    (ulong)x.Object.Pages[page].Mappers, counted),
            "The mapcount of a page is the number of its page table entries.", "mm/rmap.c"),
        EachSpace("rss-shmem", (s, space) => Equal(
                "RssShmem pages", space.ShmemPages, Entries(s, space, huge: false)),
            "RssShmem is the number of page table entries for normal pages.",
            "mm/memory.c:set_pte_range"),
        EachSpace("hugepte", (s, space) => Equal(
                "HugetlbPages", space.HugetlbPages, Entries(s, space, huge: true)),
            "HugetlbPages is the size of the huge pages with a page table entry.",
            "mm/hugetlb.c:hugetlb_count_add"),
        EachSpace("vmsize", (s, space) => Equal(
                "VmSize pages", space.TotalPages, Length(s, space, MappingFlags.None)),
            "VmSize is the length of all mappings.", "mm/mmap.c:vm_stat_account"),
        EachSpace("vmlck", (s, space) => Equal(
                "VmLck pages", space.LockedPages, Length(s, space, MappingFlags.Locked)),
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
        Machine("commit", (s, census) => Equal("committed", s.Committed, census.Committed),
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
        Machine("lock-charge", (s, _) => Rows(s, s.LockedByUser, (s, user, pages) =>
                    Equal("pages locked", pages, LockedBy(s, user)))
                ?? Segments(s, s, (s, _, x) => x.LockedBy is not { } uid
                    || x.Object.Length == 0 || s.LockedByUser.Contains((uint)uid)
                        ? null : $"no charge of user {uid}"),
            "What SHM_LOCK charged a user is the pages of the segments that it is charged for.",
            "mm/mlock.c:user_shm_lock, user_shm_unlock"),
        Machine("tasks", (s, _) => Rows(s, s.Tasks, BadTask) ?? Abandoned(s)
                ?? Segments(s, s, (s, _, x) => x.Creator == 0
                    || s.Tasks.Contains((ulong)x.Creator) ? null : $"creator {x.Creator}"),
            "Every task has its process, address space and namespace, every process and address "
                + "space a task; creators and awaited vfork children live.",
            "kernel/fork.c"),
        Machine("conservation", (s, _) => s.Tasks.Count > 0 ? null : Leftover(s),
            "With no task left, nothing is left: no namespace, segment, page, slot, charge or "
                + "reservation.",
            "ipc/namespace.c:free_ipc_ns; mm/mmap.c:exit_mmap"),
    ];

    public static IEnumerable<Invariant> All => Checks.Select(check => check.Invariant);

    /// <summary>The invariants that do not hold.</summary>
    /// <param name="state">The state.</param>
    /// <param name="census">Its census; it says what may have come to break an invariant of its
    /// own.</param>
    public static IReadOnlyList<Violation> Find(SpecState state, Census census)
    {
        List<Violation>? found = null;
        foreach (Check check in Checks)
        {
            string? detail = check.OfMachine?.Invoke(state, census)
                ?? (check.OfSegment is { } ofSegment ? Find(ofSegment, state, census) : null)
                ?? (check.OfSpace is { } ofSpace ? Find(ofSpace, state, census) : null);
            if (detail is not null)
            {
                (found ??= []).Add(new Violation(check.Invariant, detail));
            }
        }

        return found ?? (IReadOnlyList<Violation>)[];
    }

    private static string? Find(
        Func<SpecState, Segment, string?> find, SpecState state, Census census)
    {
        foreach (Segment segment in census.Segments)
        {
            if (find(state, segment) is { } detail)
            {
                return $"segment {segment.Id}: {detail}";
            }
        }

        return null;
    }

    private static string? Find(
        Func<SpecState, AddressSpace, string?> find, SpecState state, Census census)
    {
        foreach (AddressSpace space in census.Spaces)
        {
            if (find(state, space) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static Check Machine(
        string id, Func<SpecState, Census, string?> find, string statement, string source) =>
        new(Named(id, statement, source)) { OfMachine = find };

    private static Check Each(
        string id, Func<SpecState, Segment, string?> find, string statement, string source) =>
        new(Named(id, statement, source)) { OfSegment = find };

    private static Check EachSpace(
        string id, Func<SpecState, AddressSpace, string?> find, string statement,
        string source) =>
        new(Named(id, statement, source)) { OfSpace = find };

    private static Invariant Named(string id, string statement, string source) =>
        new() { Id = id, Statement = statement, Source = source };

    private static string? Equal(string what, ulong kept, ulong counted) =>
        kept == counted ? null : $"{what}: {kept} kept, {counted} counted";

    private static string? Segments<T>(
        SpecState state, T with, Func<T, int, Segment, string?> find)
    {
        for (int row = 0; row < state.Segments.Count; row++)
        {
            Segment segment = state.Segments.Rows[row];
            if (find(with, row, segment) is { } detail)
            {
                return $"segment {segment.Id}: {detail}";
            }
        }

        return null;
    }

    /// <summary>What is found in a table: lambdas are handed what they look at, so that one is
    /// made once and not at each look.</summary>
    private static string? Rows<TWith, T>(
        TWith with, Table<T> table, Func<TWith, ulong, T, string?> find)
    {
        for (int row = 0; row < table.Count; row++)
        {
            if (find(with, table.Keys[row], table.Rows[row]) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static ulong Sum<TWith, T>(TWith with, Table<T> table, Func<TWith, T, ulong> value)
    {
        ulong sum = 0;
        foreach (T row in table.Rows)
        {
            sum += value(with, row);
        }

        return sum;
    }

    private static string? Pages<TWith, T>(
        TWith with, PageMap<T> pages, Func<TWith, ulong, T, string?> find)
    {
        foreach ((ulong page, T row) in pages.All)
        {
            if (find(with, page, row) is { } detail)
            {
                return detail;
            }
        }

        return null;
    }

    private static ulong Count(Segment segment, Func<ObjectPage, bool> which)
    {
        ulong count = 0;
        foreach ((_, ObjectPage page) in segment.Object.Pages.All)
        {
            count += which(page) ? 1ul : 0;
        }

        return count;
    }

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

    private static string? BadContent(
        (SpecState State, Segment Segment) of, ulong index, byte value)
    {
        (SpecState state, Segment segment) = of;
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

    private static ulong Entries(SpecState state, AddressSpace space, bool huge)
    {
        ulong pages = 0;
        foreach ((ulong page, _) in space.Pages.All)
        {
            pages += space.Find(page * state.Config.PageSize) is { } mapping
                && mapping.IsHuge == huge ? mapping.PageSize / state.Config.PageSize : 0;
        }

        return pages;
    }

    private static ulong Length(SpecState state, AddressSpace space, MappingFlags flags) =>
        Sum(flags, space.Mappings, (flags, mapping) => mapping.Has(flags) ? mapping.Length : 0)
            / state.Config.PageSize;

    private static ulong LockedBy(SpecState state, ulong user) =>
        Sum((state, user), state.Segments, (of, segment) => (uint?)segment.LockedBy == of.user
            ? Pages(of.state, segment.Object.Length) : 0);

    private static string? BadTask(SpecState state, ulong tid, KernelTask task) =>
        state.Groups.Contains((ulong)task.Tgid) && state.Spaces.Contains(task.Space)
        && state.Namespaces.Contains((ulong)task.Namespace)
        && (task.WaitsFor == 0 || state.Tasks.Contains((ulong)task.WaitsFor))
            ? null : $"task {tid}";

    private static string? Abandoned(SpecState state) =>
        Rows(state, state.Groups, (state, tgid, _) => HasTask(
            state, tgid, (tgid, task) => (ulong)task.Tgid == tgid) ? null : $"process {tgid}")
        ?? Rows(state, state.Spaces, (state, number, _) => HasTask(
            state, number, (number, task) => task.Space == number)
                ? null : $"address space {number}");

    private static bool HasTask(
        SpecState state, ulong of, Func<ulong, KernelTask, bool> belongs)
    {
        foreach (KernelTask task in state.Tasks.Rows)
        {
            if (belongs(of, task))
            {
                return true;
            }
        }

        return false;
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
