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

    public int PidOf(int task) => _groups[this[task].Group].Pid;

    public bool IsCapable(int task, CapabilitySet capability) =>
        (this[task].Effective & (ulong)capability) != 0;

    public int Add(int tid, int group, int ns)
    {
        int task = Take();
        int next = _groups[group].FirstTask;
        Change(task) = new TaskRow
        {
            Tid = tid, Group = group, Namespace = ns, NextInGroup = next,
        };
        Change(next).PreviousInGroup = task;
        _groups.Change(group).FirstTask = task;
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
        ref readonly TaskRow source = ref this[from];
        ref TaskRow copy = ref Change(to);
        copy.Uid = source.Uid;
        copy.Euid = source.Euid;
        copy.Suid = source.Suid;
        copy.Gid = source.Gid;
        copy.Egid = source.Egid;
        copy.Sgid = source.Sgid;
        copy.Effective = source.Effective;
        copy.Permitted = source.Permitted;
        copy.KeepsCaps = source.KeepsCaps;
        copy.GroupSet = source.GroupSet;
    }
}
