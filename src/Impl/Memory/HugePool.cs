using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The pool of huge pages of the default size (mm/hugetlb.c): how many there are, how
/// many of them are free, promised, and surplus to the persistent pool.</summary>
internal sealed class HugePool
{
    private readonly FailurePlan _plan;
    private readonly FramePool _frames;
    private readonly IndexSet _freePages;
    private readonly Scalar _total;
    private readonly Scalar _free;
    private readonly Scalar _reserved;
    private readonly Scalar _surplus;
    private readonly Scalar _overcommit;

    public HugePool(StateStore store, MachineConfig config, FramePool frames, FailurePlan plan)
    {
        _plan = plan;
        _frames = frames;
        _freePages = new IndexSet(
            store, checked((int)(config.TotalPages / config.PagesPerHugePage)));
        _total = store.NewScalar();
        _free = store.NewScalar();
        _reserved = store.NewScalar();
        _surplus = store.NewScalar();
        _overcommit = store.NewScalar();
        _overcommit.Value = config.NrOvercommitHugePages;
    }

    public ulong Total => _total.Value;

    public ulong Free => _free.Value;

    public ulong Reserved => _reserved.Value;

    public ulong Surplus => _surplus.Value;

    /// <summary>nr_hugepages.</summary>
    public ulong Persistent => Total - Surplus;

    /// <summary>nr_overcommit_hugepages.</summary>
    public ulong Overcommit
    {
        get => _overcommit.Value;
        set => _overcommit.Value = value;
    }

    /// <summary>Frames that the pool holds, in base pages.</summary>
    public ulong Frames => Total * (ulong)_frames.RunLength;

    public bool IsFree(int page) => _freePages.Contains(page);

    /// <summary>Promises pages, and grows the pool by surplus pages where it has too few
    /// (hugetlb_acct_memory, gather_surplus_pages).</summary>
    /// <returns>False, with nothing changed, when it cannot.</returns>
    public bool TryReserve(ulong pages, IFrameOwner owner)
    {
        ulong wanted = Reserved + pages;
        ulong missing = wanted > Free ? wanted - Free : 0;
        if (missing > 0 && (Surplus + missing > Overcommit || missing > Growable()
            || _plan.Strikes(AllocationKind.Huge, missing)))
        {
            return false;
        }

        for (; missing > 0; missing--)
        {
            AddPage(owner);
            _surplus.Value++;
        }

        _reserved.Value += pages;
        return true;
    }

    /// <summary>Takes promises back; surplus pages that backed them go
    /// (return_unused_surplus_pages).</summary>
    public void Unreserve(ulong pages)
    {
        _reserved.Value -= pages;
        for (ulong left = Math.Min(pages, Surplus); left > 0 && Free > 0; left--)
        {
            _surplus.Value--;
            RemoveFreePage();
        }
    }

    /// <summary>Takes a page for a fault (alloc_hugetlb_folio).</summary>
    /// <param name="promised">The page was promised to this object.</param>
    /// <param name="owner">Whose pages may move.</param>
    /// <returns>The page, or -1.</returns>
    public int Take(bool promised, IFrameOwner owner)
    {
        bool grows = !promised && Free == Reserved;
        if ((grows && (Surplus >= Overcommit || Growable() == 0))
            || _plan.Strikes(AllocationKind.Huge))
        {
            return -1;
        }

        if (grows)
        {
            AddPage(owner);
            _surplus.Value++;
        }

        Debug.Assert(Free > 0, "a promised page is always there");
        _reserved.Value -= promised ? 1u : 0u;
        _free.Value--;
        int page = _freePages.First();
        _freePages.Remove(page);
        return page;
    }

    /// <summary>Takes a page back from an object (free_huge_folio).</summary>
    public void Give(int page)
    {
        if (Surplus > 0)
        {
            _surplus.Value--;
            _total.Value--;
            _frames.GiveRun(page);
            return;
        }

        _freePages.Add(page);
        _free.Value++;
    }

    /// <summary>Sets nr_hugepages (set_max_huge_pages).</summary>
    public void Resize(ulong pages, IFrameOwner owner)
    {
        _surplus.Value -= pages > Persistent ? Math.Min(Surplus, pages - Persistent) : 0;
        while (pages > Persistent && Growable() > 0 && !_plan.Strikes(AllocationKind.Huge))
        {
            AddPage(owner);
        }

        ulong freeSurplus = Free > Persistent ? Math.Min(Free, Surplus) : 0;
        ulong least = Math.Max(pages, Reserved + Persistent - (Free - freeSurplus));
        while (Persistent > least && Free > 0)
        {
            RemoveFreePage();
        }

        _surplus.Value += Persistent > pages ? Persistent - pages : 0;
    }

    private ulong Growable() => _frames.Free / (ulong)_frames.RunLength;

    private void AddPage(IFrameOwner owner)
    {
        int page = _frames.TakeRun(owner);
        Debug.Assert(page >= 0, "the caller has counted the frames");
        _freePages.Add(page);
        _total.Value++;
        _free.Value++;
    }

    /// <summary>The highest page goes, so that the pool stays low in memory.</summary>
    private void RemoveFreePage()
    {
        int page = _freePages.Last();
        _freePages.Remove(page);
        _frames.GiveRun(page);
        _total.Value--;
        _free.Value--;
    }
}
