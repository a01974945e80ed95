using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Writes a state of the specification as bytes that are equal for states that differ in
/// names only: which identifiers and pids things have, when something happened, in which order
/// numbers that nobody sees were given. What stays of a pid is whose it is, and of a time stamp,
/// whether it is set. Counters are written although they follow from the rest, so that a state
/// with a wrong one is a state of its own.</summary>
internal sealed class SpecQuotient(CanonicalBytes bytes)
{
    private readonly List<ulong> _spaces = [];
    private readonly List<ulong> _files = [];
    private readonly List<ulong> _histories = [];
    private NodeOrder _order = new();

    /// <summary>Appends the bytes of a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="order">The names of processes and segments.</param>
    public void Write(SpecState state, NodeOrder order)
    {
        _order = order;
        _spaces.Clear();
        _files.Clear();
        _histories.Clear();
        _files.Add(0);
        _histories.Add(0);
        WriteMachine(state);
        foreach (IpcNamespace ns in state.Namespaces.Rows)
        {
            WriteNamespace(ns);
        }

        foreach (int row in order.Segments)
        {
            WriteSegment(state, state.Segments.Rows[row]);
        }

        foreach (int row in order.Processes)
        {
            WriteProcess(state, state.Groups.Rows[row]);
        }

        foreach (ulong space in _spaces)
        {
            WriteSpace(state.Spaces[space]);
        }
    }

    /// <summary>Appends what can be said of a segment without naming a process.</summary>
    public void WriteMark(SpecState state, Segment segment, NodeOrder order)
    {
        WriteShown(segment);
        bytes.Put(state.Namespaces.FirstFrom((ulong)segment.Namespace));
        bytes.Put(order.ProcessKind(segment.CreatorPid));
        bytes.Put(order.ProcessKind(segment.LastPid));
        bytes.Put(segment.Creator != 0);
        WriteObject(segment.Object);
    }

    /// <summary>Appends what can be said of a process without naming another process or a
    /// segment; segments are told apart by their marks.</summary>
    public void WriteMark(SpecState state, ThreadGroup group, List<ulong> marks)
    {
        bytes.Put(group.MemLock);
        bytes.Put(group.AddressSpaceLimit);
        foreach (KernelTask task in state.Tasks.Rows)
        {
            if (task.Tgid == group.Tgid)
            {
                WriteCredentials(task.Credentials);
                WriteMark(state, state.Spaces[task.Space], marks);
            }
        }
    }

    private void WriteMark(SpecState state, AddressSpace space, List<ulong> marks)
    {
        WriteCounters(space);
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            WriteShape(mapping);
            if (mapping.Segment is { } key)
            {
                bytes.Put(marks[state.Segments.FirstFrom(key.Value)]);
            }
        }

        WriteKeyed(space.Pages, entry => entry.Dirty ? 1ul : 0);
    }

    /// <summary>Appends the numbers that things have, and those that are given next: together
    /// with <see cref="Write"/>, all of a state but the time of its stamps.</summary>
    public void WriteNumbers(SpecState state)
    {
        bytes.Put(state.LastPid);
        bytes.Put(state.NextNamespace);
        foreach (IpcNamespace ns in state.Namespaces.Rows)
        {
            bytes.Put(ns.Number);
            bytes.Put(ns.Sequence);
            bytes.Put(ns.Cursor);
            bytes.Put(ns.LastIndex);
        }

        foreach (Segment segment in state.Segments.Rows)
        {
            bytes.Put(segment.Id.Value);
            bytes.Put(segment.CreatorPid);
            bytes.Put(segment.LastPid);
        }

        foreach (ulong tid in state.Tasks.Keys)
        {
            bytes.Put(tid);
        }
    }

    private void WriteMachine(SpecState state)
    {
        bytes.Put(state.Pool.Total);
        bytes.Put(state.Pool.Free);
        bytes.Put(state.Pool.Reserved);
        bytes.Put(state.Pool.Surplus);
        bytes.Put(state.FramesUsed);
        bytes.Put(state.SwapCached);
        bytes.Put(state.SlotsUsed);
        bytes.Put(state.SwapInUse);
        bytes.Put(state.Committed);
        bytes.Put(state.NrOvercommitHugePages);
        bytes.Put(state.HugetlbShmGroup);
        bytes.Put((int)state.Overcommit);
        bytes.Put(state.OvercommitRatio);
        WriteKeyed(state.LockedByUser, pages => pages);
        bytes.Put(state.Namespaces.Count);
        bytes.Put(state.Segments.Count);
        bytes.Put(state.Groups.Count);
        bytes.Put(state.Tasks.Count);
    }

    private void WriteNamespace(IpcNamespace ns)
    {
        bytes.Put(ns.ShmMax);
        bytes.Put(ns.ShmAll);
        bytes.Put(ns.ShmMni);
        bytes.Put(ns.RmidForced);
        bytes.Put(ns.NextId);
        bytes.Put(ns.InUse);
        bytes.Put(ns.Total);
    }

    private void WriteSegment(SpecState state, Segment segment)
    {
        WriteShown(segment);
        bytes.Put(state.Namespaces.FirstFrom((ulong)segment.Namespace));
        bytes.Put(_order.ProcessName(segment.CreatorPid));
        bytes.Put(_order.ProcessName(segment.LastPid));
        bytes.Put(segment.Creator == 0
            ? 0 : _order.ProcessName(state.Tasks[(ulong)segment.Creator].Tgid));
        WriteObject(segment.Object);
    }

    private void WriteShown(Segment segment)
    {
        bytes.Put(segment.Key);
        bytes.Put(segment.Uid);
        bytes.Put(segment.Gid);
        bytes.Put(segment.Cuid);
        bytes.Put(segment.Cgid);
        bytes.Put(segment.ShownMode);
        bytes.Put(segment.Size);
        bytes.Put(segment.Attaches);
        bytes.Put(segment.AttachTime != Stamp.Never);
        bytes.Put(segment.DetachTime != Stamp.Never);
        bytes.Put(segment.ChangeTime != Stamp.Never);
        bytes.Put(segment.LockedBy is { } user ? user + 1 : 0);
    }

    private void WriteObject(MemoryObject holder)
    {
        bytes.Put(holder.Length);
        bytes.Put(holder.PageSize);
        bytes.Put(holder.IsHuge);
        bytes.Put(holder.Promised);
        bytes.Put(holder.Resident);
        bytes.Put(holder.Swapped);
        bytes.Put(holder.Charged);
        WriteKeyed(holder.Pages, page => ((ulong)page.Mappers << 4)
            | ((ulong)page.State << 1) | (page.Marked ? 1ul : 0));
        WriteKeyed(holder.Contents, content => content);
    }

    private void WriteProcess(SpecState state, ThreadGroup group)
    {
        bytes.Put(group.MemLock);
        bytes.Put(group.AddressSpaceLimit);
        foreach (KernelTask task in state.Tasks.Rows)
        {
            if (task.Tgid == group.Tgid)
            {
                WriteTask(state, task);
            }
        }
    }

    private void WriteTask(SpecState state, KernelTask task)
    {
        bytes.Put(task.Tid == task.Tgid);
        bytes.Put(Number(_spaces, task.Space));
        bytes.Put(state.Namespaces.FirstFrom((ulong)task.Namespace));
        bytes.Put(task.WaitsFor == 0
            ? 0 : _order.ProcessName(state.Tasks[(ulong)task.WaitsFor].Tgid));
        WriteCredentials(task.Credentials);
    }

    private void WriteCredentials(Credentials who)
    {
        bytes.Put(who.Uid);
        bytes.Put(who.Euid);
        bytes.Put(who.Suid);
        bytes.Put(who.Gid);
        bytes.Put(who.Egid);
        bytes.Put(who.Sgid);
        bytes.Put((ulong)who.Permitted);
        bytes.Put((ulong)who.Effective);
        bytes.Put(who.KeepCaps);
        bytes.Put(who.Groups.Length);
        foreach (int group in who.Groups)
        {
            bytes.Put(group);
        }
    }

    private void WriteCounters(AddressSpace space)
    {
        bytes.Put(space.TotalPages);
        bytes.Put(space.LockedPages);
        bytes.Put(space.ShmemPages);
        bytes.Put(space.HugetlbPages);
        bytes.Put(space.LockFuture);
        bytes.Put(space.Mappings.Count);
    }

    private void WriteSpace(AddressSpace space)
    {
        WriteCounters(space);
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            WriteMapping(mapping);
        }

        WriteKeyed(space.Pages, entry => entry.Dirty ? 1ul : 0);
        WriteKeyed(space.Contents, content => content);
    }

    private void WriteMapping(Mapping mapping)
    {
        WriteShape(mapping);
        bytes.Put(mapping.Segment is { } key ? _order.SegmentName(key.Value) + 1 : 0);
        bytes.Put(Number(_files, mapping.File));
        bytes.Put(Number(_histories, mapping.Anon));
        bytes.Put(mapping.Forked);
    }

    private void WriteShape(Mapping mapping)
    {
        bytes.Put(mapping.Start);
        bytes.Put(mapping.End);
        bytes.Put(mapping.PageSize);
        bytes.Put(mapping.Offset);
        bytes.Put((int)mapping.Flags);
        bytes.Put(mapping.Policy);
        bytes.Put(mapping.IsHuge);
    }

    private void WriteKeyed<T>(Table<T> table, Func<T, ulong> value)
    {
        bytes.Put(table.Count);
        for (int row = 0; row < table.Count; row++)
        {
            bytes.Put(table.Keys[row]);
            bytes.Put(value(table.Rows[row]));
        }
    }

    /// <summary>The number of something by the order in which it comes up.</summary>
    private static int Number(List<ulong> known, ulong name)
    {
        int index = known.IndexOf(name);
        if (index < 0)
        {
            index = known.Count;
            known.Add(name);
        }

        return index;
    }
}
