using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Memory that has been promised (Committed_AS), and the overcommit rule that limits it
/// (__vm_enough_memory).</summary>
internal sealed class CommitAccount
{
    private readonly FramePool _frames;
    private readonly HugePool _pool;
    private readonly SwapSpace _swap;
    private readonly Scalar _pages;
    private readonly Scalar _mode;
    private readonly Scalar _ratio;

    public CommitAccount(
        StateStore store, MachineConfig config, FramePool frames, HugePool pool, SwapSpace swap)
    {
        _frames = frames;
        _pool = pool;
        _swap = swap;
        _pages = store.NewScalar();
        _mode = store.NewScalar();
        _ratio = store.NewScalar();
        Mode = config.Overcommit;
        Ratio = config.OvercommitRatio;
    }

    /// <summary>Pages promised.</summary>
    public ulong Pages => _pages.Value;

    public OvercommitMode Mode
    {
        get => (OvercommitMode)_mode.Value;
        set => _mode.Value = (ulong)value;
    }

    public int Ratio
    {
        get => (int)_ratio.Value;
        set => _ratio.Value = (ulong)value;
    }

    /// <summary>Promises pages if the rule of the mode allows.</summary>
    public bool TryCharge(ulong pages)
    {
        if (!Allows(pages))
        {
            return false;
        }

        _pages.Value += pages;
        return true;
    }

    public void Uncharge(ulong pages) => _pages.Value -= pages;

    /// <summary>Whether the rule allows to promise so many pages more. What is promised then must
    /// stay below the limit of mode 2, not just reach it.</summary>
    /// <param name="pages">Pages to promise.</param>
    /// <param name="returned">Pages of those promised that would be given back before.</param>
    public bool Allows(ulong pages, ulong returned = 0) => Mode switch
    {
        OvercommitMode.Always => true,
        OvercommitMode.Never => Math.Max(0, (long)(Pages - returned + pages)) < (long)Limit(),
        _ => pages <= _frames.Total + _swap.Total,
    };

    private ulong Limit() =>
        unchecked((_frames.Total - _pool.Frames) * (ulong)Ratio) / 100 + _swap.Total;
}
