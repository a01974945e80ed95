using ShmCheck.Bench.Reporting;

namespace ShmCheck.Bench.Allocators;

/// <summary>Aligned runs of 512 frames: row A5.</summary>
internal sealed class RunBench(BenchOptions options, string twin)
{
    private const int Frames = 1 << 24;
    private const int RunLength = 512;
    private const int Batch = 2048;
    private readonly Random _random = new(20261129);

    public void Run(TextWriter output)
    {
        var table = new Table("row", "runs of 512 at 2^24", "ours ns", "C ns", "ratio", "min-max",
            "found of those there are", "goal");
        Row(table, "fresh: nothing else in use", used: 0);
        Row(table, "clean: every other run fully used", used: RunLength);
        Row(table, "mixed: every other run half used", used: RunLength / 2);
        output.WriteLine("Pairs of one run given back and one taken, half of the whole ones held:\n");
        output.WriteLine(table);
    }

    private void Row(Table table, string name, int used)
    {
        using IRunAllocator ours = LowestFirst.Plain(Frames);
        using var theirs = new Twin(twin, Frames);
        int whole = used == 0 ? Frames / RunLength : Frames / RunLength / 2;
        Occupy(ours, used);
        Occupy(theirs, used);
        int[] held = new int[whole + 1];
        theirs.TakeRuns(held);
        theirs.GiveRuns(held.AsSpan(whole / 2, whole - (whole / 2)));
        ours.TakeRuns(held);
        int found = held.Count(run => run >= 0);
        ours.GiveRuns(held.AsSpan(whole / 2, whole - (whole / 2)));
        int[] victims = new int[Batch];
        int[] got = new int[Batch];
        SideBySide pairs = SideBySide.Measure(options.Rounds, BenchOptions.TurnsFor(Frames),
            () => DrawVictims(held.AsSpan(0, whole / 2), victims),
            () => SideBySide.Time(Batch, () => ours.PairRuns(victims, got)),
            () => SideBySide.Time(Batch, () => theirs.PairRuns(victims, got)));
        table.Add("A5", name, $"{pairs.Ours:0.00}", $"{pairs.Theirs:0.00}", $"{pairs.Ratio:0.00}",
            $"{pairs.Least:0.00}-{pairs.Most:0.00}", $"{found} of {whole}",
            AllocatorBench.Verdict(pairs.Ratio, 1.10));
    }

    /// <summary>Leaves so many frames of every other run in use, and nothing else.</summary>
    private void Occupy(IBatchAllocator allocator, int used)
    {
        if (used == 0)
        {
            return;
        }

        int[] all = new int[Frames];
        allocator.Take(all);
        int[] order = [.. Enumerable.Range(0, RunLength)];
        for (int run = 0; run < Frames / RunLength; run++)
        {
            _random.Shuffle(order);
            foreach (int place in order.AsSpan(run % 2 == 0 ? 0 : used))
            {
                allocator.Give([(run * RunLength) + place]);
            }
        }
    }

    /// <summary>Runs that are held: each is free for a moment only, and is taken again, since the
    /// lowest whole run is below none of them.</summary>
    private void DrawVictims(ReadOnlySpan<int> held, Span<int> victims)
    {
        foreach (ref int victim in victims)
        {
            victim = held[_random.Next(held.Length)];
        }
    }
}
