using ShmCheck.Bench.Reporting;

namespace ShmCheck.Bench.Allocators;

/// <summary>Whole runs left after single frames have come and gone: row A7.</summary>
internal sealed class FragmentationBench(BenchOptions options)
{
    private const int Frames = 1 << 18;
    private const int RunLength = 512;
    private const double Goal = 0.98;

    public void Run(TextWriter output, string next)
    {
        var table = new Table("row", "allocator", "after 4N pairs", "after 16N pairs", "goal");
        Row(table, "A7", "lowest first", LowestFirst.Plain(Frames), Goal);
        Row(table, "", "cached word", new CachedWord(Frames), null);
        Row(table, "", "C next fit", new Twin(next, Frames), null);
        if (options.Opponent is { } opponent)
        {
            Row(table, "", Path.GetFileName(opponent), new Twin(opponent, Frames), null);
        }

        output.WriteLine("Runs of 512 of 2^18 frames whole after churn at 50 %, of those that the"
            + " free frames could make:\n");
        output.WriteLine(table);
    }

    private static void Row(
        Table table, string row, string name, IBatchAllocator allocator, double? goal)
    {
        using (allocator)
        {
            var random = new Random(20261129);
            int[] held = new int[Frames * 9 / 10];
            allocator.Take(held);
            random.Shuffle(held);
            allocator.Give(held.AsSpan(Frames / 2));
            held = held[..(Frames / 2)];
            Churn(allocator, held, 4 * Frames, random);
            double early = Whole(held);
            Churn(allocator, held, 12 * Frames, random);
            double late = Whole(held);
            table.Add(row, name, $"{early:0.0%}", $"{late:0.0%}", goal is null ? ""
                : $">= {goal:0%} {(late >= goal ? "reached" : "MISSED")}");
        }
    }

    private static void Churn(IBatchAllocator allocator, int[] held, int pairs, Random random)
    {
        for (int pair = 0; pair < pairs; pair++)
        {
            int place = random.Next(held.Length);
            allocator.Pairs([held[place]], held.AsSpan(place, 1));
        }
    }

    private static double Whole(int[] held)
    {
        int[] used = new int[Frames / RunLength];
        foreach (int frame in held)
        {
            used[frame / RunLength]++;
        }

        return used.Count(count => count == 0) / (double)((Frames - held.Length) / RunLength);
    }
}
