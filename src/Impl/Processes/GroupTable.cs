namespace ShmCheck.Impl;

/// <summary>The processes (thread groups), one row each, linked by ascending pid.</summary>
internal sealed class GroupTable : Table<GroupRow>
{
    private readonly Radix _radix;
    private readonly Column<ulong> _byPid;
    private readonly Scalar _last;

    public GroupTable(StateStore store, Radix radix)
        : base(store)
    {
        _radix = radix;
        _byPid = store.NewColumn<ulong>();
        _last = store.NewScalar();
    }

    /// <summary>The process with the lowest pid, 0 if none.</summary>
    public int First => this[0].Next;

    /// <summary>Processes by their number.</summary>
    public RadixTree ByPid => new(_radix, _byPid, 0);

    public int Find(int pid) => pid > 0 ? (int)ByPid[(ulong)pid] : 0;

    /// <summary>Adds a process, whose pid is higher than all before.</summary>
    public int Add(int pid, int space)
    {
        int group = Take();
        int last = (int)_last.Value;
        Change(group) = new GroupRow { Pid = pid, Space = space, Previous = last };
        Change(last).Next = group;
        _last.Value = (ulong)group;
        RadixTree byPid = ByPid;
        byPid[(ulong)pid] = (ulong)group;
        return group;
    }

    public void Remove(int group)
    {
        int next = this[group].Next;
        int previous = this[group].Previous;
        Change(previous).Next = next;
        Change(next).Previous = previous;
        if (next == 0)
        {
            _last.Value = (ulong)previous;
        }

        RadixTree byPid = ByPid;
        byPid[(ulong)this[group].Pid] = 0;
        Give(group);
    }
}
