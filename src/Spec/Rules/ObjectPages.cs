namespace ShmCheck.Spec;

/// <summary>Changes of the pages of an object, with the machine's counters that go with them.
/// </summary>
internal static class ObjectPages
{
    /// <summary>Gives back what a page holds when it becomes a hole: its frame and its slot, or
    /// its huge page.</summary>
    public static void Release(Run run, ObjectPage page)
    {
        if (page.State is PageState.HugeNone)
        {
            return;
        }

        run.Moved(page.State, page.State is PageState.HugeResident
            ? PageState.HugeNone : PageState.None);
        if (page.State is PageState.HugeResident)
        {
            Pool.Free(run);
            return;
        }

        SpecState state = run.State;
        run.State = state with
        {
            FramesUsed = state.FramesUsed - (page.HoldsFrame ? 1ul : 0),
            SlotsUsed = state.SlotsUsed - (page.HoldsSlot ? 1ul : 0),
            SwapCached = state.SwapCached - (page.State is PageState.SwapCached ? 1ul : 0),
        };
    }

    /// <summary>With a page set, and the object's counters with it. A page in state N has no row.
    /// </summary>
    public static MemoryObject With(MemoryObject holder, ulong index, ObjectPage page)
    {
        holder.Pages.TryGet(index, out ObjectPage old);
        return holder with
        {
            Pages = page.State is PageState.None
                ? holder.Pages.Remove(index) : holder.Pages.Set(index, page),
            Resident = holder.Resident + (page.IsResident ? 1ul : 0)
                - (old.IsResident ? 1ul : 0),
            Swapped = holder.Swapped + (page.HoldsSlot ? 1ul : 0) - (old.HoldsSlot ? 1ul : 0),
        };
    }

    /// <summary>Discharges pages that reclaim has dropped: an object that is charged page by page
    /// is set right when it allocates, frees or swaps a page (mm/shmem.c:shmem_recalc_inode).
    /// </summary>
    public static MemoryObject Recount(Run run, MemoryObject holder)
    {
        ulong held = holder.Resident + holder.Swapped;
        if (holder.IsHuge || holder.Promised || holder.Charged <= held)
        {
            return holder;
        }

        run.Fire(Faults.LateDischarge);
        Commit.Uncharge(run, holder.Charged - held);
        return holder with { Charged = held };
    }
}
