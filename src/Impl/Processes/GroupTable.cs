namespace ShmCheck.Impl;

/// <summary>The processes (thread groups), one row each, linked by ascending pid.</summary>
internal sealed class GroupTable
{
    private readonly Radix _radix;
    private readonly Rows _rows;
    private readonly Column<ulong> _byPid;
    private readonly Scalar _last;

    public GroupTable(StateStore store, Radix radix)
    {
        _radix = radix;
        _rows = new Rows(store);
        _byPid = store.NewColumn<ulong>();
        _last = store.NewScalar();
        Pid = store.NewColumn<int>();
        Space = store.NewColumn<int>();
        FirstTask = store.NewColumn<int>();
        MemLock = store.NewColumn<ulong>();
        AddressLimit = store.NewColumn<ulong>();
        Next = store.NewColumn<int>();
        Previous = store.NewColumn<int>();
    }

    public Column<int> Pid { get; }

    public Column<int> Space { get; }

    /// <summary>First of its tasks, linked by <see cref="TaskTable.NextInGroup"/>.</summary>
    public Column<int> FirstTask { get; }

    /// <summary>RLIMIT_MEMLOCK in bytes.</summary>
    public Column<ulong> MemLock { get; }

    /// <summary>RLIMIT_AS in bytes.</summary>
    public Column<ulong> AddressLimit { get; }

    public Column<int> Next { get; }
    public Column<int> Previous { get; }

    public int Count => _rows.Count;

    /// <summary>The process with the lowest pid, 0 if none.</summary>
    public int First => Next[0];

    /// <summary>Processes by their number.</summary>
    public RadixTree ByPid => new(_radix, _byPid, 0);

    public int Find(int pid) => pid > 0 ? (int)ByPid[(ulong)pid] : 0;

    /// <summary>Adds a process, whose pid is higher than all before.</summary>
    public int Add(int pid, int space)
    {
        int group = _rows.Take();
        int last = (int)_last.Value;
        Pid[group] = pid;
        Space[group] = space;
        FirstTask[group] = 0;
        Next[group] = 0;
        Previous[group] = last;
        Next[last] = group;
        _last.Value = (ulong)group;
        RadixTree byPid = ByPid;
        byPid[(ulong)pid] = (ulong)group;
        return group;
    }

    public void Remove(int group)
    {
        int next = Next[group];
        int previous = Previous[group];
        Next[previous] = next;
        Previous[next] = previous;
        if (next == 0)
        {
            _last.Value = (ulong)previous;
        }

        RadixTree byPid = ByPid;
        byPid[(ulong)Pid[group]] = 0;
        _rows.Give(group);
    }
}
