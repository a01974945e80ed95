using System.Collections.Immutable;

namespace ShmCheck.Faults.Statistics;

/// <summary>The steps in which faults were caught under the same seeds, before and now.</summary>
/// <param name="Fault">Id of the fault.</param>
/// <param name="Before">Steps under each seed as recorded; <see cref="long.MaxValue"/> where it
/// was not caught.</param>
/// <param name="Now">Those of the present hunt.</param>
public sealed record StepsOfFault(
    string Fault, ImmutableArray<long> Before, ImmutableArray<long> Now);

/// <summary>Whether a hunt takes more steps than the recorded one: for each fault by itself, and
/// for all of them together, which notices what is too little to show in any one.</summary>
public sealed class HuntComparison
{
    /// <summary>Chance of a false alarm, of all faults of a hunt together.</summary>
    private const double FalseAlarm = 0.01;

    private HuntComparison(ImmutableHashSet<string> slower, double chanceOfAll)
    {
        Slower = slower;
        ChanceOfAll = chanceOfAll;
    }

    /// <summary>Faults that take significantly more steps now.</summary>
    public ImmutableHashSet<string> Slower { get; }

    /// <summary>The chance that so many medians, or more, of all faults have gone up if the hunt
    /// is as good as it was.</summary>
    public double ChanceOfAll { get; }

    /// <summary>Whether the faults together take significantly more steps.</summary>
    public bool AllAreSlower => ChanceOfAll < FalseAlarm;

    /// <summary>Compares.</summary>
    public static HuntComparison Of(IReadOnlyCollection<StepsOfFault> faults)
    {
        // Holm: the smallest chance is held against the limit divided by the number of faults,
        // the next one against that divided by one less, until one of them is too large.
        (string Fault, double Chance)[] chances =
        [
            .. faults.Select(f => (f.Fault, RankSum.ChanceThatLarger(f.Before, f.Now)))
                .OrderBy(f => f.Item2),
        ];
        int slower = 0;
        while (slower < chances.Length
            && chances[slower].Chance < FalseAlarm / (chances.Length - slower))
        {
            slower++;
        }

        return new HuntComparison(
            [.. chances.Take(slower).Select(f => f.Fault)],
            SignTest.ChanceThatUp(faults.Select(f => (Median(f.Before), Median(f.Now)))));
    }

    private static double Median(ImmutableArray<long> values)
    {
        ImmutableArray<long> sorted = values.Sort();
        return ((double)sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
