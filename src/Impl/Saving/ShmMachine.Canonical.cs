using System.Buffers;

namespace ShmCheck.Impl;

/// <summary>The canonical form of the state: what calls can show, in an order that does not
/// depend on rows, frames, slots or nodes. Figures that follow from others are left out.
/// </summary>
public sealed partial class ShmMachine
{
    private readonly List<int> _taskOrder = [];
    private readonly List<int> _groupOrder = [];
    private readonly List<int> _segmentOrder = [];
    private readonly RowNames _taskNames = new();
    private readonly RowNames _groupNames = new();
    private readonly RowNames _namespaceNames = new();
    private readonly RowNames _segmentNames = new();
    private readonly RowNames _spaceNames = new();
    private readonly RowNames _attachNames = new();
    private readonly RowNames _ownerNames = new();
    private readonly ByteSink _sink = new();

    /// <summary>Appends bytes that two machines have in common exactly when no sequence of calls
    /// can tell them apart.</summary>
    /// <param name="bytes">Where to.</param>
    /// <param name="form">Whether identifiers, pids and stamps count as numbers.</param>
    public void WriteCanonical(IBufferWriter<byte> bytes, CanonicalForm form)
    {
        OrderByNumber();
        Write(bytes, exact: form == CanonicalForm.Exact);
    }

    /// <summary>Appends the bytes of <see cref="CanonicalForm.Renamed"/> with processes and
    /// segments in a given order.</summary>
    /// <param name="bytes">Where to.</param>
    /// <param name="processes">The processes, each by its place in the order of pids.</param>
    /// <param name="segments">The segments, each by its place in the order of namespaces and
    /// indices.</param>
    public void WriteCanonical(
        IBufferWriter<byte> bytes, ReadOnlySpan<int> processes, ReadOnlySpan<int> segments)
    {
        OrderByNumber();
        Reorder(_groupOrder, processes);
        Reorder(_segmentOrder, segments);
        OrderTasksByGroup();
        Write(bytes, exact: false);
    }

    private void OrderTasksByGroup()
    {
        if (_taskOrder.Count > 1)
        {
            NameAll(_groupNames, _groupOrder);
            _taskOrder.Sort((one, other) =>
                (_groupNames.Find(_tasks[one].Group), _tasks[one].Tid).CompareTo(
                    (_groupNames.Find(_tasks[other].Group), _tasks[other].Tid)));
        }
    }

    private static void NameAll(RowNames names, List<int> rows)
    {
        names.Clear();
        foreach (int row in rows)
        {
            names.Of(row, out _);
        }
    }

    /// <summary>Processes and threads by their numbers, segments by namespace and index.
    /// </summary>
    private void OrderByNumber()
    {
        _taskOrder.Clear();
        ulong tid = 0;
        for (; _tasks.ByTid.Next(ref tid, out ulong task); tid++)
        {
            _taskOrder.Add((int)task);
        }

        _groupOrder.Clear();
        for (int group = _groups.First; group != 0; group = _groups[group].Next)
        {
            _groupOrder.Add(group);
        }

        _segmentOrder.Clear();
        foreach (int segment in _ids.All)
        {
            _segmentOrder.Add(segment);
        }
    }

    private static void Reorder(List<int> rows, ReadOnlySpan<int> places)
    {
        Span<int> before = rows.Count <= 64 ? stackalloc int[rows.Count] : new int[rows.Count];
        rows.CopyTo(before);
        for (int at = 0; at < places.Length; at++)
        {
            rows[at] = before[places[at]];
        }
    }

    private void Write(IBufferWriter<byte> bytes, bool exact)
    {
        ByteSink sink = _sink;
        sink.Clear();
        _spaceNames.Clear();
        _attachNames.Clear();
        NameAll(_segmentNames, _segmentOrder);
        NameAll(_groupNames, _groupOrder);
        NameAll(_taskNames, _taskOrder);
        WriteKnobs(sink, exact);
        WriteNamespaces(sink, exact);
        WriteTasks(sink, exact);
        WriteProcesses(sink, exact);
        WriteSegments(sink, exact);
        bytes.Write(sink.Written);
    }

    private void WriteKnobs(ByteSink sink, bool exact)
    {
        sink.Add((int)_config.Profile);
        sink.Add(_config.PageSize);
        sink.Add(_config.TotalPages);
        sink.Add(_config.HugePageSize);
        sink.Add(_config.SwapSlots);
        sink.Add((int)_config.SwapKind);
        sink.Add(_config.OtherHugePageSizes.Length);
        foreach (ulong size in _config.OtherHugePageSizes)
        {
            sink.Add(size);
        }

        sink.Add(_hugeGroup.Value);
        sink.Add((int)_commit.Mode);
        sink.Add(_commit.Ratio);
        sink.Add(_pool.Total);
        sink.Add(_pool.Free);
        sink.Add(_pool.Reserved);
        sink.Add(_pool.Surplus);
        sink.Add(_pool.Overcommit);
        sink.Add(_swap.InUse);
        if (exact)
        {
            sink.Add(_lastPid.Value);
            sink.Add((ulong)Clock);
        }
    }

    /// <summary>Namespaces are known by their place in the order of their numbers; the one that
    /// the machine started with is like no other.</summary>
    private void WriteNamespaces(ByteSink sink, bool exact)
    {
        _namespaceNames.Clear();
        sink.Add(_namespaces.Count);
        for (int ns = _namespaces.First; ns != 0; ns = _namespaces[ns].Next)
        {
            _namespaceNames.Of(ns, out _);
            sink.Add(exact ? _namespaces[ns].Number : Math.Min(_namespaces[ns].Number, 1));
            sink.Add(_namespaces[ns].MaxSize);
            sink.Add(_namespaces[ns].MaxPages);
            sink.Add(_namespaces[ns].MaxSegments);
            sink.Add(_namespaces[ns].DestroysOrphans);
            sink.Add(_ids.Wanted(ns));
            if (exact)
            {
                (int cursor, int lastIndex, int sequence) = _ids.Hidden(ns);
                sink.Add(cursor);
                sink.Add(lastIndex);
                sink.Add(sequence);
            }
        }
    }

    private void WriteTasks(ByteSink sink, bool exact)
    {
        sink.Add(_taskNames.Count);
        foreach (int task in _taskOrder)
        {
            WriteTask(sink, task, exact);
        }
    }

    private void WriteTask(ByteSink sink, int task, bool exact)
    {
        ref readonly TaskRow row = ref _tasks[task];
        sink.Add(exact ? row.Tid : 0);
        sink.Add(ProcessName(_tasks.PidOf(task), exact));
        sink.Add(row.Tid == _tasks.PidOf(task));
        sink.Add(_namespaceNames.Of(row.Namespace, out _));
        sink.Add(row.Uid);
        sink.Add(row.Euid);
        sink.Add(row.Suid);
        sink.Add(row.Gid);
        sink.Add(row.Egid);
        sink.Add(row.Sgid);
        sink.Add(row.Effective);
        sink.Add(row.Permitted);
        sink.Add(row.KeepsCaps);
        sink.Add(TaskName(row.VForkChild));
        RadixTree groups = _groupSets.Members(row.GroupSet);
        ulong group = 0;
        for (; groups.Next(ref group, out _); group++)
        {
            sink.Add(group + 1);
        }

        sink.Add(0);
    }

    private int TaskName(int task) => task == 0 ? 0 : _taskNames.Find(task);

    /// <summary>0 for no process, 1 for a dead one, and else its place in the order.</summary>
    private int ProcessName(int pid, bool exact)
    {
        if (exact || pid == 0)
        {
            return pid;
        }

        int group = _groups.Find(pid);
        return group == 0 ? 1 : _groupNames.Find(group) + 1;
    }

    private void WriteProcesses(ByteSink sink, bool exact)
    {
        sink.Add(_groups.Count);
        foreach (int group in _groupOrder)
        {
            int space = _groups[group].Space;
            sink.Add(exact ? _groups[group].Pid : 0);
            sink.Add(_groups[group].MemLock);
            sink.Add(_groups[group].AddressLimit);
            sink.Add(_spaceNames.Of(space, out bool isNew));
            if (isNew)
            {
                WriteSpace(sink, space);
            }
        }
    }

    private void WriteSpace(ByteSink sink, int space)
    {
        _ownerNames.Clear();
        sink.Add(_spaces[space].LocksFuture);
        int mapping = _mappings.Find(space, 0);
        for (; mapping != 0; mapping = _mappings.Following(mapping))
        {
            sink.Add(_mappings[mapping].Start + 1);
            sink.Add(_mappings[mapping].End);
            sink.Add(_mappings[mapping].Offset);
            sink.Add(_mappings[mapping].Flags);
            sink.Add(_mappings[mapping].Policy);
            int attach = _mappings[mapping].Attach;
            sink.Add(attach == 0 ? 0 : _attachNames.Of(attach, out _));
            if (attach == 0)
            {
                WritePrivate(sink, mapping);
            }
            else
            {
                WriteEntries(sink, mapping);
            }
        }

        sink.Add(0);
    }

    private void WritePrivate(ByteSink sink, int mapping)
    {
        int owner = _mappings[mapping].PageOwner;
        sink.Add(owner == 0 ? 0 : _ownerNames.Of(owner, out _));
        sink.Add(owner == 0 ? 0 : _mappings[mapping].ForkChild);
        WriteBytes(sink, _spaces.Bytes(_mappings[mapping].Space),
            _mappings.FirstPage(mapping), _mappings.EndPage(mapping));
    }

    private static void WriteBytes(ByteSink sink, ByteMap bytes, ulong page, ulong end)
    {
        for (; bytes.Next(ref page, out byte value) && page < end; page++)
        {
            sink.Add(page + 1);
            sink.Add(value);
        }

        sink.Add(0);
    }

    /// <summary>The entries of a mapping. That one is dirty shows only while its page is not
    /// marked so.</summary>
    private void WriteEntries(ByteSink sink, int mapping)
    {
        int segment = _mappings.SegmentOf(mapping);
        int space = _mappings[mapping].Space;
        sink.Add(_segmentNames.Of(segment, out _));
        ulong page = _mappings.FirstPage(mapping);
        ulong end = _mappings.EndPage(mapping);
        for (; _tables.Next(space, ref page, end, out bool dirty); page++)
        {
            bool marked = _pages.At(segment, _paging.IndexOf(mapping, page)).IsDirty;
            sink.Add(page + 1);
            sink.Add(dirty && !marked);
        }

        sink.Add(0);
    }

    private void WriteSegments(ByteSink sink, bool exact)
    {
        sink.Add(_segments.Count);
        foreach (int segment in _segmentOrder)
        {
            WriteSegment(sink, segment, exact);
        }
    }

    private void WriteSegment(ByteSink sink, int segment, bool exact)
    {
        ref readonly SegmentRow row = ref _segments[segment];
        sink.Add(_namespaceNames.Of(row.Namespace, out _));
        sink.Add(exact ? row.Id : 0);
        sink.Add(row.Key);
        sink.Add(row.Uid);
        sink.Add(row.Gid);
        sink.Add(row.Cuid);
        sink.Add(row.Cgid);
        sink.Add(row.Mode);
        sink.Add(row.Size);
        sink.Add(ProcessName(row.Cpid, exact));
        sink.Add(ProcessName(row.Lpid, exact));
        WriteStamp(sink, row.Atime, exact);
        WriteStamp(sink, row.Dtime, exact);
        WriteStamp(sink, row.Ctime, exact);
        sink.Add(row.HugeShift);
        sink.Add(row.NoReserve);
        sink.Add(row.Allocated);
        sink.Add(row.LockCharge);
        sink.Add(row.LockUser);
        sink.Add(TaskName(row.Creator));
        WritePages(sink, segment);
    }

    private static void WriteStamp(ByteSink sink, long stamp, bool exact) =>
        sink.Add(exact ? (ulong)stamp : stamp == 0 ? 0u : 1u);

    private void WritePages(ByteSink sink, int segment)
    {
        bool huge = _segments.IsHuge(segment);
        RadixTree pages = _segments.Pages(segment);
        ulong page = 0;
        for (; pages.Next(ref page, out ulong word); page++)
        {
            var entry = new PageEntry(word);
            bool cached = !huge && entry.Kind == PageKind.Swapped
                && _swap.CachedFrame(entry.Number) >= 0;
            sink.Add(page + 1);
            sink.Add((int)entry.Kind << 2 | (entry.IsDirty ? 2 : 0) | (cached ? 1 : 0));
            sink.Add(entry.Content);
        }

        sink.Add(0);
        if (huge)
        {
            WriteBytes(sink, _segments.Bytes(segment), 0, ulong.MaxValue);
        }
    }
}
