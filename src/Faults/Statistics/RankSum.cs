namespace ShmCheck.Faults.Statistics;

/// <summary>Wilcoxon's rank-sum test (Mann and Whitney's U): whether one sample tends to be
/// larger than another. It asks nothing of how the values are distributed, so that those beyond
/// a limit may all count as equal and larger than the rest.</summary>
public static class RankSum
{
    /// <summary>The chance that, if both samples come from one distribution, the second one is
    /// as much larger as it is or more. Exact, whatever values are equal: every way to divide the
    /// values among the samples is counted.</summary>
    /// <param name="before">The first sample.</param>
    /// <param name="now">The second one.</param>
    public static double ChanceThatLarger(
        IReadOnlyCollection<long> before, IReadOnlyCollection<long> now)
    {
        int[] ranks = DoubledRanks([.. now, .. before]);
        int observed = ranks.Take(now.Count).Sum();

        // ways[k][s]: choices of k of the values seen so far whose doubled ranks add up to s.
        double[][] ways =
            [.. Enumerable.Range(0, now.Count + 1).Select(_ => new double[ranks.Sum() + 1])];
        ways[0][0] = 1;
        foreach (int rank in ranks)
        {
            for (int chosen = now.Count; chosen > 0; chosen--)
            {
                for (int sum = ways[chosen].Length - 1; sum >= rank; sum--)
                {
                    ways[chosen][sum] += ways[chosen - 1][sum - rank];
                }
            }
        }

        return ways[^1].Skip(observed).Sum() / ways[^1].Sum();
    }

    /// <summary>Twice the rank of each value, which is whole even where equal values share the
    /// mean of their ranks.</summary>
    private static int[] DoubledRanks(long[] values) =>
        [.. values.Select(v => 1 + values.Count(o => o < v) + values.Count(o => o <= v))];
}
