using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>The frame allocator beside a twin that looks at every frame.</summary>
public class FrameMapTests
{
    private static readonly int[] Capacities = [1, 40, 64, 511, 512, 1024, 1100, 4096 + 77, 40000];
    private static readonly int[] RunLengths = [4, 32, 64, 128, 512];

    [Fact]
    public void Frames_and_runs_are_the_lowest_free_ones_in_columns() =>
        AgreesWithTwin((capacity, length) =>
            new FrameMap<ColumnWords>(capacity, length, new StateStore().NewWords));

    [Fact]
    public void Frames_and_runs_are_the_lowest_free_ones_in_plain_memory()
    {
        using var memory = new WordMemory();
        AgreesWithTwin((capacity, length) =>
            new FrameMap<NativeWords>(capacity, length, memory.NewWords));
    }

    [Fact]
    public void Undone_changes_leave_no_trace()
    {
        var store = new StateStore();
        var map = new FrameMap<ColumnWords>(2048, 512, store.NewWords);
        Assert.Equal(0, map.TakeRun());
        Assert.Equal(512, map.Take());
        store.Mark();
        for (int frame = 513; frame < 1024; frame++)
        {
            Assert.Equal(frame, map.Take());
        }

        map.GiveRun(0);
        Assert.Equal(0, map.Take());
        Assert.Equal(2, map.TakeRun());
        store.RollBack();
        Assert.Equal(513, map.Used);
        Assert.True(map.IsConsistent());
        Assert.Equal(2, map.TakeRun());
        Assert.Equal(513, map.Take());
    }

    [Fact]
    public void Lowest_first_keeps_nearly_all_runs_whole_that_could_be()
    {
        const int Frames = 1 << 18;
        using var memory = new WordMemory();
        var map = new FrameMap<NativeWords>(Frames, 512, memory.NewWords);
        var random = new Random(7);
        int[] held = new int[Frames * 9 / 10];
        for (int i = 0; i < held.Length; i++)
        {
            held[i] = map.Take();
        }

        random.Shuffle(held);
        int count = Frames / 2;
        foreach (int frame in held.AsSpan(count))
        {
            map.Give(frame);
        }

        for (int step = 0; step < 16 * Frames; step++)
        {
            ref int victim = ref held[random.Next(count)];
            map.Give(victim);
            victim = map.Take();
        }

        int runs = 0;
        while (map.TakeRun() >= 0)
        {
            runs++;
        }

        Assert.InRange(runs, Frames / 2 / 512 * 98 / 100, Frames / 2 / 512);
    }

    [Fact]
    public void Books_take_little_over_a_bit_for_each_frame()
    {
        foreach (int frames in (int[])[1 << 18, 1 << 24, 1 << 28])
        {
            using var memory = new WordMemory();
            _ = new FrameMap<NativeWords>(frames, 512, memory.NewWords);
            Assert.InRange(memory.Bytes * 8.0 / frames, 1, 1.04);
        }
    }

    private static void AgreesWithTwin<TWords>(Func<int, int, FrameMap<TWords>> newMap)
        where TWords : struct, IWords
    {
        Gen<int[]> steps = Gen.Choose(0, 1 << 30).ArrayOf();
        Gen<(int Capacity, int RunLength, int[] Steps)> cases =
            from capacity in Gen.Elements(Capacities)
            from length in Gen.Elements(RunLengths)
            from drawn in steps
            select (capacity, length, drawn);
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var twin = new Twin(one.Capacity, one.RunLength);
            FrameMap<TWords> map = newMap(one.Capacity, one.RunLength);
            foreach (int step in one.Steps)
            {
                twin.Step(map, step);
            }

            Assert.True(map.IsConsistent());
        }).QuickCheckThrowOnFailure();
    }

    /// <summary>One flag for each frame, and a list of what is held.</summary>
    private sealed class Twin(int capacity, int runLength)
    {
        private readonly bool[] _used = new bool[capacity];
        private readonly List<(int First, int Length)> _held = [];

        public void Step<TWords>(FrameMap<TWords> map, int step)
            where TWords : struct, IWords
        {
            int which = step / 8;
            switch (step % 8)
            {
                case 0 or 1: Held(map.Take(), LowestFree(), 1); break;
                case 2: TakeMany(map, which % (2 * runLength)); break;
                case 3 or 4: Held(map.TakeRun() * runLength, LowestRun(), runLength); break;
                case 5: UseOne(map, which % capacity); break;
                default: GiveOne(map, which); break;
            }

            Assert.Equal(_used.Count(used => used), map.Used);
            int run = which % Math.Max(1, map.Runs);
            Assert.True(map.Runs == 0 || map.CountUsed(run) == CountUsed(run));
        }

        private int LowestFree() => Array.IndexOf(_used, false);

        private int LowestRun()
        {
            int run = Enumerable.Range(0, capacity / runLength)
                .FirstOrDefault(run => CountUsed(run) == 0, -1);
            return run * runLength;
        }

        private int CountUsed(int run) =>
            _used.AsSpan(run * runLength, runLength).Count(true);

        private void Held(int got, int expected, int length)
        {
            Assert.Equal(expected, got);
            if (got >= 0)
            {
                _held.Add((got, length));
                _used.AsSpan(got, length).Fill(true);
            }
        }

        private void TakeMany<TWords>(FrameMap<TWords> map, int count)
            where TWords : struct, IWords
        {
            for (; count > 0; count--)
            {
                Held(map.Take(), LowestFree(), 1);
            }
        }

        private void UseOne<TWords>(FrameMap<TWords> map, int frame)
            where TWords : struct, IWords
        {
            Assert.Equal(_used[frame], map.IsUsed(frame));
            if (!_used[frame])
            {
                map.Use(frame);
                Held(frame, frame, 1);
            }
        }

        private void GiveOne<TWords>(FrameMap<TWords> map, int which)
            where TWords : struct, IWords
        {
            if (_held.Count == 0)
            {
                return;
            }

            (int first, int length) = _held[which % _held.Count];
            _held.RemoveAt(which % _held.Count);
            _used.AsSpan(first, length).Clear();
            if (length > 1)
            {
                map.GiveRun(first / runLength);
                return;
            }

            int start = first / runLength * runLength;
            int end = Math.Min(capacity, start + runLength);
            Assert.Equal(!_used.AsSpan(start..end).Contains(true), map.Give(first));
        }
    }
}
