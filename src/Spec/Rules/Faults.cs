using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Accesses to memory, and the faults that they and some system calls cause.</summary>
internal static class Faults
{
    public static readonly RuleFamily Family = new("touch");

    private static readonly Rule NotMapped = Family.Violation(
        "touch.sigsegv.not-mapped", "Nothing is mapped at the address.",
        "arch/x86/mm/fault.c:do_user_addr_fault");

    private static readonly Rule NoRight = Family.Violation(
        "touch.sigsegv.no-right",
        "The mapping does not allow it: a write needs PROT_WRITE, a read any right.",
        "arch/x86/mm/fault.c:access_error");

    private static readonly Rule BeyondObject = Family.Fault(
        "touch.sigbus.beyond-object",
        "The mapping reaches beyond the pages of the segment (mremap made it grow), and the access "
            + "is there.",
        "mm/shmem.c:shmem_get_folio_gfp");

    private static readonly Rule NotCharged = Family.Fault(
        "touch.sigbus.commit",
        "A segment that was created with SHM_NORESERVE while overcommit_memory was 0 or 1 is "
            + "charged page by page; where the charge is refused the access raises SIGBUS.",
        "mm/shmem.c:shmem_inode_acct_blocks");

    private static readonly Rule Private = Family.Effect(
        "touch.ok.private",
        "Private memory can always be touched; what was never written reads 0.",
        "docs/machine.md, Memory");

    private static readonly Rule Present = Family.Effect(
        "touch.ok.present",
        "A page table entry is there. A write marks the entry dirty, not the page: other mappings "
            + "of the page show it as clean until this entry goes.",
        "fs/proc/task_mmu.c:smaps_account; mm/memory.c:zap_present_folio_ptes");

    private static readonly Rule ReadHole = Family.Effect(
        "touch.ok.read-hole",
        "A read of a hole allocates a page, clean (N to C): there is no shared zero page.",
        "mm/shmem.c:shmem_get_folio_gfp");

    private static readonly Rule WriteHole = Family.Effect(
        "touch.ok.write-hole", "A write to a hole allocates a page, dirty (N to D).",
        "mm/shmem.c:shmem_get_folio_gfp; mm/memory.c:do_shared_fault");

    private static readonly Rule MapPage = Family.Effect(
        "touch.ok.map",
        "A page in memory gets a page table entry here, and no other page with it (no "
            + "fault-around); a write makes it dirty for all (C to D).",
        "ipc/shm.c:shm_vm_ops has no map_pages; mm/memory.c:do_shared_fault");

    private static readonly Rule SwapIn = Family.Effect(
        "fault.swap-in",
        "A swapped page is read back: S to D, whatever the access; its slot is free at once.",
        "mm/shmem.c:shmem_swapin_folio");

    private static readonly Rule SwapCacheHit = Family.Effect(
        "fault.swap-cache",
        "A page in the swap cache is taken back: W to D, whatever the access; its slot is free at "
            + "once, its frame stays.",
        "mm/shmem.c:shmem_swapin_folio");

    private static readonly Rule HugeFault = Family.Effect(
        "touch.ok.huge",
        "A read or a write of a huge page that is not allocated takes one from the pool; from "
            + "then on the object has an entry for it in its reservation map.",
        "mm/hugetlb.c:hugetlb_no_page");

    private static readonly Rule ChargePage = Family.Effect(
        "commit.page",
        "A page of a segment that is charged page by page adds one base page to committed memory "
            + "when it is allocated, and keeps it while swapped.",
        "mm/shmem.c:shmem_acct_blocks");

    /// <summary>See <see cref="ObjectPages.Recount"/>.</summary>
    public static readonly Rule LateDischarge = Family.Effect(
        "commit.late-discharge",
        "Clean pages that reclaim dropped stay charged until the object next allocates, frees or "
            + "swaps a page, or is refused a charge, which is then tried again.",
        "mm/shmem.c:shmem_recalc_inode, shmem_alloc_and_add_folio");

    public static StepResult Execute(Run run, Load call)
    {
        ulong address = Address(run, call.Start, call.Page);
        if (run.Space.Find(address) is not { } mapping)
        {
            return run.Raises(NotMapped);
        }

        if ((mapping.Flags & MappingFlags.Rights) == 0)
        {
            return run.Raises(NoRight);
        }

        Rule done = Touch(run, mapping, address / run.PageSize, write: false);
        return done.Signal != Signal.None
            ? run.Raises(done) : run.Returns(done, ReadByte(run, mapping, address));
    }

    public static StepResult Execute(Run run, Store call)
    {
        ulong address = Address(run, call.Start, call.Page);
        if (run.Space.Find(address) is not { } mapping)
        {
            return run.Raises(NotMapped);
        }

        if (!mapping.Has(MappingFlags.Write))
        {
            return run.Raises(NoRight);
        }

        Rule done = Touch(run, mapping, address / run.PageSize, write: true);
        if (done.Signal != Signal.None)
        {
            return run.Raises(done);
        }

        WriteByte(run, address, call.Value);
        return run.Returns(done);
    }

    /// <summary>Makes a page present, as an access by the task that acts does. Rights are not
    /// looked at.</summary>
    /// <param name="run">The step.</param>
    /// <param name="mapping">The mapping the page is in.</param>
    /// <param name="page">Virtual page number in base pages.</param>
    /// <param name="write">For writing.</param>
    /// <param name="byKernel">By a system call: a write to a page that is present marks the page
    /// and not the entry (mm/gup.c:follow_page_pte).</param>
    /// <returns>The rule about what happened; with a signal when the page is not there.</returns>
    public static Rule Touch(
        Run run, Mapping mapping, ulong page, bool write, bool byKernel = false)
    {
        if (mapping.Segment is null)
        {
            if (write && mapping.Anon == 0)
            {
                Mappings.BeginHistory(run, mapping);
            }

            return Private;
        }

        ulong entry = page - (page % (mapping.PageSize / run.PageSize));
        Segment segment = run.SegmentOf(mapping);
        ulong index = IndexOf(run, mapping, entry);
        if (!run.Space.Pages.Contains(entry))
        {
            Rule done = MakeResident(run, segment, index, write);
            if (done.Signal == Signal.None)
            {
                InstallEntry(run, mapping, entry, index, write);
            }

            return done;
        }

        if (write && !mapping.IsHuge)
        {
            WritePresent(run, segment, entry, index, byKernel);
        }

        return Present;
    }

    /// <summary>Index of the page of the object, in its own units, at a virtual page number.
    /// </summary>
    public static ulong IndexOf(Run run, Mapping mapping, ulong page) =>
        (mapping.Offset + page - mapping.Start / run.PageSize)
            / (mapping.PageSize / run.PageSize);

    private static void WritePresent(
        Run run, Segment segment, ulong entry, ulong index, bool byKernel)
    {
        ObjectPage page = segment.Object.Pages[index];
        AddressSpace space = run.Space;
        bool marks = byKernel && !space.Pages[entry].Dirty;
        if (!byKernel)
        {
            run.Space = space with { Pages = space.Pages.Set(entry, new(Dirty: true)) };
        }

        run.Moved(page.State, PageState.Dirty);
        page = page with { State = PageState.Dirty, Marked = page.Marked || marks };
        run.Put(segment with { Object = ObjectPages.With(segment.Object, index, page) });
    }

    private static void InstallEntry(
        Run run, Mapping mapping, ulong entry, ulong index, bool write)
    {
        Segment segment = run.SegmentOf(mapping);
        ObjectPage page = segment.Object.Pages[index];
        run.Put(segment with
        {
            Object = ObjectPages.With(
                segment.Object, index, page with { Mappers = page.Mappers + 1 }),
        });
        AddressSpace space = run.Space;
        run.Space = space with
        {
            Pages = space.Pages.Set(entry, new(Dirty: write && !mapping.IsHuge)),
            ShmemPages = space.ShmemPages + (mapping.IsHuge ? 0 : 1ul),
            HugetlbPages = space.HugetlbPages
                + (mapping.IsHuge ? mapping.PageSize / run.PageSize : 0),
        };
    }

    private static Rule MakeResident(Run run, Segment segment, ulong index, bool write)
    {
        if (index >= segment.Object.PageCount)
        {
            return BeyondObject;
        }

        segment.Object.Pages.TryGet(index, out ObjectPage page);
        return (page.State, segment.Object.IsHuge) switch
        {
            (PageState.HugeResident, _) => MapPage,
            (_, true) => TakeHuge(run, segment, index),
            (PageState.None, _) => Allocate(run, segment, index, write),
            (PageState.Swapped or PageState.SwapCached, _) =>
                BringBack(run, segment.Location, index),
            _ => MapResident(run, segment, index, page, write),
        };
    }

    private static Rule TakeHuge(Run run, Segment segment, ulong index)
    {
        MemoryObject holder = segment.Object;
        bool promised = holder.Promised && !holder.Pages.Contains(index);
        if (Pool.Take(run, holder.PageSize, promised) is { } none)
        {
            return none;
        }

        run.Moved(PageState.HugeNone, PageState.HugeResident);
        run.Put(segment with
        {
            Object = ObjectPages.With(holder, index, new(PageState.HugeResident)),
        });
        return HugeFault;
    }

    private static Rule Allocate(Run run, Segment segment, ulong index, bool write)
    {
        MemoryObject holder = segment.Object;
        SpecState before = run.State;
        if (!holder.Promised)
        {
            run.Fire(ChargePage);
            if (!Commit.Charge(run, 1))
            {
                holder = ObjectPages.Recount(run, holder);
                run.Put(segment with { Object = holder });
                if (!Commit.Charge(run, 1))
                {
                    return NotCharged;
                }
            }

            holder = holder with { Charged = holder.Charged + 1 };
        }

        if (Machine.TakeFrame(run) is { } none)
        {
            run.State = before;
            return none;
        }

        var page = new ObjectPage(write ? PageState.Dirty : PageState.Clean, Marked: write);
        run.Moved(PageState.None, page.State);
        holder = ObjectPages.Recount(run, ObjectPages.With(holder, index, page));
        run.Put(segment with { Object = holder });
        return write ? WriteHole : ReadHole;
    }

    /// <summary>Brings a swapped page back into memory (S, W to D).</summary>
    /// <returns>The rule about what happened; with a signal when there is no frame.</returns>
    public static Rule BringBack(Run run, SegmentKey key, ulong index)
    {
        Segment segment = run.State.Segments[key.Value];
        ObjectPage page = segment.Object.Pages[index];
        bool cached = page.State is PageState.SwapCached;
        if (!cached && Machine.TakeFrame(run) is { } none)
        {
            return none;
        }

        run.State = run.State with
        {
            SlotsUsed = run.State.SlotsUsed - 1,
            SwapCached = run.State.SwapCached - (cached ? 1ul : 0),
        };
        run.Moved(page.State, PageState.Dirty);
        var dirty = new ObjectPage(PageState.Dirty, Marked: true);
        MemoryObject holder = ObjectPages.With(segment.Object, index, dirty);
        run.Put(segment with { Object = ObjectPages.Recount(run, holder) });
        return cached ? SwapCacheHit : SwapIn;
    }

    private static Rule MapResident(
        Run run, Segment segment, ulong index, ObjectPage page, bool write)
    {
        if (write)
        {
            run.Moved(page.State, PageState.Dirty);
            page = page with { State = PageState.Dirty, Marked = true };
            run.Put(segment with { Object = ObjectPages.With(segment.Object, index, page) });
        }

        return MapPage;
    }

    private static ulong Address(Run run, AddressRef start, TouchedPage page)
    {
        ulong size = page.Huge ? run.State.Config.HugePageSize : run.PageSize;
        ulong address = unchecked(run.Resolve(start) + page.Index * size);
        return address - (address % run.PageSize);
    }

    private static byte ReadByte(Run run, Mapping mapping, ulong address)
    {
        PageMap<byte> contents = mapping.Segment is null
            ? run.Space.Contents : run.SegmentOf(mapping).Object.Contents;
        contents.TryGet(ContentIndex(run, mapping, address), out byte value);
        return value;
    }

    private static void WriteByte(Run run, ulong address, byte value)
    {
        Mapping mapping = run.Space.Find(address)!;
        ulong index = ContentIndex(run, mapping, address);
        if (mapping.Segment is null)
        {
            run.Space = run.Space with { Contents = Put(run.Space.Contents, index, value) };
            return;
        }

        Segment segment = run.SegmentOf(mapping);
        MemoryObject holder = segment.Object;
        run.Put(segment with
        {
            Object = holder with { Contents = Put(holder.Contents, index, value) },
        });
    }

    private static ulong ContentIndex(Run run, Mapping mapping, ulong address) =>
        mapping.Segment is null ? address / run.PageSize
            : mapping.Offset + (address - mapping.Start) / run.PageSize;

    private static PageMap<byte> Put(PageMap<byte> contents, ulong index, byte value) =>
        value == 0 ? contents.Remove(index) : contents.Set(index, value);
}
