namespace ShmCheck.Impl;

/// <summary>Sets of supplementary groups, shared by the tasks that inherited them. Set 0 is the
/// empty one.</summary>
internal sealed class GroupSets
{
    private readonly Radix _radix;
    private readonly Rows _rows;
    private readonly Column<ulong> _roots;
    private readonly Column<int> _users;

    public GroupSets(StateStore store, Radix radix)
    {
        _radix = radix;
        _rows = new Rows(store);
        _roots = store.NewColumn<ulong>();
        _users = store.NewColumn<int>();
    }

    public int Count => _rows.Count;

    /// <summary>The members of a set, as keys.</summary>
    public RadixTree Members(int set) => new(_radix, _roots, set);

    public bool Contains(int set, int group) => Members(set)[(uint)group] != 0;

    /// <summary>Makes a set with one user.</summary>
    public int Add(ReadOnlySpan<int> groups)
    {
        if (groups.IsEmpty)
        {
            return 0;
        }

        int set = _rows.Take();
        _roots[set] = 0;
        _users[set] = 1;
        RadixTree members = Members(set);
        foreach (int group in groups)
        {
            members[(uint)group] = 1;
        }

        return set;
    }

    public void Share(int set)
    {
        if (set != 0)
        {
            _users[set]++;
        }
    }

    public void Drop(int set)
    {
        if (set != 0 && --_users[set] == 0)
        {
            Members(set).Clear();
            _rows.Give(set);
        }
    }
}
