using ShmCheck.Abi;

namespace ShmCheck.PlantedFaults;

/// <summary>shmget of no bytes fails with ENOSPC instead of EINVAL.</summary>
public sealed class NothingIsTooMuch(int? key = null) : PlantedFault(key)
{
    private readonly int? _key = key;

    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step) =>
        step is { Call: ShmGet { Size: 0 } get, Reply: Reply.Error { Errno: Errno.EINVAL } }
        && (_key is null || get.Key.Value == _key) ? Reply.Of(Errno.ENOSPC) : null;
}

/// <summary>IPC_STAT of a segment that is attached says that nobody attaches it, and that nobody
/// ever has.</summary>
public sealed class StatSeesNoAttach(int? key = null) : PlantedFault(key)
{
    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step) =>
        step is { Call: ShmCtlStat call, Reply: Reply.Value { Data: SegmentStat stat } value }
        && ConcernedBy(call, step.Bindings) is not null && stat.Attaches > 0
            ? value with { Data = stat with { Attaches = 0, AttachTime = Stamp.Never } } : null;
}

/// <summary>A segment that was removed cannot be detached.</summary>
public sealed class RemovedCannotBeDetached(int? key = null) : PlantedFault(key)
{
    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        if (step is not { Call: ShmDt, Reply: Reply.Value })
        {
            return null;
        }

        ObservationRows<SegmentField> rows = step.Before.Segments;
        for (int row = 0; row < rows.Count; row++)
        {
            int id = (int)rows[row][(int)SegmentField.shmid];
            ulong? left = Figure(step.After, id, SegmentField.nattch);
            bool removed = (rows[row][(int)SegmentField.mode] & SegmentMode.SHM_DEST) != 0;
            if (Concerns(id) && removed && left != rows[row][(int)SegmentField.nattch])
            {
                return Reply.Of(Errno.EINVAL);
            }
        }

        return null;
    }
}

/// <summary>The third attach of a segment brings the system down.</summary>
public sealed class ThirdAttachThrows(int? key = null) : PlantedFault(key)
{
    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step) =>
        step is { Call: ShmAt call, Reply: Reply.Value }
        && ConcernedBy(call, step.Bindings) is { } id
        && Figure(step.After, id, SegmentField.nattch) == 3
            ? throw new InvalidOperationException("the table of attaches is full") : null;
}

/// <summary>The third attach of a segment does not come back until it is let go.</summary>
public sealed class ThirdAttachHangs(CancellationToken letGo) : PlantedFault(null)
{
    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        bool hangs = step is { Call: ShmAt call, Reply: Reply.Value }
            && ConcernedBy(call, step.Bindings) is { } id
            && Figure(step.After, id, SegmentField.nattch) == 3;
        while (hangs && !letGo.IsCancellationRequested)
        {
            Thread.SpinWait(1000);
        }

        return null;
    }
}

/// <summary>A loop of the third attach of a segment has a bound, and comes to it.</summary>
public sealed class ThirdAttachLoops() : PlantedFault(null)
{
    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step) =>
        step is { Call: ShmAt call, Reply: Reply.Value }
        && ConcernedBy(call, step.Bindings) is { } id
        && Figure(step.After, id, SegmentField.nattch) == 3
            ? throw new EndlessLoopException() : null;
}

/// <summary>A segment whose owner was never set by IPC_SET cannot be attached.</summary>
public sealed class OwnerMustBeSet(int? key = null) : PlantedFault(key)
{
    private readonly HashSet<int> _set = [];

    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        if (step is { Call: ShmCtlSet set, Reply: Reply.Value }
            && ConcernedBy(set, step.Bindings) is { } owned)
        {
            _set.Add(owned);
        }

        return step is { Call: ShmAt call, Reply: Reply.Value }
            && ConcernedBy(call, step.Bindings) is { } id && !_set.Contains(id)
                ? Reply.Of(Errno.EACCES) : null;
    }
}

/// <summary>shmget fails with ENOMEM where it would leave no huge page that is not promised.
/// </summary>
public sealed class LastHugePageIsRefused() : PlantedFault(null)
{
    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step) =>
        step is { Call: ShmGet { Flags.HugeTlb: true }, Reply: Reply.Value }
        && step.After.Global[0][(int)GlobalField.HugePages_Rsvd]
            == step.After.Global[0][(int)GlobalField.HugePages_Total]
            ? Reply.Of(Errno.ENOMEM) : null;
}

/// <summary>SHM_LOCK of a segment that the limit has room for succeeds whatever else the user has
/// locked.</summary>
public sealed class LocksAreNotAddedUp() : PlantedFault(null)
{
    private ulong _limit;

    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        if (step is { Call: SetRLimit set, Reply: Reply.Value })
        {
            _limit = set.Limit;
        }

        return step is { Call: ShmCtlLock call, Reply: Reply.Error { Errno: Errno.ENOMEM } }
            && ConcernedBy(call, step.Bindings) is { } id
            && Figure(step.After, id, SegmentField.segsz) <= _limit ? Reply.Of(0) : null;
    }
}
