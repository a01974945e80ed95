using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>The figures that Linux prints.</summary>
internal static class Observe
{
    /// <summary>Fraction bits of the kernel's proportional set size (fs/proc/task_mmu.c).
    /// </summary>
    private const int PssShift = 12;

    /// <summary>Fills in both observations; they differ in time stamps only.</summary>
    public static void Fill(SpecState state, Observation least, Observation most)
    {
        Fill(state, least);
        most.CopyFrom(least);
        int row = 0;
        foreach (Segment segment in state.Segments.Rows)
        {
            if (Lifetime.IsInhabited(state, segment.Namespace))
            {
                FillStamps(segment, most.Segments[row++], latest: true);
            }
        }
    }

    private static void Fill(SpecState state, Observation seen)
    {
        seen.Clear();
        FillGlobal(state, seen.Global.Add());
        foreach (IpcNamespace ns in state.Namespaces.Rows)
        {
            if (Lifetime.IsInhabited(state, ns.Number))
            {
                FillNamespace(state, ns, seen.Namespaces.Add());
            }
        }

        foreach (Segment segment in state.Segments.Rows)
        {
            if (Lifetime.IsInhabited(state, segment.Namespace))
            {
                FillSegment(state, segment, seen.Segments.Add());
            }
        }

        foreach (ThreadGroup group in state.Groups.Rows)
        {
            AddressSpace space = SpaceOf(state, group);
            FillProcess(state, group, space, seen.Processes.Add());
            foreach (Mapping mapping in space.Mappings.Rows)
            {
                if (mapping.Segment is not null)
                {
                    FillMapping(state, group, space, mapping, seen.Mappings.Add());
                }
            }
        }
    }

    /// <summary>SHM_INFO of a namespace.</summary>
    public static ShmTotals Totals(SpecState state, int ns)
    {
        IpcNamespace counted = state.Namespaces[(ulong)ns];
        ulong resident = 0;
        ulong swapped = 0;
        foreach (Segment segment in state.Segments.Rows)
        {
            resident += segment.Namespace == ns ? ResidentPages(state, segment) : 0;
            swapped += segment.Namespace == ns ? segment.Object.Swapped : 0;
        }

        return new ShmTotals((ulong)counted.InUse, counted.Total, resident, swapped);
    }

    /// <summary>The highest index in use in a namespace, 0 if there is none.</summary>
    public static int HighestIndex(SpecState state, int ns)
    {
        int last = state.Segments.FirstFrom(SegmentKey.Of(ns + 1, 0).Value) - 1;
        return last >= 0 && state.Segments.Rows[last].Namespace == ns
            ? state.Segments.Rows[last].Id.Index : 0;
    }

    private static void FillGlobal(SpecState state, Span<ulong> row)
    {
        ulong page = state.Config.PageSize;
        row[(int)GlobalField.HugePages_Total] = state.Pool.Total;
        row[(int)GlobalField.HugePages_Free] = state.Pool.Free;
        row[(int)GlobalField.HugePages_Rsvd] = state.Pool.Reserved;
        row[(int)GlobalField.HugePages_Surp] = state.Pool.Surplus;
        row[(int)GlobalField.SwapUsed] = state.SlotsUsed;
        row[(int)GlobalField.SwapCached] = Kilobytes(state.SwapCached * page);
        row[(int)GlobalField.Shmem] = Kilobytes((state.FramesUsed - state.SwapCached) * page);
        row[(int)GlobalField.Committed_AS] = state.Committed * Kilobytes(page);
    }

    private static void FillNamespace(SpecState state, IpcNamespace ns, Span<ulong> row)
    {
        ShmTotals totals = Totals(state, ns.Number);
        row[(int)NamespaceField.Namespace] = (ulong)ns.Number;
        row[(int)NamespaceField.used_ids] = totals.UsedIds;
        row[(int)NamespaceField.shm_tot] = totals.Total;
        row[(int)NamespaceField.shm_rss] = totals.Resident;
        row[(int)NamespaceField.shm_swp] = totals.Swapped;
        row[(int)NamespaceField.max_index] = (ulong)HighestIndex(state, ns.Number);
    }

    private static void FillSegment(SpecState state, Segment segment, Span<ulong> row)
    {
        row[(int)SegmentField.Namespace] = (ulong)segment.Namespace;
        row[(int)SegmentField.shmid] = (ulong)segment.Id.Value;
        row[(int)SegmentField.key] = (ulong)segment.Key;
        row[(int)SegmentField.uid] = (ulong)segment.Uid;
        row[(int)SegmentField.gid] = (ulong)segment.Gid;
        row[(int)SegmentField.cuid] = (ulong)segment.Cuid;
        row[(int)SegmentField.cgid] = (ulong)segment.Cgid;
        row[(int)SegmentField.mode] = (ulong)segment.ShownMode;
        row[(int)SegmentField.segsz] = segment.Size;
        row[(int)SegmentField.cpid] = (ulong)segment.CreatorPid;
        row[(int)SegmentField.lpid] = (ulong)segment.LastPid;
        row[(int)SegmentField.nattch] = segment.Attaches;
        row[(int)SegmentField.rss] = ResidentPages(state, segment);
        row[(int)SegmentField.swp] = segment.Object.Swapped;
        FillStamps(segment, row, latest: false);
    }

    private static void FillStamps(Segment segment, Span<ulong> row, bool latest)
    {
        row[(int)SegmentField.atime] = Seconds(segment.AttachTime, latest);
        row[(int)SegmentField.dtime] = Seconds(segment.DetachTime, latest);
        row[(int)SegmentField.ctime] = Seconds(segment.ChangeTime, latest);
    }

    private static void FillProcess(
        SpecState state, ThreadGroup group, AddressSpace space, Span<ulong> row)
    {
        ulong page = state.Config.PageSize;
        row[(int)ProcessField.Pid] = (ulong)group.Tgid;
        row[(int)ProcessField.VmSize] = Kilobytes(space.TotalPages * page);
        row[(int)ProcessField.VmLck] = Kilobytes(space.LockedPages * page);
        row[(int)ProcessField.RssShmem] = Kilobytes(space.ShmemPages * page);
        row[(int)ProcessField.HugetlbPages] = Kilobytes(space.HugetlbPages * page);
    }

    private static void FillMapping(
        SpecState state, ThreadGroup group, AddressSpace space, Mapping mapping, Span<ulong> row)
    {
        Segment segment = state.Segments[mapping.Segment!.Value.Value];
        row[(int)MappingField.Pid] = (ulong)group.Tgid;
        row[(int)MappingField.Start] = mapping.Start;
        row[(int)MappingField.End] = mapping.End;
        row[(int)MappingField.shmid] = (ulong)segment.Id.Value;
        row[(int)MappingField.Offset] = mapping.Offset;
        row[(int)MappingField.Protection] = (ulong)(mapping.Flags & MappingFlags.Rights);
        FillEntries(state, space, mapping, segment.Object, row);
        if (!mapping.IsHuge)
        {
            row[(int)MappingField.Swap] =
                segment.Object.Swapped == 0 ? 0
                : Kilobytes(SwappedPages(state, mapping, segment.Object) * state.Config.PageSize);
        }
    }

    /// <summary>What the page table entries of a mapping add up to
    /// (fs/proc/task_mmu.c:smaps_account, smaps_hugetlb_range).</summary>
    private static void FillEntries(
        SpecState state, AddressSpace space, Mapping mapping, MemoryObject holder,
        Span<ulong> row)
    {
        ulong basePage = state.Config.PageSize;
        ulong kilobytes = Kilobytes(mapping.PageSize);
        ulong proportional = 0;
        ulong first = mapping.Start / basePage;
        foreach ((ulong at, PageTableEntry entry) in space.Pages.Between(
            first, mapping.End / basePage))
        {
            ObjectPage page = holder.Pages[
                (mapping.Offset + at - first) / (mapping.PageSize / basePage)];
            bool shared = page.Mappers > 1;
            if (mapping.IsHuge)
            {
                row[(int)(shared ? MappingField.Shared_Hugetlb : MappingField.Private_Hugetlb)]
                    += kilobytes;
                continue;
            }

            bool dirty = page.Marked || entry.Dirty;
            row[(int)MappingField.Rss] += kilobytes;
            row[(int)(shared
                ? dirty ? MappingField.Shared_Dirty : MappingField.Shared_Clean
                : dirty ? MappingField.Private_Dirty : MappingField.Private_Clean)] += kilobytes;
            proportional += (basePage << PssShift) / (ulong)page.Mappers;
        }

        row[(int)MappingField.Pss] = Kilobytes(proportional >> PssShift);
        row[(int)MappingField.Locked] =
            mapping.Has(MappingFlags.Locked) ? Kilobytes(proportional >> PssShift) : 0;
    }

    /// <summary>The frames that are mapped (fs/proc/page.c:kpagecount_read, stable_page_flags). A
    /// page that has a page table entry is not in the swap cache: it leaves it when it is faulted
    /// in (mm/shmem.c:shmem_swapin_folio), and is unmapped before it enters it.</summary>
    public static void FillFrames(SpecState state, ObservationRows<FrameField> rows)
    {
        rows.Clear();
        foreach (ThreadGroup group in state.Groups.Rows)
        {
            AddressSpace space = SpaceOf(state, group);
            foreach (Mapping mapping in space.Mappings.Rows)
            {
                if (mapping.Segment is { } key)
                {
                    Span<ulong> row = rows.Add();
                    row[(int)FrameField.Pid] = (ulong)group.Tgid;
                    row[(int)FrameField.Start] = mapping.Start;
                    FillFrames(state, space, mapping, state.Segments[key.Value].Object, row);
                }
            }
        }
    }

    private static void FillFrames(
        SpecState state, AddressSpace space, Mapping mapping, MemoryObject holder,
        Span<ulong> row)
    {
        ulong basePage = state.Config.PageSize;
        ulong first = mapping.Start / basePage;
        ulong end = ulong.Min(mapping.End / basePage, first + Observation.MostPagesOfFrames);
        foreach ((ulong at, _) in space.Pages.Between(first, end))
        {
            ObjectPage page = holder.Pages[
                (mapping.Offset + at - first) / (mapping.PageSize / basePage)];
            row[(int)FrameField.Present]++;
            row[(int)FrameField.Mapcount] += (ulong)page.Mappers;
            row[(int)(mapping.IsHuge ? FrameField.Huge : FrameField.SwapBacked)]++;
            row[(int)FrameField.SwapCache] += page.State is PageState.SwapCached ? 1ul : 0;
        }
    }

    private static ulong SwappedPages(SpecState state, Mapping mapping, MemoryObject holder)
    {
        ulong swapped = 0;
        foreach ((_, ObjectPage page) in holder.Pages.Between(
            mapping.Offset, mapping.Offset + mapping.Length / state.Config.PageSize))
        {
            swapped += page.HoldsSlot ? 1ul : 0;
        }

        return swapped;
    }

    private static ulong ResidentPages(SpecState state, Segment segment) =>
        segment.Object.Resident * (segment.Object.PageSize / state.Config.PageSize);

    private static AddressSpace SpaceOf(SpecState state, ThreadGroup group)
    {
        foreach (KernelTask task in state.Tasks.Rows)
        {
            if (task.Tgid == group.Tgid)
            {
                return state.Spaces[task.Space];
            }
        }

        throw new InvalidOperationException($"process {group.Tgid} has no thread");
    }

    private static ulong Seconds(Stamp stamp, bool latest) =>
        (ulong)(latest ? stamp.Latest : stamp.Earliest);

    private static ulong Kilobytes(ulong bytes) => bytes >> 10;
}
