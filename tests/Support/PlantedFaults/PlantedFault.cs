using ShmCheck.Abi;

namespace ShmCheck.PlantedFaults;

/// <summary>A call that was executed honestly.</summary>
/// <param name="Call">The call.</param>
/// <param name="Bindings">What its handles stand for.</param>
/// <param name="Reply">The right reply.</param>
/// <param name="Before">The right figures before it.</param>
/// <param name="After">The right figures after it.</param>
public sealed record FaultyStep(
    Call Call, Bindings Bindings, Reply Reply, Observation Before, Observation After);

/// <summary>A fault of one machine. It remembers what it must between calls.</summary>
/// <param name="key">The fault concerns segments with this key only, so that it hides from
/// sequences that do not ask for it; every segment when there is none.</param>
public abstract class PlantedFault(int? key)
{
    private readonly HashSet<int> _marked = [];

    /// <summary>A wrong reply.</summary>
    /// <returns>The reply; none where it is the right one.</returns>
    public virtual Reply? Answer(FaultyStep step) => null;

    /// <summary>Makes figures wrong.</summary>
    public virtual void Distort(Observation observation)
    {
    }

    /// <summary>Whether the fault concerns a segment.</summary>
    protected bool Concerns(int id) => _marked.Contains(id);

    /// <summary>The segment of a call that names one which the fault concerns.</summary>
    protected int? ConcernedBy(SegmentCall call, Bindings bindings) =>
        bindings.TryResolve(call.Segment, out int id) && Concerns(id) ? id : null;

    /// <summary>A figure of a segment.</summary>
    /// <returns>None when there is no such segment.</returns>
    protected static ulong? Figure(Observation observation, int id, SegmentField field)
    {
        ObservationRows<SegmentField> rows = observation.Segments;
        for (int row = 0; row < rows.Count; row++)
        {
            if ((int)rows[row][(int)SegmentField.shmid] == id)
            {
                return rows[row][(int)field];
            }
        }

        return null;
    }

    /// <summary>Takes note of a new segment that the fault concerns.</summary>
    internal void Mark(FaultyStep step)
    {
        if (step is { Call: ShmGet get, Reply: Reply.Value value }
            && (key is null || get.Key.Value == key))
        {
            _marked.Add((int)value.Result);
        }
    }
}
