using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Oracle;

/// <summary>What is known of the clock at each event of a log. The specification's clock counts
/// events, from 1; a stamp that a call sets is the span of events in which the call took effect. A
/// stamp that was seen is in seconds since 1970, which are far larger.</summary>
internal sealed record Timeline
{
    /// <summary>Numbers of events lie below, seconds of today above.</summary>
    public const long EventLimit = 100_000_000;

    /// <summary>For a second, the first event at which it was known to have been reached.</summary>
    private ImmutableSortedDictionary<long, long> Reached { get; init; } =
        ImmutableSortedDictionary<long, long>.Empty;

    /// <summary>For a second, the last event at which it was known not to have passed.</summary>
    private ImmutableSortedDictionary<long, long> NotPassed { get; init; } =
        ImmutableSortedDictionary<long, long>.Empty;

    /// <summary>What holds if this or another holds.</summary>
    public Timeline Or(Timeline other) => ReferenceEquals(this, other) ? this : new()
    {
        Reached = Reached.Where(known => other.Reached.ContainsKey(known.Key)).Select(
            known => KeyValuePair.Create(known.Key, long.Max(
                known.Value, other.Reached[known.Key]))).ToImmutableSortedDictionary(),
        NotPassed = NotPassed.Where(known => other.NotPassed.ContainsKey(known.Key)).Select(
            known => KeyValuePair.Create(known.Key, long.Min(
                known.Value, other.NotPassed[known.Key]))).ToImmutableSortedDictionary(),
    };

    /// <summary>Whether something can have happened between two events at a second.</summary>
    public bool Admits(Stamp span, long second)
    {
        foreach ((long reached, long at) in Reached)
        {
            if (at <= span.Earliest && second < reached)
            {
                return false;
            }
        }

        foreach ((long bound, long at) in NotPassed)
        {
            if (at >= span.Latest && second > bound)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Narrows the seconds between two events.</summary>
    public (long Least, long Most) Narrow(Stamp span, long least, long most)
    {
        least = Reached.Where(known => known.Value <= span.Earliest)
            .Select(known => known.Key).Append(least).Max();
        most = NotPassed.Where(known => known.Value >= span.Latest)
            .Select(known => known.Key).Append(most).Min();
        return (least, most);
    }

    /// <summary>Something happened between two events at a second.</summary>
    public Timeline Learn(Stamp span, long second)
    {
        bool isEarlier = !Reached.TryGetValue(second, out long first) || span.Latest < first;
        bool isLater = !NotPassed.TryGetValue(second, out long last) || span.Earliest > last;
        return !isEarlier && !isLater ? this : this with
        {
            Reached = isEarlier ? Reached.SetItem(second, span.Latest) : Reached,
            NotPassed = isLater ? NotPassed.SetItem(second, span.Earliest) : NotPassed,
        };
    }
}
