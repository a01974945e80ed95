using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>The charge of SHM_LOCK to a user's RLIMIT_MEMLOCK (mm/mlock.c:user_shm_lock).
/// </summary>
internal static class ShmLock
{
    /// <summary>Whether the task that acts may lock memory at all (mm/mlock.c:can_do_mlock).
    /// </summary>
    public static bool MayLock(Run run) =>
        run.Group.MemLock != 0 || run.Who.Has(CapabilitySet.CAP_IPC_LOCK);

    /// <summary>Charges base pages to the real user of the task that acts.</summary>
    /// <returns>False when its limit does not allow it; then nothing is charged.</returns>
    public static bool Charge(Run run, ulong pages)
    {
        Table<ulong> users = run.State.LockedByUser;
        users.TryGet((uint)run.Who.Uid, out ulong charged);
        bool isLimited = run.Group.MemLock != SetRLimit.Unlimited
            && !run.Who.Has(CapabilitySet.CAP_IPC_LOCK);
        if (isLimited && charged + pages > run.Group.MemLock / run.PageSize)
        {
            return false;
        }

        Put(run, run.Who.Uid, charged + pages);
        return true;
    }

    /// <summary>Takes the charge for a segment back, if there is one.</summary>
    public static void Uncharge(Run run, Segment segment)
    {
        if (segment.LockedBy is not { } uid)
        {
            return;
        }

        run.State.LockedByUser.TryGet((uint)uid, out ulong charged);
        Put(run, uid, charged - run.Pages(segment.Object.Length));
    }

    private static void Put(Run run, int uid, ulong pages)
    {
        Table<ulong> users = run.State.LockedByUser;
        run.State = run.State with
        {
            LockedByUser = pages == 0 ? users.Remove((uint)uid) : users.Set((uint)uid, pages),
        };
    }
}
