namespace ShmCheck.Faults.Statistics;

/// <summary>The sign test: whether more pairs went up than down.</summary>
public static class SignTest
{
    /// <summary>The chance that, if up is as likely as down, as many pairs went up as did or
    /// more; pairs that did neither do not count.</summary>
    /// <param name="pairs">Each before and now.</param>
    public static double ChanceThatUp(IEnumerable<(double Before, double Now)> pairs)
    {
        (double Before, double Now)[] moved = [.. pairs.Where(p => p.Before != p.Now)];
        int up = moved.Count(p => p.Now > p.Before);
        double chance = 0;
        double ways = 1;
        for (int k = moved.Length; k >= up; k--)
        {
            chance += ways;
            ways *= k / (double)(moved.Length - k + 1);
        }

        return chance / Math.Pow(2, moved.Length);
    }
}
