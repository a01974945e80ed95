using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The threads, one row each, with their credentials.</summary>
internal sealed class TaskTable : Table<TaskRow>
{
    private readonly Radix _radix;
    private readonly GroupTable _groups;
    private readonly Column<ulong> _byTid;

    public TaskTable(StateStore store, Radix radix, GroupTable groups)
        : base(store)
    {
        _radix = radix;
        _groups = groups;
        _byTid = store.NewColumn<ulong>();
    }

    /// <summary>Tasks by their number.</summary>
    public RadixTree ByTid => new(_radix, _byTid, 0);

    public int Find(int tid) => tid > 0 ? (int)ByTid[(ulong)tid] : 0;

    public int SpaceOf(int task) => _groups[this[task].Group].Space;

    public int PidOf(int task) => _groups[this[task].Group].Pid;

    public bool IsCapable(int task, CapabilitySet capability) =>
        (this[task].Effective & (ulong)capability) != 0;

    public int Add(int tid, int group, int ns)
    {
        int task = Take();
        Change(task).Tid = tid;
        Change(task).Group = group;
        Change(task).Namespace = ns;
        int next = _groups[group].FirstTask;
        Change(task).NextInGroup = next;
        Change(task).PreviousInGroup = 0;
        Change(next).PreviousInGroup = task;
        _groups.Change(group).FirstTask = task;
        Change(task).FirstCreated = 0;
        Change(task).VForkChild = 0;
        Change(task).VForkParent = 0;
        RadixTree byTid = ByTid;
        byTid[(ulong)tid] = (ulong)task;
        return task;
    }

    public void Remove(int task)
    {
        int group = this[task].Group;
        int next = this[task].NextInGroup;
        int previous = this[task].PreviousInGroup;
        Change(previous).NextInGroup = next;
        Change(next).PreviousInGroup = previous;
        if (previous == 0)
        {
            _groups.Change(group).FirstTask = next;
        }

        RadixTree byTid = ByTid;
        byTid[(ulong)this[task].Tid] = 0;
        Change(task).Tid = 0;
        Give(task);
    }

    /// <summary>Gives a task another number, whose last bearer is gone.</summary>
    public void Renumber(int task, int tid)
    {
        RadixTree byTid = ByTid;
        byTid[(ulong)this[task].Tid] = 0;
        byTid[(ulong)tid] = (ulong)task;
        Change(task).Tid = tid;
    }

    public void CopyCredentials(int from, int to)
    {
        Change(to).Uid = this[from].Uid;
        Change(to).Euid = this[from].Euid;
        Change(to).Suid = this[from].Suid;
        Change(to).Gid = this[from].Gid;
        Change(to).Egid = this[from].Egid;
        Change(to).Sgid = this[from].Sgid;
        Change(to).Effective = this[from].Effective;
        Change(to).Permitted = this[from].Permitted;
        Change(to).KeepsCaps = this[from].KeepsCaps;
        Change(to).GroupSet = this[from].GroupSet;
    }
}
