using ShmCheck.Abi;

namespace ShmCheck.PlantedFaults;

/// <summary>fork copies attaches without counting them in <c>nattch</c>.</summary>
public sealed class ForkForgetsAttaches(int? key = null) : PlantedFault(key)
{
    private readonly Dictionary<int, ulong> _forgotten = [];

    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        ObservationRows<SegmentField> rows = step.After.Segments;
        for (int row = 0; step.Call is Fork && row < rows.Count; row++)
        {
            int id = (int)rows[row][(int)SegmentField.shmid];
            ulong before = Figure(step.Before, id, SegmentField.nattch) ?? 0;
            ulong copied = rows[row][(int)SegmentField.nattch] - before;
            if (Concerns(id) && copied > 0)
            {
                _forgotten[id] = _forgotten.GetValueOrDefault(id) + copied;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public override void Distort(Observation observation)
    {
        for (int row = 0; row < observation.Segments.Count; row++)
        {
            Span<ulong> cells = observation.Segments[row];
            cells[(int)SegmentField.nattch] -=
                _forgotten.GetValueOrDefault((int)cells[(int)SegmentField.shmid]);
        }
    }
}

/// <summary>A page that is read back from swap keeps its slot.</summary>
public sealed class ReadingBackKeepsTheSlot(int? key = null) : PlantedFault(key)
{
    private ulong _leaked;

    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        ObservationRows<SegmentField> rows = step.After.Segments;
        for (int row = 0; step.Call is Load && row < rows.Count; row++)
        {
            int id = (int)rows[row][(int)SegmentField.shmid];
            ulong before = Figure(step.Before, id, SegmentField.swp) ?? 0;
            _leaked += Concerns(id) ? before - rows[row][(int)SegmentField.swp] : 0;
        }

        return null;
    }

    /// <inheritdoc/>
    public override void Distort(Observation observation) =>
        observation.Global[0][(int)GlobalField.SwapUsed] += _leaked;
}

/// <summary>A huge page that was promised to a segment stays promised when the segment goes.
/// </summary>
public sealed class RemovalKeepsReservation(int? key = null) : PlantedFault(key)
{
    private ulong _leaked;

    /// <inheritdoc/>
    public override Reply? Answer(FaultyStep step)
    {
        ulong before = step.Before.Global[0][(int)GlobalField.HugePages_Rsvd];
        ulong after = step.After.Global[0][(int)GlobalField.HugePages_Rsvd];
        if (step is { Call: ShmCtlRmid call, Reply: Reply.Value } && after < before
            && ConcernedBy(call, step.Bindings) is not null)
        {
            _leaked += before - after;
        }

        return null;
    }

    /// <inheritdoc/>
    public override void Distort(Observation observation) =>
        observation.Global[0][(int)GlobalField.HugePages_Rsvd] += _leaked;
}

/// <summary>The proportional share of a page that several map is the whole page.</summary>
public sealed class SharersPayInFull(int? key = null) : PlantedFault(key)
{
    /// <inheritdoc/>
    public override void Distort(Observation observation)
    {
        for (int row = 0; row < observation.Mappings.Count; row++)
        {
            Span<ulong> cells = observation.Mappings[row];
            if (Concerns((int)cells[(int)MappingField.shmid]))
            {
                cells[(int)MappingField.Pss] = cells[(int)MappingField.Rss];
            }
        }
    }
}

/// <summary>A figure of the page frames of a mapping is one too high where there are any.
/// </summary>
/// <param name="field">Which.</param>
public sealed class FramesAreMiscounted(FrameField field) : PlantedFault(null)
{
    /// <inheritdoc/>
    public override void Distort(Observation observation)
    {
        for (int row = 0; row < observation.Frames.Count; row++)
        {
            Span<ulong> cells = observation.Frames[row];
            cells[(int)field] += cells[(int)FrameField.Present] > 0 ? 1ul : 0;
        }
    }
}
