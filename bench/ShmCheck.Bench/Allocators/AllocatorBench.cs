using ShmCheck.Bench.Reporting;

namespace ShmCheck.Bench.Allocators;

/// <summary>The allocators beside their C twins: rows A1 to A7.</summary>
internal sealed class AllocatorBench(BenchOptions options)
{
    private const int RunLength = 512;
    private const double Parity = 1.10;
    private static readonly int[] Sizes = [1 << 18, 1 << 24, 1 << 28];
    private static readonly double[] Occupancies = [0.9999, 0.99, 0.9, 0.5];
    private readonly Table _pairs = new(
        "row", "allocator", "frames", "in use", "ours ns", "other", "ns", "ratio", "min-max",
        "goal");

    private IEnumerable<int> SizesToRun => Sizes.Where(size => size <= options.LargestMap);

    public void Run(TextWriter output)
    {
        string lowest = Twin.Build("lowest");
        string cached = Twin.Build("cached");
        string shared = Twin.Build("shared");
        string next = Twin.Build("next");
        foreach (int frames in SizesToRun)
        {
            Pairs("A1", "cached word", new CachedWord(frames), "C cached word", cached, frames,
                Parity);
            Pairs("A3", "cached word, shared", new SharedWord(frames), "C atomic", shared, frames,
                Parity);
            double[] ours = Pairs("A4", "lowest first", LowestFirst.Plain(frames), "C 64-ary tree",
                lowest, frames, Parity);
            Flatness(frames, ours);
            Pairs("", "lowest first, with journal", LowestFirst.Journaled(frames), "C 64-ary tree",
                lowest, frames, null);
            Pairs("", "lowest first", LowestFirst.Plain(frames), "C next fit", next, frames, null);
            if (options.Opponent is { } opponent)
            {
                Pairs("A2", "cached word", new CachedWord(frames), Path.GetFileName(opponent),
                    opponent, frames, frames switch
                    {
                        1 << 18 => null, 1 << 24 => 1.0 / 20, _ => 1.0 / 10,
                    });
                Pairs("A3", "cached word, shared", new SharedWord(frames),
                    Path.GetFileName(opponent), opponent, frames, 1.0 / 8);
            }
        }

        output.WriteLine("Pairs of one frame given back and one taken, ns:\n");
        output.WriteLine(_pairs);
        new RunBench(options, lowest).Run(output);
        Books(output, lowest, cached, shared, next);
        new FragmentationBench(options).Run(output, next);
    }

    private double[] Pairs(string row, string name, IBatchAllocator ours, string otherName,
        string other, int frames, double? goal)
    {
        using var occupied = new Occupied(ours, new Twin(other, frames), frames);
        double[] nanoseconds = new double[Occupancies.Length];
        for (int i = 0; i < Occupancies.Length; i++)
        {
            occupied.FreeDownTo((int)(frames * Occupancies[i]));
            SideBySide pairs = occupied.MeasurePairs(options.Rounds, BenchOptions.TurnsFor(frames));
            nanoseconds[i] = pairs.Ours;
            _pairs.Add(row, name, Frames(frames), $"{Occupancies[i]:0.##%}", $"{pairs.Ours:0.00}",
                otherName, $"{pairs.Theirs:0.00}", $"{pairs.Ratio:0.00}",
                $"{pairs.Least:0.00}-{pairs.Most:0.00}", Verdict(pairs.Ratio, goal));
        }

        return nanoseconds;
    }

    /// <summary>Cost nearly full beside cost half full.</summary>
    private void Flatness(int frames, double[] ours)
    {
        double ratio = ours[0] / ours[^1];
        _pairs.Add("A4", "lowest first", Frames(frames), "99.99%", $"{ours[0]:0.00}", "itself, 50%",
            $"{ours[^1]:0.00}", $"{ratio:0.00}", "",
            Verdict(ratio, frames > 1 << 24 ? null : 1.15));
    }

    private void Books(TextWriter output, params string[] twins)
    {
        var table = new Table("row", "allocator", "frames", "bits per frame", "goal");
        foreach (int frames in SizesToRun)
        {
            Book(table, "lowest first", frames, LowestFirst.Plain(frames), 1.04);
            Book(table, "cached word", frames, new CachedWord(frames), 1.04);
            Book(table, "cached word, shared", frames, new SharedWord(frames), 1.04);
            foreach (string twin in twins)
            {
                string name = $"C {Path.GetFileNameWithoutExtension(twin)}";
                Book(table, name, frames, new Twin(twin, frames), null);
            }
        }

        output.WriteLine("Books:\n");
        output.WriteLine(table);
    }

    private static void Book(
        Table table, string name, int frames, IBatchAllocator allocator, double? goal)
    {
        using (allocator)
        {
            double bits = allocator.Bytes * 8.0 / frames;
            table.Add(goal is null ? "" : "A6", name, Frames(frames), $"{bits:0.000}",
                Verdict(bits, goal));
        }
    }

    public static string Frames(int frames) => $"2^{int.Log2(frames)}";

    /// <summary>A goal that is a bound from above.</summary>
    public static string Verdict(double value, double? most) =>
        most is not { } goal ? "" : $"<= {goal:0.00#} {(value <= goal ? "reached" : "MISSED")}";
}
