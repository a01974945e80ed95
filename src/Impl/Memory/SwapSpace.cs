using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The swap device: which slots are in use, and which of them still or already have
/// their page in memory (the swap cache).</summary>
internal sealed class SwapSpace
{
    private readonly FailurePlan _plan;
    private SlotMap<ColumnWords, Scalar> _slots;
    private readonly Column<int> _cachedFrames;
    private readonly Scalar _cached;
    private readonly Scalar _inUse;

    public SwapSpace(StateStore store, MachineConfig config, FailurePlan plan)
    {
        _plan = plan;
        KeepsCopies = config.SwapKind == SwapKind.Asynchronous;
        _slots = new SlotMap<ColumnWords, Scalar>(
            checked((int)config.SwapSlots), store.NewWords, store.NewScalar);
        _cachedFrames = store.NewColumn<int>();
        _cached = store.NewScalar();
        _inUse = store.NewScalar();
        _inUse.Value = config.SwapSlots == 0 ? 0u : 1u;
    }

    /// <summary>A page swapped out stays in the swap cache.</summary>
    public bool KeepsCopies { get; }

    public bool HasDevice => _slots.Capacity > 0;

    public bool InUse
    {
        get => _inUse.Value != 0;
        set => _inUse.Value = value ? 1u : 0u;
    }

    /// <summary>Slots of the device.</summary>
    public ulong Capacity => (ulong)_slots.Capacity;

    /// <summary>Slots that count as memory (SwapTotal).</summary>
    public ulong Total => InUse ? Capacity : 0;

    public ulong Used => (ulong)_slots.Used;

    /// <summary>Pages in the swap cache.</summary>
    public ulong Cached => _cached.Value;

    /// <summary>Takes a free slot, next to the last one where it can, or -1.</summary>
    public int Take()
    {
        if (!InUse || _slots.Used == _slots.Capacity || _plan.Strikes(AllocationKind.Slot))
        {
            return -1;
        }

        return _slots.Take();
    }

    public void Give(int slot)
    {
        Debug.Assert(CachedFrame(slot) < 0, "its copy is still in memory");
        _slots.Give(slot);
    }

    /// <summary>The frame that holds the page of a slot, or -1.</summary>
    public int CachedFrame(int slot) => _cachedFrames[slot] - 1;

    public void AddToCache(int slot, int frame)
    {
        Debug.Assert(CachedFrame(slot) < 0, "cached twice");
        _cached.Value++;
        _cachedFrames[slot] = frame + 1;
    }

    public void RemoveFromCache(int slot)
    {
        _cached.Value--;
        _cachedFrames[slot] = 0;
    }

    /// <summary>The page of a slot has moved to another frame.</summary>
    public void MoveCached(int slot, int frame) => _cachedFrames[slot] = frame + 1;

    public bool IsUsed(int slot) => _slots.IsUsed(slot);

    public bool IsConsistent() => _slots.IsConsistent();
}
