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
                (_groupNames.Find(_tasks.Group[one]), _tasks.Tid[one]).CompareTo(
                    (_groupNames.Find(_tasks.Group[other]), _tasks.Tid[other])));
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
        for (int group = _groups.First; group != 0; group = _groups.Next[group])
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
        for (int ns = _namespaces.First; ns != 0; ns = _namespaces.Next[ns])
        {
            _namespaceNames.Of(ns, out _);
            sink.Add(exact ? _namespaces.Number[ns] : Math.Min(_namespaces.Number[ns], 1));
            sink.Add(_namespaces.MaxSize[ns]);
            sink.Add(_namespaces.MaxPages[ns]);
            sink.Add(_namespaces.MaxSegments[ns]);
            sink.Add(_namespaces.DestroysOrphans[ns]);
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
        sink.Add(exact ? _tasks.Tid[task] : 0);
        sink.Add(ProcessName(_tasks.PidOf(task), exact));
        sink.Add(_tasks.Tid[task] == _tasks.PidOf(task));
        sink.Add(_namespaceNames.Of(_tasks.Namespace[task], out _));
        sink.Add(_tasks.Uid[task]);
        sink.Add(_tasks.Euid[task]);
        sink.Add(_tasks.Suid[task]);
        sink.Add(_tasks.Gid[task]);
        sink.Add(_tasks.Egid[task]);
        sink.Add(_tasks.Sgid[task]);
        sink.Add(_tasks.Effective[task]);
        sink.Add(_tasks.Permitted[task]);
        sink.Add(_tasks.KeepsCaps[task]);
        sink.Add(TaskName(_tasks.VForkChild[task]));
        RadixTree groups = _groupSets.Members(_tasks.GroupSet[task]);
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
            int space = _groups.Space[group];
            sink.Add(exact ? _groups.Pid[group] : 0);
            sink.Add(_groups.MemLock[group]);
            sink.Add(_groups.AddressLimit[group]);
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
        sink.Add(_spaces.LocksFuture[space]);
        int mapping = _mappings.Find(space, 0);
        for (; mapping != 0; mapping = _mappings.Following(mapping))
        {
            sink.Add(_mappings.Start[mapping] + 1);
            sink.Add(_mappings.End[mapping]);
            sink.Add(_mappings.Offset[mapping]);
            sink.Add(_mappings.Flags[mapping]);
            sink.Add(_mappings.Policy[mapping]);
            int attach = _mappings.Attach[mapping];
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
        int owner = _mappings.PageOwner[mapping];
        sink.Add(owner == 0 ? 0 : _ownerNames.Of(owner, out _));
        sink.Add(owner == 0 ? 0 : _mappings.ForkChild[mapping]);
        WriteBytes(sink, _spaces.Bytes(_mappings.Space[mapping]),
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
        int space = _mappings.Space[mapping];
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
        sink.Add(_namespaceNames.Of(_segments.Namespace[segment], out _));
        sink.Add(exact ? _segments.Id[segment] : 0);
        sink.Add(_segments.Key[segment]);
        sink.Add(_segments.Uid[segment]);
        sink.Add(_segments.Gid[segment]);
        sink.Add(_segments.Cuid[segment]);
        sink.Add(_segments.Cgid[segment]);
        sink.Add(_segments.Mode[segment]);
        sink.Add(_segments.Size[segment]);
        sink.Add(ProcessName(_segments.Cpid[segment], exact));
        sink.Add(ProcessName(_segments.Lpid[segment], exact));
        WriteStamp(sink, _segments.Atime[segment], exact);
        WriteStamp(sink, _segments.Dtime[segment], exact);
        WriteStamp(sink, _segments.Ctime[segment], exact);
        sink.Add(_segments.HugeShift[segment]);
        sink.Add(_segments.NoReserve[segment]);
        sink.Add(_segments.Allocated[segment]);
        sink.Add(_segments.LockCharge[segment]);
        sink.Add(_segments.LockUser[segment]);
        sink.Add(TaskName(_segments.Creator[segment]));
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
