using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>What other programs have of the swap device of a system.</summary>
/// <param name="Slots">Slots that hold their pages.</param>
/// <param name="Cached">Pages of those in the swap cache.</param>
internal readonly record struct ForeignSlots(ulong Slots, ulong Cached)
{
    /// <summary>What they have, if the rest of the figures is right.</summary>
    /// <param name="expected">The figures of the machine, with what they had.</param>
    /// <param name="shown">The figures that are shown.</param>
    /// <param name="pageSize">Bytes of a page.</param>
    public ForeignSlots Seen(
        ReadOnlySpan<ulong> expected, ReadOnlySpan<ulong> shown, ulong pageSize) => new(
        unchecked(Slots + More(expected, shown, GlobalField.SwapUsed)),
        unchecked(Cached + (ulong)((long)More(expected, shown, GlobalField.SwapCached)
            / (long)(pageSize >> 10))));

    /// <summary>Whether they can have that: a page in the swap cache has a slot, and who has a
    /// slot has written to it (mm/swap_state.c, mm/page_io.c).</summary>
    /// <param name="written">Pages that they have written at most.</param>
    public bool IsPossible(ulong written) => Slots <= written && Cached <= Slots;

    /// <summary>A state that has these in its counters in place of others.</summary>
    public SpecState In(SpecState state, ForeignSlots others) => this == others ? state
        : state with
        {
            SlotsUsed = state.SlotsUsed + Slots - others.Slots,
            SwapCached = state.SwapCached + Cached - others.Cached,
            FramesUsed = state.FramesUsed + Cached - others.Cached,
        };

    private static ulong More(
        ReadOnlySpan<ulong> expected, ReadOnlySpan<ulong> shown, GlobalField field) =>
        unchecked(shown[(int)field] - expected[(int)field]);
}
