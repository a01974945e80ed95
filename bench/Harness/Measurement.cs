using System.Diagnostics;

namespace ShmCheck.Bench.Harness;

/// <summary>Something that is timed, again and again in turn with others.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Run">Does it once.</param>
/// <returns>How many steps it took.</returns>
internal sealed record Contender(string Name, Func<long> Run)
{
    private readonly List<double> _nanoseconds = [];
    private readonly List<double> _bytes = [];

    /// <summary>Nanoseconds for each step, median of the rounds.</summary>
    public double Nanoseconds => Median(_nanoseconds);

    /// <summary>Bytes allocated for each step by this thread, median of the rounds.</summary>
    public double Bytes => Median(_bytes);

    /// <summary>Runs contenders in turn, so that a noisy machine is noisy for all.</summary>
    public static void Race(int rounds, IReadOnlyList<Contender> contenders)
    {
        foreach (Contender contender in contenders)
        {
            contender.Run();
        }

        for (int round = 0; round < rounds; round++)
        {
            foreach (Contender contender in contenders)
            {
                contender.Time();
            }
        }
    }

    private void Time()
    {
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        long steps = Run();
        _nanoseconds.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds / steps);
        _bytes.Add((double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / steps);
    }

    private static double Median(List<double> figures)
    {
        List<double> sorted = [.. figures.Order()];
        return sorted[sorted.Count / 2];
    }
}
