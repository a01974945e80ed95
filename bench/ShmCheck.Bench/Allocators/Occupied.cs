using ShmCheck.Bench.Reporting;

namespace ShmCheck.Bench.Allocators;

/// <summary>Two allocators filled in the same way: all frames taken, then frames drawn at random
/// given back. Each keeps its own list of what it holds, for their policies may differ.</summary>
internal sealed class Occupied : IDisposable
{
    /// <summary>Operations of a batch: enough for a clock, few beside the frames.</summary>
    public const int Batch = 4096;

    private readonly Side _ours;
    private readonly Side _theirs;
    private readonly Random _random = new(20261129);
    private int _held;

    public Occupied(IBatchAllocator ours, IBatchAllocator theirs, int frames)
    {
        _ours = new Side(ours, frames);
        _theirs = new Side(theirs, frames);
        _held = frames;
    }

    /// <summary>Gives back frames drawn at random until so many are held.</summary>
    public void FreeDownTo(int held)
    {
        int kept = 0;
        int left = held;
        for (int place = 0; place < _held; place++)
        {
            if (_random.Next(_held - place) < left)
            {
                left--;
                _ours.Held[kept] = _ours.Held[place];
                _theirs.Held[kept++] = _theirs.Held[place];
            }
            else
            {
                _ours.Allocator.Give(_ours.Held.AsSpan(place, 1));
                _theirs.Allocator.Give(_theirs.Held.AsSpan(place, 1));
            }
        }

        _held = held;
    }

    /// <summary>Times pairs of one frame given back and one taken.</summary>
    /// <param name="rounds">Rounds.</param>
    /// <param name="turns">Batches of a round.</param>
    public SideBySide MeasurePairs(int rounds, int turns)
    {
        int batch = Math.Min(Batch, _held);
        return SideBySide.Measure(rounds, turns, () => Draw(batch),
            () => _ours.TimePairs(_held, batch), () => _theirs.TimePairs(_held, batch));
    }

    /// <summary>Times batches of frames given back, or with <paramref name="taking"/> of frames
    /// taken.</summary>
    public SideBySide MeasureBatches(int rounds, int turns, bool taking)
    {
        const int Small = 1024;
        return SideBySide.Measure(rounds, turns, () => Draw(Small),
            () => _ours.TimeBatch(_held, Small, taking),
            () => _theirs.TimeBatch(_held, Small, taking));
    }

    public void Dispose()
    {
        _ours.Allocator.Dispose();
        _theirs.Allocator.Dispose();
    }

    /// <summary>Moves frames drawn at random to the end of what is held.</summary>
    private void Draw(int batch)
    {
        for (int i = 1; i <= batch; i++)
        {
            Swap(_random.Next(_held - i + 1), _held - i);
        }
    }

    private void Swap(int one, int other)
    {
        (_ours.Held[one], _ours.Held[other]) = (_ours.Held[other], _ours.Held[one]);
        (_theirs.Held[one], _theirs.Held[other]) = (_theirs.Held[other], _theirs.Held[one]);
    }

    private sealed class Side
    {
        private readonly int[] _victims = new int[Batch];

        public Side(IBatchAllocator allocator, int frames)
        {
            Allocator = allocator;
            Held = new int[frames];
            allocator.Take(Held);
        }

        public IBatchAllocator Allocator { get; }

        public int[] Held { get; }

        public double TimePairs(int held, int batch)
        {
            Span<int> victims = Held.AsSpan(held - batch, batch);
            victims.CopyTo(_victims);
            return SideBySide.Time(batch, () => Allocator.Pairs(
                _victims.AsSpan(0, batch), Held.AsSpan(held - batch, batch)));
        }

        public double TimeBatch(int held, int batch, bool taking)
        {
            Held.AsSpan(held - batch, batch).CopyTo(_victims);
            double give = SideBySide.Time(batch,
                () => Allocator.Give(_victims.AsSpan(0, batch)));
            double take = SideBySide.Time(batch,
                () => Allocator.Take(Held.AsSpan(held - batch, batch)));
            return taking ? take : give;
        }
    }
}
