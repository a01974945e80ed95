namespace ShmCheck.Impl;

/// <summary>Pages that each user has locked into memory by SHM_LOCK, wherever they are
/// (UCOUNT_RLIMIT_MEMLOCK).</summary>
internal sealed class LockCharges
{
    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Unlimited = ulong.MaxValue;
    private readonly RadixTree _pages;

    public LockCharges(StateStore store, Radix radix)
    {
        _pages = new RadixTree(radix, store.NewColumn<ulong>(), 0);
    }

    /// <summary>Users with a charge, as keys, with the pages charged.</summary>
    public RadixTree ByUser => _pages;

    /// <summary>Charges a user if the sum stays within a limit (user_shm_lock).</summary>
    /// <param name="user">The user.</param>
    /// <param name="pages">Pages more.</param>
    /// <param name="limit">Limit in pages.</param>
    /// <param name="exempt">The limit does not count.</param>
    public bool TryCharge(int user, ulong pages, ulong limit, bool exempt)
    {
        ulong sum = _pages[(uint)user] + pages;
        if (sum > limit && !exempt)
        {
            return false;
        }

        Set(user, sum);
        return true;
    }

    public void Uncharge(int user, ulong pages) => Set(user, _pages[(uint)user] - pages);

    private void Set(int user, ulong pages)
    {
        RadixTree tree = _pages;
        tree[(uint)user] = pages;
    }
}
