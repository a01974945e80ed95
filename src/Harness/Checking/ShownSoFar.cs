using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Harness.Checking;

/// <summary>What a run has seen of a system so far, for wrong figures that depend on it: those
/// that stay as they were, and those that count calls.</summary>
internal sealed class ShownSoFar
{
    private readonly Dictionary<(string Rule, int Namespace), ulong> _counts = [];
    private readonly HashSet<Stale> _stale = [];
    private Observation _before = new();
    private Observation _now = new();
    private bool _hasLooked;

    /// <summary>A figure of a segment that has missed a change.</summary>
    private readonly record struct Stale(
        WrongFigure.Single Figure, ulong Namespace, ulong Segment);

    /// <summary>What the system shows behind the present call, put right in nothing.</summary>
    public void Look(Observation shown)
    {
        _now.CopyFrom(shown);
        _hasLooked = true;
    }

    /// <summary>The present call is over.</summary>
    /// <param name="rule">The rule that decided it, if the system made it.</param>
    /// <param name="ns">The namespace of its caller.</param>
    public void Settle(string? rule, int ns)
    {
        if (_hasLooked)
        {
            (_before, _now) = (_now, _before);
            _hasLooked = false;
        }

        if (rule is not null)
        {
            _counts[(rule, ns)] = CountOf(rule, ns) + 1;
        }
    }

    /// <summary>How many calls of a namespace a rule has decided, before the present one.
    /// </summary>
    public ulong CountOf(string rule, int ns) => _counts.GetValueOrDefault((rule, ns));

    /// <summary>Whether a wrong figure of a segment is what it was, because the rule that decides
    /// the present call did not change it, or one of an earlier call had not.</summary>
    /// <param name="figure">The figure and its rules.</param>
    /// <param name="rule">The rule that decides the present call.</param>
    /// <param name="right">The right figures of the segment.</param>
    /// <param name="seen">What is shown of the figure.</param>
    public bool Stays(
        WrongFigure.Single figure, string rule, ReadOnlySpan<ulong> right, ulong seen)
    {
        var field = Enum.Parse<SegmentField>(figure.Field);
        var stale = new Stale(
            figure, right[(int)SegmentField.Namespace], right[(int)SegmentField.shmid]);
        bool isLate = IsStamp(field)
            ? seen < right[(int)field] : seen != right[(int)field];
        if (!isLate)
        {
            _stale.Remove(stale);
            return false;
        }

        bool missesIt = ((WrongValue.Stays)figure.Value).Rules.Contains(rule);
        bool stays = (missesIt || _stale.Contains(stale)) && Before(field, stale) == seen;
        if (stays)
        {
            _stale.Add(stale);
        }

        return stays;
    }

    /// <summary>Whether a segment is known to have missed a change, so that a figure of it is
    /// what it was.</summary>
    public bool Stays(WrongFigure.Single figure, int ns, int id, ulong seen)
    {
        var stale = new Stale(figure, (ulong)ns, (ulong)id);
        return _stale.Contains(stale)
            && Before(Enum.Parse<SegmentField>(figure.Field), stale) == seen;
    }

    private static bool IsStamp(SegmentField field) =>
        field is SegmentField.atime or SegmentField.dtime or SegmentField.ctime;

    private ulong? Before(SegmentField field, Stale segment)
    {
        for (int at = 0; at < _before.Segments.Count; at++)
        {
            ReadOnlySpan<ulong> row = _before.Segments[at];
            if (row[(int)SegmentField.Namespace] == segment.Namespace
                && row[(int)SegmentField.shmid] == segment.Segment)
            {
                return row[(int)field];
            }
        }

        return null;
    }
}
