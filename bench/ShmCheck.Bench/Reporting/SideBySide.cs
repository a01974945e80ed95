using System.Diagnostics;

namespace ShmCheck.Bench.Reporting;

/// <summary>Two things timed by turns, so that whatever else the machine does hits both.</summary>
/// <param name="Ours">Median of our times.</param>
/// <param name="Theirs">Median of the other's times.</param>
/// <param name="Ratio">Median over the rounds of ours divided by theirs.</param>
/// <param name="Least">Smallest ratio of a round.</param>
/// <param name="Most">Largest ratio of a round.</param>
internal readonly record struct SideBySide(
    double Ours, double Theirs, double Ratio, double Least, double Most)
{
    /// <summary>Times two things in rounds.</summary>
    /// <param name="rounds">Rounds, each of which gives one ratio of medians.</param>
    /// <param name="turns">Turns within a round.</param>
    /// <param name="prepare">Called before each turn, not timed.</param>
    /// <param name="ours">One turn of ours; gives its time.</param>
    /// <param name="theirs">One turn of the other.</param>
    public static SideBySide Measure(
        int rounds, int turns, Action prepare, Func<double> ours, Func<double> theirs)
    {
        WarmUp(prepare, ours, theirs);
        double[] oursByRound = new double[rounds];
        double[] theirsByRound = new double[rounds];
        double[] oursByTurn = new double[turns];
        double[] theirsByTurn = new double[turns];
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < turns; turn++)
            {
                prepare();
                bool oursFirst = (turn & 1) == 0;
                oursByTurn[turn] = oursFirst ? ours() : 0;
                theirsByTurn[turn] = theirs();
                oursByTurn[turn] = oursFirst ? oursByTurn[turn] : ours();
            }

            oursByRound[round] = Median(oursByTurn);
            theirsByRound[round] = Median(theirsByTurn);
        }

        double[] ratios = [.. oursByRound.Zip(theirsByRound, (one, other) => one / other)];
        return new SideBySide(Median(oursByRound), Median(theirsByRound),
            Median(ratios), ratios.Min(), ratios.Max());
    }

    /// <summary>Runs ours until the compiler has seen enough, and gives it time to compile.
    /// </summary>
    private static void WarmUp(Action prepare, Func<double> ours, Func<double> theirs)
    {
        const int Turns = 40;
        prepare();
        theirs();
        for (int pause = 0; pause < 3; pause++)
        {
            for (int turn = 0; turn < Turns; turn++)
            {
                prepare();
                ours();
            }

            Thread.Sleep(200);
        }
    }

    /// <summary>Nanoseconds that an action takes for each of so many operations.</summary>
    public static double Time(int operations, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / operations;
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int half = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
