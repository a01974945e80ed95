using System.Numerics;
using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>Writes a state of the specification as bytes that are equal for states that differ in
/// names only: which identifiers and pids things have, when something happened, in which order
/// numbers that nobody sees were given. What stays of a pid is whose it is, and of a time stamp,
/// whether it is set. Counters are written although they follow from the rest, so that a state
/// with a wrong one is a state of its own.</summary>
/// <remarks>What a segment, an address space or a task's credentials are without any name is
/// written as a digest, which is computed once as long as they do not change.</remarks>
internal sealed class SpecQuotient
{
    private readonly CanonicalBytes _bytes;
    private readonly CanonicalBytes _content = new();
    private readonly KnownDigests<Segment> _segmentDigests;
    private readonly KnownDigests<AddressSpace> _spaceDigests;
    private readonly KnownDigests<Credentials> _credentialDigests;
    private readonly List<ulong> _spaces = [];
    private readonly List<ulong> _files = [];
    private readonly List<ulong> _histories = [];
    private NodeOrder _order = new();

    /// <summary>Writes states.</summary>
    /// <param name="bytes">Where to.</param>
    public SpecQuotient(CanonicalBytes bytes)
    {
        _bytes = bytes;
        _segmentDigests = new(DigestOf);
        _spaceDigests = new(DigestOf);
        _credentialDigests = new(DigestOf);
    }

    /// <summary>Takes note of a state that those to be written come from.</summary>
    public void ComeFrom(SpecState state)
    {
        _segmentDigests.Use(state.Segments.Rows);
        _spaceDigests.Use(state.Spaces.Rows);
        _credentialDigests.Use([.. state.Tasks.Rows.Select(task => task.Credentials)]);
    }

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

    /// <summary>What can be said of a segment without naming a process.</summary>
    public ulong MarkOf(SpecState state, Segment segment, NodeOrder order) => Mix(
        _segmentDigests.Of(segment).High,
        (ulong)state.Namespaces.FirstFrom((ulong)segment.Namespace) << 5
            | (uint)order.ProcessKind(segment.CreatorPid) << 3
            | (uint)order.ProcessKind(segment.LastPid) << 1
            | (segment.Creator != 0 ? 1u : 0));

    /// <summary>What can be said of a process without naming another process or a segment;
    /// segments are told apart by their marks.</summary>
    public ulong MarkOf(SpecState state, ThreadGroup group, List<ulong> marks)
    {
        ulong mark = Mix(group.MemLock, group.AddressSpaceLimit);
        foreach (KernelTask task in state.Tasks.Rows)
        {
            if (task.Tgid == group.Tgid)
            {
                AddressSpace space = state.Spaces[task.Space];
                mark = Mix(mark, _credentialDigests.Of(task.Credentials).High);
                mark = Mix(mark, _spaceDigests.Of(space).High);
                foreach (Mapping mapping in space.Mappings.Rows)
                {
                    mark = mapping.Segment is { } key
                        ? Mix(mark, marks[state.Segments.FirstFrom(key.Value)]) : mark;
                }
            }
        }

        return mark;
    }

    /// <summary>Mixes two words; the order of the two matters.</summary>
    public static ulong Mix(ulong mark, ulong relation)
    {
        ulong mixed = (mark ^ BitOperations.RotateLeft(relation, 23)) * 0x9e3779b97f4a7c15;
        return (mixed ^ (mixed >> 29)) * 0xbf58476d1ce4e5b9;
    }

    /// <summary>Appends the numbers that things have, and those that are given next: together
    /// with <see cref="Write"/>, all of a state but the time of its stamps.</summary>
    public void WriteNumbers(SpecState state)
    {
        _bytes.Put(state.LastPid);
        _bytes.Put(state.NextNamespace);
        foreach (IpcNamespace ns in state.Namespaces.Rows)
        {
            _bytes.Put(ns.Number);
            _bytes.Put(ns.Sequence);
            _bytes.Put(ns.Cursor);
            _bytes.Put(ns.LastIndex);
        }

        foreach (Segment segment in state.Segments.Rows)
        {
            _bytes.Put(segment.Id.Value);
            _bytes.Put(segment.CreatorPid);
            _bytes.Put(segment.LastPid);
        }

        foreach (ulong tid in state.Tasks.Keys)
        {
            _bytes.Put(tid);
        }
    }

    private void WriteMachine(SpecState state)
    {
        _bytes.Put(state.Pool.Total);
        _bytes.Put(state.Pool.Free);
        _bytes.Put(state.Pool.Reserved);
        _bytes.Put(state.Pool.Surplus);
        _bytes.Put(state.FramesUsed);
        _bytes.Put(state.SwapCached);
        _bytes.Put(state.SlotsUsed);
        _bytes.Put(state.SwapInUse);
        _bytes.Put(state.Committed);
        _bytes.Put(state.NrOvercommitHugePages);
        _bytes.Put(state.HugetlbShmGroup);
        _bytes.Put((int)state.Overcommit);
        _bytes.Put(state.OvercommitRatio);
        _bytes.Put(state.LockedByUser.Count);
        foreach ((ulong user, ulong pages) in state.LockedByUser.Between(0, ulong.MaxValue))
        {
            _bytes.Put(user);
            _bytes.Put(pages);
        }

        _bytes.Put(state.Namespaces.Count);
        _bytes.Put(state.Segments.Count);
        _bytes.Put(state.Groups.Count);
        _bytes.Put(state.Tasks.Count);
    }

    private void WriteNamespace(IpcNamespace ns)
    {
        _bytes.Put(ns.ShmMax);
        _bytes.Put(ns.ShmAll);
        _bytes.Put(ns.ShmMni);
        _bytes.Put(ns.RmidForced);
        _bytes.Put(ns.NextId);
        _bytes.Put(ns.InUse);
        _bytes.Put(ns.Total);
    }

    private void WriteSegment(SpecState state, Segment segment)
    {
        _bytes.Put(_segmentDigests.Of(segment));
        _bytes.Put(state.Namespaces.FirstFrom((ulong)segment.Namespace));
        _bytes.Put(_order.ProcessName(segment.CreatorPid));
        _bytes.Put(_order.ProcessName(segment.LastPid));
        _bytes.Put(segment.Creator == 0
            ? 0 : _order.ProcessName(state.Tasks[(ulong)segment.Creator].Tgid));
    }

    private NodeKey DigestOf(Segment segment)
    {
        _content.Clear();
        _content.Put(segment.Key);
        _content.Put(segment.Uid);
        _content.Put(segment.Gid);
        _content.Put(segment.Cuid);
        _content.Put(segment.Cgid);
        _content.Put(segment.ShownMode);
        _content.Put(segment.Size);
        _content.Put(segment.Attaches);
        _content.Put(segment.AttachTime != Stamp.Never);
        _content.Put(segment.DetachTime != Stamp.Never);
        _content.Put(segment.ChangeTime != Stamp.Never);
        _content.Put(segment.LockedBy is { } user ? user + 1 : 0);
        MemoryObject holder = segment.Object;
        _content.Put(holder.Length);
        _content.Put(holder.PageSize);
        _content.Put(holder.IsHuge);
        _content.Put(holder.Promised);
        _content.Put(holder.Resident);
        _content.Put(holder.Swapped);
        _content.Put(holder.Charged);
        WritePages(_content, holder.Pages, page => ((ulong)page.Mappers << 4)
            | ((ulong)page.State << 1) | (page.Marked ? 1ul : 0));
        WritePages(_content, holder.Contents, content => content);
        return NodeKey.Of(_content.Written);
    }

    private void WriteProcess(SpecState state, ThreadGroup group)
    {
        _bytes.PutWord(group.MemLock);
        _bytes.PutWord(group.AddressSpaceLimit);
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
        _bytes.Put(task.Tid == task.Tgid);
        _bytes.Put(Number(_spaces, task.Space));
        _bytes.Put(state.Namespaces.FirstFrom((ulong)task.Namespace));
        _bytes.Put(task.WaitsFor == 0
            ? 0 : _order.ProcessName(state.Tasks[(ulong)task.WaitsFor].Tgid));
        _bytes.Put(_credentialDigests.Of(task.Credentials));
    }

    private NodeKey DigestOf(Credentials who)
    {
        _content.Clear();
        _content.Put(who.Uid);
        _content.Put(who.Euid);
        _content.Put(who.Suid);
        _content.Put(who.Gid);
        _content.Put(who.Egid);
        _content.Put(who.Sgid);
        _content.Put((ulong)who.Permitted);
        _content.Put((ulong)who.Effective);
        _content.Put(who.KeepCaps);
        foreach (int group in who.Groups)
        {
            _content.Put(group);
        }

        return NodeKey.Of(_content.Written);
    }

    private void WriteSpace(AddressSpace space)
    {
        _bytes.Put(_spaceDigests.Of(space));
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            _bytes.Put(mapping.Segment is { } key ? _order.SegmentName(key.Value) + 1 : 0);
            _bytes.Put(Number(_files, mapping.File));
            _bytes.Put(Number(_histories, mapping.Anon));
        }
    }

    private NodeKey DigestOf(AddressSpace space)
    {
        _content.Clear();
        _content.Put(space.TotalPages);
        _content.Put(space.LockedPages);
        _content.Put(space.ShmemPages);
        _content.Put(space.HugetlbPages);
        _content.Put(space.LockFuture);
        _content.Put(space.Mappings.Count);
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            _content.PutWord(mapping.Start);
            _content.PutWord(mapping.End);
            _content.PutWord(mapping.PageSize);
            _content.PutWord(mapping.Offset);
            _content.Put((int)mapping.Flags);
            _content.Put(mapping.Policy);
            _content.Put(mapping.IsHuge);
            _content.Put(mapping.Forked);
        }

        WritePages(_content, space.Pages, entry => entry.Dirty ? 1ul : 0);
        WritePages(_content, space.Contents, content => content);
        return NodeKey.Of(_content.Written);
    }

    private static void WritePages<T>(
        CanonicalBytes bytes, PageMap<T> pages, Func<T, ulong> value)
    {
        bytes.Put(pages.Count);
        foreach ((ulong page, T row) in pages.All)
        {
            bytes.Put(page);
            bytes.Put(value(row));
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
