using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>What a segment lives by (ipc/shm.c): its mappings open and close it, and it goes when
/// nobody maps it and it is marked for destruction, or orphans are not kept.</summary>
internal sealed class SegmentLifetime
{
    private readonly SegmentTable _segments;
    private readonly NamespaceTable _namespaces;
    private readonly TaskTable _tasks;
    private readonly IdTable _ids;
    private readonly KeyTable _keys;
    private readonly ObjectPages _pages;
    private readonly LockCharges _locks;
    private readonly int _pageShift;
    private readonly Scalar _clock;
    private int[] _unused = new int[4];
    private int _unusedCount;

    public SegmentLifetime(
        StateStore store, SegmentTable segments, NamespaceTable namespaces, TaskTable tasks,
        IdTable ids, ObjectPages pages, LockCharges locks, int pageShift)
    {
        _segments = segments;
        _namespaces = namespaces;
        _tasks = tasks;
        _ids = ids;
        _keys = new KeyTable(store, segments);
        _pages = pages;
        _locks = locks;
        _pageShift = pageShift;
        _clock = store.NewScalar();
    }

    /// <summary>Seconds that stamps are taken from.</summary>
    public long Clock
    {
        get => (long)_clock.Value;
        set => _clock.Value = (ulong)value;
    }

    /// <summary>Pid that stamps are made for: that of the process that makes the present call.
    /// </summary>
    public int Actor { get; set; }

    public int FindKey(int ns, int key) => _keys.Find(ns, key);

    /// <summary>Base pages that a size counts for.</summary>
    public ulong PagesFor(ulong size) =>
        (size >> _pageShift) + ((size & ((1ul << _pageShift) - 1)) == 0 ? 0u : 1u);

    /// <summary>Enters a new segment, whose object is filled in, under its identifier.</summary>
    /// <returns>False when no identifier is left.</returns>
    public bool TryEnter(int segment, int task)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        int ns = row.Namespace;
        int id = _ids.Assign(ns, segment);
        if (id < 0)
        {
            return false;
        }

        row.Id = id;
        row.Ctime = Clock;
        row.Cpid = Actor;
        if (row.Key != 0)
        {
            _keys.Add(segment);
        }

        Adopt(segment, task);
        _namespaces.Change(ns).TotalPages += PagesFor(row.Size);
        return true;
    }

    /// <summary>A mapping of the segment has come into being (shm_open).</summary>
    public void Open(int segment)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        _namespaces.Change(row.Namespace).Mappings++;
        row.Nattch++;
        row.Atime = Clock;
        row.Lpid = Actor;
    }

    /// <summary>A mapping of the segment has gone (shm_close), which may be the end of the
    /// segment, and of its namespace.</summary>
    public void Close(int segment)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        Debug.Assert(row.Nattch > 0, "not attached");
        int ns = row.Namespace;
        row.Dtime = Clock;
        row.Lpid = Actor;
        row.Nattch--;
        DestroyIfDue(segment);
        _namespaces.Change(ns).Mappings--;
        NoteIfUnused(ns);
    }

    /// <summary>A task enters a namespace.</summary>
    public void Join(int ns) => _namespaces.Change(ns).Tasks++;

    /// <summary>A task has left a namespace, which may be its end (put_ipc_ns).</summary>
    public void Leave(int ns)
    {
        _namespaces.Change(ns).Tasks--;
        NoteIfUnused(ns);
    }

    /// <summary>A namespace may end with the present call.</summary>
    public bool HasUnused => _unusedCount > 0;

    /// <summary>A call is over: the namespaces that it was the last to use end with all their
    /// segments (free_ipc, which the kernel does as work of its own).</summary>
    public void EndUnused()
    {
        for (; _unusedCount > 0; _unusedCount--)
        {
            int ns = _unused[_unusedCount - 1];
            foreach (int segment in _ids.Of(ns))
            {
                Destroy(segment);
            }

            _namespaces.Remove(ns);
        }
    }

    /// <summary>A call is undone, and so has used nothing up.</summary>
    public void ForgetUnused() => _unusedCount = 0;

    /// <summary>IPC_RMID: goes now, or with the last attach; its key is free at once.</summary>
    public void Condemn(int segment)
    {
        if (_segments[segment].Nattch == 0)
        {
            Destroy(segment);
            return;
        }

        _segments.Change(segment).Mode |= SegmentMode.SHM_DEST;
        ForgetKey(segment);
    }

    public void DestroyIfDue(int segment)
    {
        ref readonly SegmentRow row = ref _segments[segment];
        if (row.Nattch == 0 && ((row.Mode & SegmentMode.SHM_DEST) != 0
            || DestroysOrphansOf(segment)))
        {
            Destroy(segment);
        }
    }

    /// <summary>A task ends, or makes a namespace of its own: what it created is an orphan
    /// (exit_shm).</summary>
    public void Orphan(int task)
    {
        for (int segment; (segment = _tasks[task].FirstCreated) != 0;)
        {
            Disown(segment);
            if (DestroysOrphansOf(segment))
            {
                DestroyIfDue(segment);
            }
        }
    }

    /// <summary>kernel.shm_rmid_forced is set: orphans that nobody maps go
    /// (shm_destroy_orphaned).</summary>
    public void DestroyOrphans(int ns)
    {
        foreach (int segment in _ids.Of(ns))
        {
            if (_segments[segment].Creator == 0)
            {
                DestroyIfDue(segment);
            }
        }
    }

    /// <summary>Takes back the charge of SHM_LOCK.</summary>
    public void ReturnLockCharge(int segment)
    {
        ulong pages = _segments[segment].LockCharge;
        if (pages > 0)
        {
            _locks.Uncharge(_segments[segment].LockUser, pages);
            _segments.Change(segment).LockCharge = 0;
        }
    }

    /// <summary>Frees the object of a segment that is not, or no longer, entered.</summary>
    public void Discard(int segment)
    {
        ReturnLockCharge(segment);
        ref readonly SegmentRow row = ref _segments[segment];
        _pages.Release(segment, row.NoReserve == 0 ? PagesFor(row.Size) : 0);
        _segments.Remove(segment);
    }

    private bool DestroysOrphansOf(int segment) =>
        _namespaces[_segments[segment].Namespace].DestroysOrphans != 0;

    /// <summary>A namespace that nobody is in, and of which nothing is mapped, is unused: each
    /// attach holds its namespace (put_ipc_ns).</summary>
    private void NoteIfUnused(int ns)
    {
        ref readonly NamespaceRow row = ref _namespaces[ns];
        if (row.Tasks > 0 || row.Mappings > 0)
        {
            return;
        }

        if (_unusedCount == _unused.Length)
        {
            Array.Resize(ref _unused, _unusedCount * 2);
        }

        _unused[_unusedCount++] = ns;
    }

    private void Destroy(int segment)
    {
        ref readonly SegmentRow row = ref _segments[segment];
        Debug.Assert(row.FirstMapping == 0, "still mapped");
        int ns = row.Namespace;
        _namespaces.Change(ns).TotalPages -= PagesFor(row.Size);
        Disown(segment);
        ForgetKey(segment);
        _ids.Release(ns, row.Id);
        Discard(segment);
    }

    private void ForgetKey(int segment)
    {
        if (_segments[segment].Key != 0)
        {
            _keys.Remove(segment);
            _segments.Change(segment).Key = 0;
        }
    }

    private void Adopt(int segment, int task)
    {
        ref int first = ref _tasks.Change(task).FirstCreated;
        ref SegmentRow row = ref _segments.Change(segment);
        row.Creator = task;
        row.NextCreated = first;
        row.PreviousCreated = 0;
        _segments.Change(first).PreviousCreated = segment;
        first = segment;
    }

    private void Disown(int segment)
    {
        ref SegmentRow row = ref _segments.Change(segment);
        int task = row.Creator;
        if (task == 0)
        {
            return;
        }

        int next = row.NextCreated;
        int previous = row.PreviousCreated;
        _segments.Change(previous).NextCreated = next;
        _segments.Change(next).PreviousCreated = previous;
        if (previous == 0)
        {
            _tasks.Change(task).FirstCreated = next;
        }

        row.Creator = 0;
    }
}
