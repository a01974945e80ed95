using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The threads, one row each, with their credentials.</summary>
internal sealed class TaskTable
{
    private readonly Radix _radix;
    private readonly Rows _rows;
    private readonly GroupTable _groups;
    private readonly Column<ulong> _byTid;

    public TaskTable(StateStore store, Radix radix, GroupTable groups)
    {
        _radix = radix;
        _rows = new Rows(store);
        _groups = groups;
        _byTid = store.NewColumn<ulong>();
        Tid = store.NewColumn<int>();
        Group = store.NewColumn<int>();
        Namespace = store.NewColumn<int>();
        NextInGroup = store.NewColumn<int>();
        PreviousInGroup = store.NewColumn<int>();
        Uid = store.NewColumn<int>();
        Euid = store.NewColumn<int>();
        Suid = store.NewColumn<int>();
        Gid = store.NewColumn<int>();
        Egid = store.NewColumn<int>();
        Sgid = store.NewColumn<int>();
        Effective = store.NewColumn<ulong>();
        Permitted = store.NewColumn<ulong>();
        KeepsCaps = store.NewColumn<byte>();
        GroupSet = store.NewColumn<int>();
        FirstCreated = store.NewColumn<int>();
        VForkChild = store.NewColumn<int>();
        VForkParent = store.NewColumn<int>();
    }

    /// <summary>Its number, 0 in a row that is not in use.</summary>
    public Column<int> Tid { get; }

    public Column<int> Group { get; }

    /// <summary>The IPC namespace it is in (<see cref="NamespaceTable"/>).</summary>
    public Column<int> Namespace { get; }

    public Column<int> NextInGroup { get; }
    public Column<int> PreviousInGroup { get; }
    public Column<int> Uid { get; }
    public Column<int> Euid { get; }
    public Column<int> Suid { get; }
    public Column<int> Gid { get; }
    public Column<int> Egid { get; }
    public Column<int> Sgid { get; }
    public Column<ulong> Effective { get; }
    public Column<ulong> Permitted { get; }
    public Column<byte> KeepsCaps { get; }

    /// <summary>Supplementary groups (<see cref="GroupSets"/>).</summary>
    public Column<int> GroupSet { get; }

    /// <summary>First of the segments it created, linked by
    /// <see cref="SegmentTable.NextCreated"/>.</summary>
    public Column<int> FirstCreated { get; }

    /// <summary>The child that a vfork waits for, 0 if none.</summary>
    public Column<int> VForkChild { get; }

    /// <summary>The parent that waits for this task, 0 if none.</summary>
    public Column<int> VForkParent { get; }

    public int Count => _rows.Count;

    /// <summary>Tasks by their number.</summary>
    public RadixTree ByTid => new(_radix, _byTid, 0);

    public int Find(int tid) => tid > 0 ? (int)ByTid[(ulong)tid] : 0;

    public int SpaceOf(int task) => _groups.Space[Group[task]];

    public int PidOf(int task) => _groups.Pid[Group[task]];

    public bool IsCapable(int task, CapabilitySet capability) =>
        (Effective[task] & (ulong)capability) != 0;

    public int Add(int tid, int group, int ns)
    {
        int task = _rows.Take();
        Tid[task] = tid;
        Group[task] = group;
        Namespace[task] = ns;
        int next = _groups.FirstTask[group];
        NextInGroup[task] = next;
        PreviousInGroup[task] = 0;
        PreviousInGroup[next] = task;
        _groups.FirstTask[group] = task;
        FirstCreated[task] = 0;
        VForkChild[task] = 0;
        VForkParent[task] = 0;
        RadixTree byTid = ByTid;
        byTid[(ulong)tid] = (ulong)task;
        return task;
    }

    public void Remove(int task)
    {
        int group = Group[task];
        int next = NextInGroup[task];
        int previous = PreviousInGroup[task];
        NextInGroup[previous] = next;
        PreviousInGroup[next] = previous;
        if (previous == 0)
        {
            _groups.FirstTask[group] = next;
        }

        RadixTree byTid = ByTid;
        byTid[(ulong)Tid[task]] = 0;
        Tid[task] = 0;
        _rows.Give(task);
    }

    /// <summary>Gives a task another number, whose last bearer is gone.</summary>
    public void Renumber(int task, int tid)
    {
        RadixTree byTid = ByTid;
        byTid[(ulong)Tid[task]] = 0;
        byTid[(ulong)tid] = (ulong)task;
        Tid[task] = tid;
    }

    public void CopyCredentials(int from, int to)
    {
        Uid[to] = Uid[from];
        Euid[to] = Euid[from];
        Suid[to] = Suid[from];
        Gid[to] = Gid[from];
        Egid[to] = Egid[from];
        Sgid[to] = Sgid[from];
        Effective[to] = Effective[from];
        Permitted[to] = Permitted[from];
        KeepsCaps[to] = KeepsCaps[from];
        GroupSet[to] = GroupSet[from];
    }
}
