using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Whether every count is the number of what it counts: for tests, slow.</summary>
public sealed partial class ShmMachine
{
    /// <summary>Walks the whole state and compares it with the counters.</summary>
    /// <exception cref="InvalidOperationException">Something does not add up.</exception>
    public void CheckConsistency()
    {
        var census = new Census();
        CheckSegments(census);
        CheckProcesses(census);
        CheckNamespaces(census);
        CheckMappers(census);
        CheckMemory(census);
        CheckPool(census);
        CheckRows(census);
    }

    private static void Same(string what, ulong counted, ulong kept)
    {
        if (counted != kept)
        {
            throw new InvalidOperationException($"{what}: counted {counted}, kept {kept}");
        }
    }

    private static void Same(string what, int counted, int kept) =>
        Same(what, (ulong)counted, (ulong)kept);

    private static void Holds(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }

    private void CheckSegments(Census census)
    {
        foreach (int segment in _ids.All)
        {
            int ns = _segments[segment].Namespace;
            census.Segments++;
            census.AddTotal(ns, _lifetime.PagesFor(_segments[segment].Size));
            Same("segment of an identifier", segment, FindId(ns, _segments[segment].Id));
            Holds(_segments[segment].Key == 0 || _lifetime.FindKey(ns, _segments[segment].Key)
                == segment, "a key is not found");
            Holds(!_segments.Has(segment, SegmentMode.SHM_DEST) || _segments[segment].Nattch > 0,
                "a condemned segment lives without attaches");
            census.AddLock(_segments[segment].LockUser, _segments[segment].LockCharge);
            CheckPages(segment, census);
            if (!_segments.IsHuge(segment))
            {
                census.Commit += _segments[segment].NoReserve != 0 ? _segments[segment].Allocated
                    : _lifetime.PagesFor(_segments[segment].Size);
            }
        }

        Same("segments", census.Segments, _segments.Count);
    }

    private void CheckNamespaces(Census census)
    {
        Holds(_ids.IsConsistent(), "the table of identifiers");
        int count = 0;
        for (int ns = _namespaces.First; ns != 0; ns = _namespaces[ns].Next)
        {
            count++;
            NamespaceCensus counted = census.Namespace(ns);
            Holds(counted.Tasks > 0 || counted.Mappings > 0, "a namespace nobody uses");
            Same("tasks of a namespace", counted.Tasks, _namespaces[ns].Tasks);
            Same("mappings of a namespace", counted.Mappings, _namespaces[ns].Mappings);
            Same("shm_tot", counted.Total, _namespaces[ns].TotalPages);
            Same("shm_rss", counted.Resident, _namespaces[ns].ResidentPages);
            Same("shm_swp", counted.Swapped, _namespaces[ns].SwappedPages);
        }

        Same("namespaces", count, _namespaces.Count);
    }

    private void CheckPages(int segment, Census census)
    {
        bool huge = _segments.IsHuge(segment);
        ulong resident = 0;
        ulong swapped = 0;
        ulong lost = 0;
        ulong page = 0;
        for (; _segments.Pages(segment).Next(ref page, out ulong word); page++)
        {
            var entry = new PageEntry(word);
            Holds(page < _segments[segment].Length, "a page beyond the object");
            resident += entry.Kind == PageKind.Resident ? 1u : 0u;
            swapped += entry.Kind == PageKind.Swapped ? 1u : 0u;
            lost += entry.Kind == PageKind.Lost ? 1u : 0u;
            CheckPlace(segment, page, entry, census);
        }

        Same("resident pages", resident, _segments[segment].Resident);
        Same("swapped pages", swapped, _segments[segment].Swapped);
        Holds((_pages.NextSwapped(segment) == segment) == (swapped > 0), "segments with swap");
        Same("lost entries", lost, _segments[segment].LostEntries);
        census.AddPages(_segments[segment].Namespace,
            resident << _paging.OrderOf(segment), swapped);
        if (huge)
        {
            census.HugeResident += resident;
            census.Promises += _segments[segment].NoReserve != 0 ? 0
                : _segments[segment].Length - lost - resident;
            return;
        }

        Holds(_segments[segment].NoReserve == 0
            || _segments[segment].Allocated >= resident + swapped, "pages without a charge");
        census.Resident += resident;
        census.Swapped += swapped;
    }

    private void CheckPlace(int segment, ulong page, PageEntry entry, Census census)
    {
        if (entry.Kind == PageKind.Lost)
        {
            return;
        }

        int frame = entry.Number;
        if (entry.Kind == PageKind.Swapped)
        {
            Holds(_swap.IsUsed(entry.Number) && census.Slots.Add(entry.Number), "a slot");
            frame = _swap.CachedFrame(entry.Number);
            census.Cached += frame >= 0 ? 1u : 0u;
        }

        if (_segments.IsHuge(segment))
        {
            Holds(!_pool.IsFree(frame) && census.HugePages.Add(frame), "a huge page");
        }
        else if (frame >= 0)
        {
            Holds(_frames.IsUsed(frame) && census.Frames.Add(frame)
                && _frames.TagOf(frame) == ((ulong)segment << 36 | page), "a frame");
        }
    }

    private void CheckProcesses(Census census)
    {
        for (int group = _groups.First; group != 0; group = _groups[group].Next)
        {
            Same("process of a pid", group, _groups.Find(_groups[group].Pid));
            int tasks = 0;
            for (int task = _groups[group].FirstTask; task != 0; task = _tasks[task].NextInGroup)
            {
                tasks++;
                Same("task of a number", task, _tasks.Find(_tasks[task].Tid));
                census.Tasks++;
                census.AddTask(_tasks[task].Namespace);
                census.AddGroupSet(_tasks[task].GroupSet);
            }

            Holds(tasks > 0, "a process without tasks");
            census.Processes++;
            census.AddUsers(_groups[group].Space, tasks);
        }

        Same("processes", census.Processes, _groups.Count);
        foreach ((int space, int users) in census.Spaces)
        {
            Same("users of an address space", users, _spaces[space].Users);
            CheckSpace(space, census);
        }
    }

    private void CheckSpace(int space, Census census)
    {
        ulong total = 0;
        ulong locked = 0;
        ulong last = 0;
        int mapping = _mappings.Find(space, 0);
        for (ulong key = 0; mapping != 0; mapping = _mappings.Following(mapping), key++)
        {
            Holds(_spaces.Mappings(space).Next(ref key, out ulong indexed)
                && (int)indexed == mapping && _mappings[mapping].Space == space,
                "the list of mappings differs from their tree");
            ulong start = _mappings[mapping].Start;
            Holds(last == 0 || start == last || _gaps.Contains(
                space, last >> _pageShift, start >> _pageShift), "a gap is not noted");
            Holds(start >= last && start < _mappings[mapping].End, "mappings overlap");
            last = _mappings[mapping].End;
            ulong pages = _mappings.PagesOf(mapping);
            total += pages;
            locked += _mappings.Has(mapping, MappingFlags.Locked) ? pages : 0;
            census.Commit += _mappings.Has(mapping, MappingFlags.Account) ? pages : 0;
            census.Mappings++;
            census.AddAttach(_mappings[mapping].Attach);
            AddAttached(_mappings.SegmentOf(mapping), census);
        }

        Same("VmSize", total, _spaces[space].TotalPages);
        Same("VmLck", locked, _spaces[space].LockedPages);
        CheckEntries(space, census);
    }

    private void AddAttached(int segment, Census census)
    {
        if (segment != 0)
        {
            census.AddAttached(segment, _segments[segment].Namespace);
        }
    }

    private void CheckEntries(int space, Census census)
    {
        ulong small = 0;
        ulong huge = 0;
        ulong page = 0;
        for (; _tables.Next(space, ref page, ulong.MaxValue, out _); page++)
        {
            int mapping = _mappings.At(space, page << _pageShift);
            Holds(mapping != 0 && !_mappings.IsPrivate(mapping), "an entry without a mapping");
            int segment = _mappings.SegmentOf(mapping);
            small += _segments.IsHuge(segment) ? 0u : 1u;
            huge += _segments.IsHuge(segment) ? 1u : 0u;
            census.AddMapper(segment, _paging.IndexOf(mapping, page));
        }

        Same("RssShmem", small, _spaces[space].SharedPages);
        Same("HugetlbPages", huge, _spaces[space].HugeEntries);
    }

    private void CheckMappers(Census census)
    {
        foreach (int segment in _ids.All)
        {
            Same("nattch", census.Attached(segment), (int)_segments[segment].Nattch);
            int mapping = _segments[segment].FirstMapping;
            int listed = 0;
            for (; mapping != 0; mapping = _mappings[mapping].NextOfSegment)
            {
                listed++;
            }

            Same("mappings of a segment", census.Attached(segment), listed);
            ulong page = 0;
            for (; _segments.Pages(segment).Next(ref page, out ulong word); page++)
            {
                Same("mappers of a page", census.Mappers(segment, page),
                    new PageEntry(word).Mappers);
            }
        }
    }

    private void CheckMemory(Census census)
    {
        ulong frames = census.Resident + census.Cached + _pool.Frames;
        Same("Shmem", census.Resident, _pages.Resident);
        Same("SwapCached", census.Cached, _swap.Cached);
        Same("swap slots", census.Swapped, _swap.Used);
        Same("frames", frames, _frames.Total - _frames.Free);
        Same("Committed_AS", census.Commit, _commit.Pages);
        Holds(_frames.IsConsistent(census.Frames,
            run => census.HugePages.Contains(run) || _pool.IsFree(run)), "the map of frames");
        Holds(_swap.IsConsistent(), "the map of slots");
        ulong user = 0;
        for (; _locks.ByUser.Next(ref user, out ulong pages); user++)
        {
            Same("locked pages of a user", census.TakeLock((int)user), pages);
        }

        Holds(census.Locks.Count == 0, "a lock charge nobody has");
    }

    private void CheckPool(Census census)
    {
        Same("huge pages in use", census.HugeResident, _pages.HugeResident);
        Same("HugePages_Free", _pool.Total - census.HugeResident, _pool.Free);
        Same("HugePages_Rsvd", census.Promises, _pool.Reserved);
        Holds(_pool.Reserved <= _pool.Free && _pool.Surplus <= _pool.Total, "the pool's books");
    }

    private void CheckRows(Census census)
    {
        Same("mappings", census.Mappings, _mappings.Count);
        Same("attaches", census.Attaches.Count, _attaches.Count);
        foreach ((int attach, int mappings) in census.Attaches)
        {
            Same("mappings of an attach", mappings, _attaches[attach].References);
        }

        Same("tasks", census.Tasks, _tasks.Count);
        Same("sets of groups", census.GroupSets.Count, _groupSets.Count);
        Same("address spaces", census.Spaces.Count, _spaces.Count);
        Same("nodes of trees", CountNodes(census), _radix.NodeCount);
    }

    private int CountNodes(Census census)
    {
        int nodes = _locks.ByUser.CountNodes() + _groups.ByPid.CountNodes()
            + _tasks.ByTid.CountNodes();
        for (int ns = _namespaces.First; ns != 0; ns = _namespaces[ns].Next)
        {
            nodes += _ids.Segments(ns).CountNodes();
        }

        foreach (int set in census.GroupSets)
        {
            nodes += _groupSets.Members(set).CountNodes();
        }

        foreach (int space in census.Spaces.Keys)
        {
            nodes += _spaces.Mappings(space).CountNodes() + _spaces.Entries(space).CountNodes()
                + _spaces.Bytes(space).CountNodes() + _gaps.CountNodes(space);
        }

        foreach (int segment in _ids.All)
        {
            nodes += _segments.Pages(segment).CountNodes()
                + _segments.Bytes(segment).CountNodes();
        }

        return nodes;
    }

    /// <summary>What a walk has counted of one namespace, pages in base pages.</summary>
    private readonly record struct NamespaceCensus(
        int Tasks, ulong Mappings, ulong Total, ulong Resident, ulong Swapped);

    /// <summary>What a walk has counted.</summary>
    private sealed class Census
    {
        private readonly Dictionary<int, int> _attached = [];
        private readonly Dictionary<(int Segment, ulong Page), int> _mappers = [];
        private readonly Dictionary<int, NamespaceCensus> _namespaces = [];

        public int Segments { get; set; }
        public int Processes { get; set; }
        public int Tasks { get; set; }
        public int Mappings { get; set; }
        public ulong Resident { get; set; }
        public ulong Swapped { get; set; }
        public ulong Cached { get; set; }
        public ulong Commit { get; set; }
        public ulong HugeResident { get; set; }
        public ulong Promises { get; set; }
        public HashSet<int> Frames { get; } = [];
        public HashSet<int> Slots { get; } = [];
        public HashSet<int> HugePages { get; } = [];
        public HashSet<int> GroupSets { get; } = [];
        public Dictionary<int, int> Spaces { get; } = [];
        public Dictionary<int, int> Attaches { get; } = [];
        public Dictionary<int, ulong> Locks { get; } = [];

        public void AddUsers(int space, int users) =>
            Spaces[space] = Spaces.GetValueOrDefault(space) + users;

        public void AddGroupSet(int set)
        {
            if (set != 0)
            {
                GroupSets.Add(set);
            }
        }

        public void AddAttach(int attach)
        {
            if (attach != 0)
            {
                Attaches[attach] = Attaches.GetValueOrDefault(attach) + 1;
            }
        }

        public NamespaceCensus Namespace(int ns) => _namespaces.GetValueOrDefault(ns);

        public void AddTask(int ns) =>
            _namespaces[ns] = Namespace(ns) with { Tasks = Namespace(ns).Tasks + 1 };

        public void AddTotal(int ns, ulong pages) =>
            _namespaces[ns] = Namespace(ns) with { Total = Namespace(ns).Total + pages };

        public void AddPages(int ns, ulong resident, ulong swapped) =>
            _namespaces[ns] = Namespace(ns) with
            {
                Resident = Namespace(ns).Resident + resident,
                Swapped = Namespace(ns).Swapped + swapped,
            };

        public void AddAttached(int segment, int ns)
        {
            _attached[segment] = _attached.GetValueOrDefault(segment) + 1;
            _namespaces[ns] = Namespace(ns) with { Mappings = Namespace(ns).Mappings + 1 };
        }

        public int Attached(int segment) => _attached.GetValueOrDefault(segment);

        public void AddMapper(int segment, ulong page) =>
            _mappers[(segment, page)] = _mappers.GetValueOrDefault((segment, page)) + 1;

        public int Mappers(int segment, ulong page) => _mappers.GetValueOrDefault((segment, page));

        public void AddLock(int user, ulong pages)
        {
            if (pages > 0)
            {
                Locks[user] = Locks.GetValueOrDefault(user) + pages;
            }
        }

        public ulong TakeLock(int user)
        {
            Locks.Remove(user, out ulong pages);
            return pages;
        }
    }
}
