using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The figures that can be read from outside (fs/proc/task_mmu.c and its like). Only
/// those that Linux finds by walking page tables are found so here.</summary>
public sealed partial class ShmMachine
{
    /// <summary>Bits behind the binary point with which Linux adds up shares of pages
    /// (PSS_SHIFT).</summary>
    private const int ShareShift = 12;

    /// <summary>Fills in every figure.</summary>
    /// <param name="observation">Cleared and filled.</param>
    public void Observe(Observation observation)
    {
        observation.Clear();
        ObserveGlobal(observation.Global.Add());
        for (int ns = _namespaces.First; ns != 0; ns = _namespaces[ns].Next)
        {
            if (_namespaces[ns].Tasks > 0)
            {
                ObserveNamespace(ns, observation);
            }
        }

        for (int group = _groups.First; group != 0; group = _groups[group].Next)
        {
            ObserveProcess(group, observation.Processes.Add());
            ObserveMappings(group, observation.Mappings);
        }
    }

    private ulong Kilobytes(ulong pages) => pages << (_pageShift - 10);

    private void ObserveGlobal(Span<ulong> row)
    {
        row[(int)GlobalField.HugePages_Total] = _pool.Total;
        row[(int)GlobalField.HugePages_Free] = _pool.Free;
        row[(int)GlobalField.HugePages_Rsvd] = _pool.Reserved;
        row[(int)GlobalField.HugePages_Surp] = _pool.Surplus;
        row[(int)GlobalField.SwapUsed] = _swap.Used;
        row[(int)GlobalField.SwapCached] = Kilobytes(_swap.Cached);
        row[(int)GlobalField.Shmem] = Kilobytes(_pages.Resident);
        row[(int)GlobalField.Committed_AS] = Kilobytes(_commit.Pages);
    }

    /// <summary>A namespace that no task is in cannot be looked at any more.</summary>
    private void ObserveNamespace(int ns, Observation observation)
    {
        ObserveTotals(ns, observation.Namespaces.Add());
        foreach (int segment in _ids.Of(ns))
        {
            ObserveSegment(segment, observation.Segments.Add());
        }
    }

    private void ObserveTotals(int ns, Span<ulong> row)
    {
        SegmentUsage usage = UsageOf(ns);
        row[(int)NamespaceField.Namespace] = (ulong)_namespaces[ns].Number;
        row[(int)NamespaceField.used_ids] = usage.UsedIds;
        row[(int)NamespaceField.shm_tot] = usage.Total;
        row[(int)NamespaceField.shm_rss] = usage.Resident;
        row[(int)NamespaceField.shm_swp] = usage.Swapped;
        row[(int)NamespaceField.max_index] = (ulong)_ids.HighestIndex(ns);
    }

    private void ObserveSegment(int segment, Span<ulong> row)
    {
        ref readonly SegmentRow of = ref _segments[segment];
        row[(int)SegmentField.Namespace] =
            (ulong)_namespaces[of.Namespace].Number;
        row[(int)SegmentField.shmid] = (ulong)of.Id;
        row[(int)SegmentField.key] = (ulong)of.Key;
        row[(int)SegmentField.uid] = (ulong)of.Uid;
        row[(int)SegmentField.gid] = (ulong)of.Gid;
        row[(int)SegmentField.cuid] = (ulong)of.Cuid;
        row[(int)SegmentField.cgid] = (ulong)of.Cgid;
        row[(int)SegmentField.mode] = (ulong)of.Mode;
        row[(int)SegmentField.segsz] = of.Size;
        row[(int)SegmentField.cpid] = (ulong)of.Cpid;
        row[(int)SegmentField.lpid] = (ulong)of.Lpid;
        row[(int)SegmentField.nattch] = of.Nattch;
        row[(int)SegmentField.atime] = (ulong)of.Atime;
        row[(int)SegmentField.dtime] = (ulong)of.Dtime;
        row[(int)SegmentField.ctime] = (ulong)of.Ctime;
        row[(int)SegmentField.rss] = of.Resident << _paging.OrderOf(segment);
        row[(int)SegmentField.swp] = of.Swapped;
    }

    private void ObserveProcess(int group, Span<ulong> row)
    {
        ref readonly SpaceRow of = ref _spaces[_groups[group].Space];
        row[(int)ProcessField.Pid] = (ulong)_groups[group].Pid;
        row[(int)ProcessField.VmSize] = Kilobytes(of.TotalPages);
        row[(int)ProcessField.VmLck] = Kilobytes(of.LockedPages);
        row[(int)ProcessField.RssShmem] = Kilobytes(of.SharedPages);
        row[(int)ProcessField.HugetlbPages] =
            Kilobytes(of.HugeEntries * (ulong)_frames.RunLength);
    }

    private void ObserveMappings(int group, ObservationRows<MappingField> rows)
    {
        int mapping = _mappings.Find(_groups[group].Space, 0);
        for (; mapping != 0; mapping = _mappings.Following(mapping))
        {
            if (!_mappings.IsPrivate(mapping))
            {
                ObserveMapping(group, mapping, rows.Add());
            }
        }
    }

    private void ObserveMapping(int group, int mapping, Span<ulong> row)
    {
        int segment = _mappings.SegmentOf(mapping);
        row[(int)MappingField.Pid] = (ulong)_groups[group].Pid;
        row[(int)MappingField.Start] = _mappings[mapping].Start;
        row[(int)MappingField.End] = _mappings[mapping].End;
        row[(int)MappingField.shmid] = (ulong)_segments[segment].Id;
        row[(int)MappingField.Offset] = _mappings[mapping].Offset;
        row[(int)MappingField.Protection] =
            (ulong)(_mappings.FlagsOf(mapping) & MappingFlags.Access);
        if (_segments.IsHuge(segment))
        {
            ObserveHugeEntries(mapping, segment, row);
        }
        else
        {
            ObserveEntries(mapping, segment, row);
            row[(int)MappingField.Swap] = Kilobytes(SwappedWithin(mapping, segment));
        }
    }

    /// <summary>Sums up the pages that a mapping has entries for (smaps_account).</summary>
    private void ObserveEntries(int mapping, int segment, Span<ulong> row)
    {
        int space = _mappings[mapping].Space;
        ulong end = _mappings.EndPage(mapping);
        ulong page = _mappings.FirstPage(mapping);
        ulong size = Kilobytes(1);
        ulong share = 0;
        for (; _tables.Next(space, ref page, end, out bool written); page++)
        {
            PageEntry entry = _pages.At(segment, _mappings.ObjectPage(mapping, page));
            bool dirty = written || entry.IsDirty;
            MappingField kind = entry.Mappers > 1
                ? dirty ? MappingField.Shared_Dirty : MappingField.Shared_Clean
                : dirty ? MappingField.Private_Dirty : MappingField.Private_Clean;
            row[(int)kind] += size;
            row[(int)MappingField.Rss] += size;
            share += (PageSize << ShareShift) / (ulong)entry.Mappers;
        }

        row[(int)MappingField.Pss] = share >> (ShareShift + 10);
        row[(int)MappingField.Locked] =
            _mappings.Has(mapping, MappingFlags.Locked) ? row[(int)MappingField.Pss] : 0;
    }

    private void ObserveHugeEntries(int mapping, int segment, Span<ulong> row)
    {
        int space = _mappings[mapping].Space;
        ulong end = _mappings.EndPage(mapping);
        ulong page = _mappings.FirstPage(mapping);
        for (; _tables.Next(space, ref page, end, out _); page++)
        {
            bool shared = _pages.At(segment, _paging.IndexOf(mapping, page)).Mappers > 1;
            row[(int)(shared ? MappingField.Shared_Hugetlb : MappingField.Private_Hugetlb)] +=
                Kilobytes(1ul << _paging.OrderOf(segment));
        }
    }

    /// <summary>Swapped pages of the object that lie within a mapping (shmem_swap_usage): the
    /// object's own count where the mapping shows all of it.</summary>
    private ulong SwappedWithin(int mapping, int segment)
    {
        ulong swapped = _segments[segment].Swapped;
        ulong first = _mappings[mapping].Offset;
        ulong end = first + _mappings.PagesOf(mapping);
        if (swapped == 0 || (first == 0 && end >= _segments[segment].Length))
        {
            return swapped;
        }

        RadixTree pages = _segments.Pages(segment);
        ulong count = 0;
        for (ulong page = first; pages.Next(ref page, out ulong word) && page < end; page++)
        {
            count += new PageEntry(word).Kind == PageKind.Swapped ? 1u : 0u;
        }

        return count;
    }
}
