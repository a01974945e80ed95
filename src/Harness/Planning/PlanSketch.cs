using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Planning;

/// <summary>A coarse picture of a state of the specification: which books are empty, in use or
/// full, what kinds of segments, pages, mappings and users there are, without numbers. The
/// planner takes states with the same picture for the same.</summary>
internal static class PlanSketch
{
    private enum Level : ulong
    {
        None,
        One,
        Few,
        Many,
    }

    /// <summary>The picture.</summary>
    /// <param name="state">The state.</param>
    /// <param name="machine">Number of the machine: states of different machines differ.</param>
    public static ulong Of(SpecState state, int machine)
    {
        ulong sum = Scramble(OfMemory(state) ^ Scramble((ulong)machine));
        foreach (IpcNamespace ns in state.Namespaces.Rows)
        {
            sum += Scramble(Of(ns));
        }

        // A sum does not care for the order.
        foreach (Segment segment in state.Segments.Rows)
        {
            sum += Scramble(Of(segment));
        }

        foreach (KernelTask task in state.Tasks.Rows)
        {
            sum += Scramble(Of(state, task));
        }

        return sum;
    }

    private static ulong OfMemory(SpecState state) =>
        (ulong)LevelOf(state.FreeFrames)
        | (ulong)LevelOf(state.SlotsUsed) << 2
        | (ulong)LevelOf(state.SwapCached) << 4
        | (ulong)LevelOf(state.Pool.Free) << 6
        | (ulong)LevelOf(state.Pool.Reserved) << 8
        | (ulong)LevelOf(state.Pool.Surplus) << 10
        | Bit(12, state.FreeFrames >= state.Config.PagesPerHugePage)
        | Bit(13, state.SlotsUsed > state.FreeFrames)
        | Bit(14, state.SlotsUsed >= state.SwapTotal)
        | Bit(15, state.SwapInUse)
        | Bit(16, state.Committed >= state.CommitLimit)
        | (ulong)state.Overcommit << 17
        | (ulong)Math.Min(state.LockedByUser.Count, 3) << 20;

    private static ulong Of(IpcNamespace ns) =>
        Bit(0, ns.InUse >= ns.ShmMni) | Bit(1, ns.Total >= ns.ShmAll)
        | Bit(2, ns.NextId >= 0) | Bit(3, ns.RmidForced) | Bit(4, ns.Sequence > 0)
        | Bit(5, ns.NextId >= ShmId.IndexLimit - 1) | Bit(6, ns.ShmMax == ulong.MaxValue)
        | Bit(7, ns.ShmAll == ulong.MaxValue) | (ulong)(ns.Cursor / 16) << 8;

    private static ulong Of(Segment segment)
    {
        MemoryObject holder = segment.Object;
        ulong flags = Bit(0, holder.IsHuge) | Bit(1, segment.Destroyed)
            | Bit(2, segment.IsLocked) | Bit(3, holder.Promised) | Bit(4, segment.Key != 0)
            | Bit(5, segment.Creator == 0) | Bit(6, segment.Uid != 0)
            | Bit(7, segment.Id.Index == ShmId.IndexLimit - 1);
        ulong pages = 0;
        foreach ((_, ObjectPage page) in holder.Pages.All)
        {
            pages |= 1ul << ((int)page.State * 3 + Math.Min(page.Mappers, 2));
        }

        return flags | (ulong)LevelOf(segment.Attaches) << 8
            | (ulong)LevelOf(holder.PageCount) << 10 | pages << 12;
    }

    private static ulong Of(SpecState state, KernelTask task)
    {
        AddressSpace space = state.Spaces[task.Space];
        ThreadGroup group = state.Groups[(ulong)task.Tgid];
        Credentials who = task.Credentials;
        ulong mappings = 0;
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            mappings += Scramble((ulong)mapping.Flags << 2 | Bit(0, mapping.IsHuge)
                | Bit(1, mapping.Segment is null));
        }

        return Scramble(mappings) ^ (Bit(0, who.Euid != 0) | (ulong)who.Effective << 1
            | (ulong)LevelOf(group.MemLock / state.Config.PageSize) << 50
            | (ulong)Math.Min(task.Namespace, 3) << 52
            | Bit(60, space.LockFuture)
            | Bit(61, group.AddressSpaceLimit != SetRLimit.Unlimited)
            | Bit(62, task.WaitsFor != 0)
            | Bit(63, space.TotalPages > state.Config.TotalPages));
    }

    private static ulong Bit(int position, bool set) => set ? 1ul << position : 0;

    private static Level LevelOf(ulong figure) => figure switch
    {
        0 => Level.None,
        1 => Level.One,
        < 6 => Level.Few,
        _ => Level.Many,
    };

    private static ulong Scramble(ulong value)
    {
        value = (value + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
        return value ^ (value >> 29);
    }
}
