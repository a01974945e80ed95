using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>The allocation of the present call that is made to fail, if any.</summary>
internal sealed class FailurePlan
{
    private AllocationKind _kind;
    private ulong _left;

    /// <summary>A call is to fail whose failure must leave nothing changed.</summary>
    public bool NeedsUndo =>
        _left != 0 && _kind is AllocationKind.Bookkeeping or AllocationKind.Id;

    /// <summary>The allocation has failed.</summary>
    public bool Struck { get; private set; }

    /// <summary>There is an allocation to fail, or it has failed.</summary>
    public bool IsArmed => _left != 0 || Struck;

    public void Arm(AllocationKind kind, int nth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nth, 1);
        _kind = kind;
        _left = (ulong)nth;
    }

    public void Disarm()
    {
        _left = 0;
        Struck = false;
    }

    /// <summary>Counts an allocation, and tells whether it is the one to fail.</summary>
    public bool Strikes(AllocationKind kind) => Strikes(kind, 1);

    /// <summary>Counts allocations that succeed or fail together.</summary>
    public bool Strikes(AllocationKind kind, ulong count)
    {
        if (_left == 0 || kind != _kind)
        {
            return false;
        }

        Struck = _left <= count;
        _left = Struck ? 0 : _left - count;
        return Struck;
    }
}
