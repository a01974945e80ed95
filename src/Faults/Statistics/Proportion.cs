namespace ShmCheck.Faults.Statistics;

/// <summary>How often something happened, with what that says about how often it does.</summary>
/// <param name="Hits">Times that it happened.</param>
/// <param name="Trials">Times that it could have; at least 1.</param>
public readonly record struct Proportion(int Hits, int Trials)
{
    /// <summary>Standard deviations to each side that hold 95 % of a normal distribution.
    /// </summary>
    private const double Width = 1.959964;

    /// <summary>The 95 % confidence interval of Wilson's score, which stays within 0 and 1 and
    /// is not empty when all trials were hits.</summary>
    public (double Low, double High) Interval()
    {
        double trials = Trials;
        double share = Hits / trials;
        double square = Width * Width;
        double middle = (share + square / (2 * trials)) / (1 + square / trials);
        double half = Width / (1 + square / trials) * Math.Sqrt(
            (share * (1 - share) / trials) + (square / (4 * trials * trials)));
        return (Math.Max(0, middle - half), Math.Min(1, middle + half));
    }
}
