using ShmCheck.Bench.Reporting;

namespace ShmCheck.Bench.Allocators;

/// <summary>Aligned runs of 512 frames: row A5.</summary>
internal sealed class RunBench(BenchOptions options, string twin)
{
    private const int Frames = 1 << 24;
    private const int RunLength = 512;
    private const int Batch = 2048;
    private readonly Random _random = new(20261129);
    private readonly Table _table = new("row", "runs of 512 at 2^24", "ours ns", "other", "ns",
        "ratio", "min-max", "we find", "it finds", "goal");

    public void Run(TextWriter output)
    {
        Rows("C 64-ary tree", twin, fresh: 1.10, fragmented: 1.10);
        if (options.Opponent is { } opponent)
        {
            Rows(Path.GetFileName(opponent), opponent, fresh: 1.0 / 25, fragmented: 1.0 / 500);
        }

        output.WriteLine(
            "Pairs of one run given back and one taken, half of the whole ones held:\n");
        output.WriteLine(_table);
    }

    private void Rows(string name, string library, double fresh, double fragmented)
    {
        using (var other = new Twin(library, Frames))
        {
            if (!other.HasRuns)
            {
                return;
            }
        }

        Row(name, library, "fresh: nothing else in use", used: 0, fresh);
        Row(name, library, "clean: every other run fully used", used: RunLength, fragmented);
        Row(name, library, "mixed: every other run half used", used: RunLength / 2, fragmented);
    }

    private void Row(string name, string library, string what, int used, double goal)
    {
        using IRunAllocator ours = LowestFirst.Plain(Frames);
        using var theirs = new Twin(library, Frames);
        int whole = used == 0 ? Frames / RunLength : Frames / RunLength / 2;
        Held weHold = Hold(ours, used, whole, out int weFind);
        Held itHolds = Hold(theirs, used, whole, out int itFinds);
        string weFound = $"{weFind} of {whole}";
        string itFound = $"{itFinds} of {whole}";
        if (Measure(weHold, itHolds) is { } pairs)
        {
            _table.Add("A5", what, $"{pairs.Ours:0.00}", name, $"{pairs.Theirs:0.00}",
                $"{pairs.Ratio:0.000}", $"{pairs.Least:0.000}-{pairs.Most:0.000}", weFound, itFound,
                AllocatorBench.Verdict(pairs.Ratio, goal));
        }
        else
        {
            _table.Add("A5", what, "", name, "misses runs", "", "", weFound, itFound, "");
        }
    }

    /// <summary>Times both, unless one does not find runs that there are.</summary>
    private SideBySide? Measure(Held ours, Held theirs)
    {
        if (Math.Min(ours.Count, theirs.Count) < Batch)
        {
            return null;
        }

        try
        {
            return SideBySide.Measure(options.Rounds, BenchOptions.TurnsFor(Frames), () =>
            {
                ours.Draw(_random);
                theirs.Draw(_random);
            }, ours.Time, theirs.Time);
        }
        catch (RunMissedException)
        {
            return null;
        }
    }

    /// <summary>Leaves so many frames of every other run in use, takes all whole runs that the
    /// allocator finds, and gives the upper half back.</summary>
    private Held Hold(IRunAllocator allocator, int used, int whole, out int found)
    {
        Occupy(allocator, used);
        int[] runs = new int[whole];
        allocator.TakeRuns(runs);
        runs = [.. runs.Where(run => run >= 0)];
        found = runs.Length;
        allocator.GiveRuns(runs.AsSpan(found / 2));
        return new Held(allocator, runs[..(found / 2)]);
    }

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

    /// <summary>An allocator and the runs that are held of it.</summary>
    private sealed class Held(IRunAllocator allocator, int[] runs)
    {
        private readonly int[] _victims = new int[Batch];
        private readonly int[] _got = new int[Batch];

        public int Count => runs.Length;

        /// <summary>Draws what the next batch gives back, no run twice: they are moved to the
        /// front.</summary>
        public void Draw(Random random)
        {
            for (int place = 0; place < Batch; place++)
            {
                int other = random.Next(place, runs.Length);
                (runs[place], runs[other]) = (runs[other], runs[place]);
            }

            runs.AsSpan(0, Batch).CopyTo(_victims);
        }

        /// <summary>Gives back and takes a batch.</summary>
        /// <exception cref="RunMissedException">A run was given back, and none found.</exception>
        public double Time()
        {
            double each = SideBySide.Time(Batch, () => allocator.PairRuns(_victims, _got));
            if (_got.Contains(-1))
            {
                throw new RunMissedException();
            }

            _got.CopyTo(runs.AsSpan());
            return each;
        }
    }
    private sealed class RunMissedException : Exception;
}
