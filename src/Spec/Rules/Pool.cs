using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>The pool of huge pages: reservations, surplus, faults, and its size.</summary>
internal static class Pool
{
    public static readonly RuleFamily Family = new("pool");

    private static readonly Rule Promise = Family.Effect(
        "pool.reserve",
        "Reserving n huge pages: HugePages_Rsvd + n, out of free pages that are not reserved.",
        "mm/hugetlb.c:hugetlb_reserve_pages, hugetlb_acct_memory");

    private static readonly Rule PromiseSurplus = Family.Effect(
        "pool.reserve-surplus",
        "Where free pages do not suffice for a reservation, the pool grows by surplus pages: all "
            + "that are missing or none, up to nr_overcommit_hugepages and the free memory.",
        "mm/hugetlb.c:gather_surplus_pages");

    private static readonly Rule GiveBack = Family.Effect(
        "pool.unreserve",
        "Giving n reservations back: HugePages_Rsvd - n; then up to n free surplus pages leave "
            + "the pool.",
        "mm/hugetlb.c:return_unused_surplus_pages");

    private static readonly Rule Freed = Family.Effect(
        "pool.free",
        "A huge page that is freed leaves the pool if there are surplus pages, else it becomes "
            + "free.",
        "mm/hugetlb.c:free_huge_folio");

    private static readonly Rule TakePromised = Family.Effect(
        "pool.take-reserved",
        "A fault on a page with a reservation: HugePages_Free - 1, HugePages_Rsvd - 1.",
        "mm/hugetlb.c:alloc_hugetlb_folio");

    private static readonly Rule TakeFree = Family.Effect(
        "pool.take",
        "A fault on a page without a reservation takes a free page that is not reserved.",
        "mm/hugetlb.c:alloc_hugetlb_folio");

    private static readonly Rule TakeSurplus = Family.Effect(
        "pool.take-surplus",
        "A fault without a reservation, and without an unreserved free page, takes a surplus "
            + "page: fewer than nr_overcommit_hugepages exist, and memory for it is free.",
        "mm/hugetlb.c:alloc_buddy_hugetlb_folio_with_mpol");

    private static readonly Rule Empty = Family.Fault(
        "pool.sigbus.empty",
        "A fault that finds neither a reservation, nor an unreserved free page, nor a surplus "
            + "page raises SIGBUS.",
        "mm/hugetlb.c:hugetlb_no_page");

    private static readonly Rule Absorb = Family.Effect(
        "pool.absorb-surplus",
        "Raising nr_hugepages first makes surplus pages persistent.",
        "mm/hugetlb.c:set_max_huge_pages");

    private static readonly Rule Grow = Family.Effect(
        "pool.grow",
        "Raising nr_hugepages then adds free pages as long as there is memory.",
        "mm/hugetlb.c:set_max_huge_pages");

    private static readonly Rule Shrink = Family.Effect(
        "pool.shrink",
        "Lowering nr_hugepages frees free pages that are not reserved; what still exceeds it "
            + "becomes surplus, also beyond nr_overcommit_hugepages.",
        "mm/hugetlb.c:set_max_huge_pages");

    /// <summary>Reserves huge pages of an object's size.</summary>
    /// <returns>False when there are too few; then nothing has changed.</returns>
    public static bool Reserve(Run run, ulong pageSize, ulong count, out bool injected)
    {
        injected = false;
        SpecState state = run.State;
        if (pageSize != state.Config.HugePageSize)
        {
            return count == 0;
        }

        HugePool pool = state.Pool;
        ulong reservable = pool.Free - pool.Reserved;
        ulong missing = count > reservable ? count - reservable : 0;
        ulong surplusRoom = state.NrOvercommitHugePages > pool.Surplus
            ? state.NrOvercommitHugePages - pool.Surplus : 0;
        if (missing > surplusRoom)
        {
            return false;
        }

        ulong found = Found(run, missing, out injected);
        if (found < missing)
        {
            return false;
        }

        run.Fire(missing > 0 ? PromiseSurplus : Promise);
        run.State = state with
        {
            Pool = new(pool.Total + missing, pool.Free + missing, pool.Reserved + count,
                pool.Surplus + missing),
        };
        return true;
    }

    /// <summary>Gives reservations back.</summary>
    public static void Unreserve(Run run, ulong count)
    {
        if (count == 0)
        {
            return;
        }

        HugePool pool = run.State.Pool;
        ulong leave = ulong.Min(ulong.Min(count, pool.Surplus), pool.Free);
        run.Fire(GiveBack);
        run.State = run.State with
        {
            Pool = new(pool.Total - leave, pool.Free - leave, pool.Reserved - count,
                pool.Surplus - leave),
        };
    }

    /// <summary>Frees a huge page that held a page of an object.</summary>
    public static void Free(Run run)
    {
        HugePool pool = run.State.Pool;
        run.Fire(Freed);
        run.State = run.State with
        {
            Pool = pool.Surplus > 0
                ? pool with { Total = pool.Total - 1, Surplus = pool.Surplus - 1 }
                : pool with { Free = pool.Free + 1 },
        };
    }

    /// <summary>Takes a huge page for a page of an object.</summary>
    /// <returns>The rule by which there is none; then nothing has changed.</returns>
    public static Rule? Take(Run run, ulong pageSize, bool promised)
    {
        SpecState state = run.State;
        HugePool pool = state.Pool;
        if (pageSize != state.Config.HugePageSize)
        {
            return Empty;
        }

        bool isFree = promised || pool.Free > pool.Reserved;
        bool isSurplus = !isFree && pool.Surplus < state.NrOvercommitHugePages
            && state.FreeFrames >= state.Config.PagesPerHugePage;
        if (!isFree && !isSurplus)
        {
            return Empty;
        }

        if (run.IsInjected(AllocationKind.Huge))
        {
            return Machine.FailHuge;
        }

        run.Fire(promised ? TakePromised : isFree ? TakeFree : TakeSurplus);
        run.State = state with
        {
            Pool = isSurplus
                ? pool with { Total = pool.Total + 1, Surplus = pool.Surplus + 1 }
                : pool with
                {
                    Free = pool.Free - 1,
                    Reserved = pool.Reserved - (promised ? 1ul : 0),
                },
        };
        return null;
    }

    /// <summary>Sets nr_hugepages.</summary>
    public static void Resize(Run run, ulong wanted)
    {
        HugePool pool = run.State.Pool;
        if (wanted > pool.Persistent && pool.Surplus > 0)
        {
            run.Fire(Absorb);
            ulong absorbed = ulong.Min(pool.Surplus, wanted - pool.Persistent);
            pool = pool with { Surplus = pool.Surplus - absorbed };
        }

        ulong missing = wanted > pool.Persistent ? wanted - pool.Persistent : 0;
        ulong grown = Found(run, missing, out _);
        if (missing > 0)
        {
            run.Fire(Grow);
            pool = pool with { Total = pool.Total + grown, Free = pool.Free + grown };
        }
        else if (wanted < pool.Persistent)
        {
            run.Fire(Shrink);
            ulong freed = ulong.Min(pool.Free - pool.Reserved, pool.Persistent - wanted);
            ulong total = pool.Total - freed;
            pool = new(total, pool.Free - freed, pool.Reserved, total - wanted);
        }

        run.State = run.State with { Pool = pool };
    }

    /// <summary>Huge pages that free memory yields when so many are wanted.</summary>
    private static ulong Found(Run run, ulong wanted, out bool injected)
    {
        ulong room = run.State.FreeFrames / run.State.Config.PagesPerHugePage;
        ulong limit = ulong.Min(wanted, room);
        injected = false;
        for (ulong found = 0; found < limit; found++)
        {
            if (run.IsInjected(AllocationKind.Huge))
            {
                run.Fire(Machine.FailHuge);
                injected = true;
                return found;
            }
        }

        return limit;
    }
}
