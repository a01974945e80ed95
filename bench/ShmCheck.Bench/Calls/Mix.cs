namespace ShmCheck.Bench.Calls;

/// <summary>A sequence of calls that succeed and leave nothing behind, so that it can be made
/// again and again.</summary>
/// <param name="Name">What there is much of.</param>
/// <param name="Ops">The calls.</param>
/// <param name="SwapSlots">Slots that it needs.</param>
/// <param name="HugePages">Huge pages that it needs.</param>
internal sealed record Mix(string Name, Op[] Ops, ulong SwapSlots = 0, ulong HugePages = 0)
{
    private const int Pages = 8;
    private const int Rounds = 500;

    /// <summary>Every mix.</summary>
    public static IReadOnlyList<Mix> All =>
    [
        Cycle(),
        RandomMix(6000),
        Random("attach heavy", new Weights(
            Get: 1, At: 10, Touch: 2, Detach: 10, Remove: 1, Look: 1)),
        Random("fault heavy", new Weights(Get: 2, At: 4, Touch: 40, Detach: 4, Remove: 2, Look: 0)),
        Random("fork heavy", new Weights(
            Get: 2, At: 4, Touch: 8, Detach: 4, Remove: 2, Look: 1, Fork: 5), calls: 600),
        Huge(),
        Swap(),
    ];

    /// <summary>Those that bind fewer handles than an agent has registers.</summary>
    public static IReadOnlyList<Mix> Short => [Cycle(), RandomMix(3000)];

    private static Mix RandomMix(int calls) => Random("random mix",
        new Weights(Get: 2, At: 4, Touch: 8, Detach: 4, Remove: 2, Look: 4), calls);

    /// <summary>One segment after the other: made, attached, written to, detached, removed.
    /// </summary>
    private static Mix Cycle()
    {
        var ops = new List<Op>();
        for (int round = 0; round < Rounds; round++)
        {
            ops.Add(new Op(OpKind.Get, 0, Pages, 0));
            ops.Add(new Op(OpKind.At, 0, 0, 0));
            ops.AddRange(Enumerable.Range(0, Pages)
                .Select(page => new Op(OpKind.Store, 0, page, 0)));
            ops.Add(new Op(OpKind.Detach, 0, 0, 0));
            ops.Add(new Op(OpKind.Remove, 0, 0, 0));
        }

        return new Mix("cycle", [.. ops]);
    }

    private static Mix Huge()
    {
        var ops = new List<Op>();
        for (int round = 0; round < Rounds / 5; round++)
        {
            ops.Add(new Op(OpKind.Get, 0, 2, 1));
            ops.Add(new Op(OpKind.At, 0, 0, 0));
            ops.Add(new Op(OpKind.Store, 0, 0, 1));
            ops.Add(new Op(OpKind.Store, 0, 1, 1));
            ops.Add(new Op(OpKind.At, 1, 0, 0));
            ops.Add(new Op(OpKind.Load, 1, 1, 1));
            ops.Add(new Op(OpKind.Stat, 0, 0, 0));
            ops.Add(new Op(OpKind.Detach, 0, 0, 0));
            ops.Add(new Op(OpKind.Detach, 1, 0, 0));
            ops.Add(new Op(OpKind.Remove, 0, 0, 0));
        }

        return new Mix("huge-page heavy", [.. ops], HugePages: 8);
    }

    private static Mix Swap()
    {
        const int Large = 64;
        var ops = new List<Op>();
        for (int round = 0; round < Rounds / 25; round++)
        {
            ops.Add(new Op(OpKind.Get, 0, Large, 0));
            ops.Add(new Op(OpKind.At, 0, 0, 0));
            ops.AddRange(Enumerable.Range(0, Large)
                .Select(page => new Op(OpKind.Store, 0, page, 0)));
            ops.Add(new Op(OpKind.PageOut, 0, 0, Large));
            ops.AddRange(Enumerable.Range(0, Large)
                .Select(page => new Op(OpKind.Load, 0, page, 0)));
            ops.Add(new Op(OpKind.PageOut, 0, 0, Large));
            ops.AddRange(Enumerable.Range(0, Large / 2)
                .Select(page => new Op(OpKind.Store, 0, page, 0)));
            ops.Add(new Op(OpKind.Detach, 0, 0, 0));
            ops.Add(new Op(OpKind.Remove, 0, 0, 0));
        }

        return new Mix("swap heavy", [.. ops], SwapSlots: 512);
    }

    private static Mix Random(string name, Weights weights, int calls = 6000) =>
        new(name, new Drawing(weights).Draw(calls));

    private sealed record Weights(
        int Get, int At, int Touch, int Detach, int Remove, int Look, int Fork = 0)
    {
        public int Sum => Get + At + Touch + Detach + Remove + Look + Fork;
    }

    /// <summary>Draws calls, each among those that can succeed.</summary>
    private sealed class Drawing(Weights weights)
    {
        private const int MostSegments = 64;
        private const int MostAttaches = 128;
        private readonly Random _random = new(20261129);
        private readonly List<int> _segments = [];
        private readonly List<(int Attach, int Segment)> _attaches = [];
        private readonly Stack<int> _freeSegments = new(Enumerable.Range(0, MostSegments));
        private readonly Stack<int> _freeAttaches = new(Enumerable.Range(0, MostAttaches));
        private readonly List<Op> _ops = [];

        public Op[] Draw(int calls)
        {
            while (_ops.Count < calls)
            {
                Step(_random.Next(weights.Sum));
            }

            while (_attaches.Count > 0)
            {
                Detach();
            }

            while (_segments.Count > 0)
            {
                Remove();
            }

            return [.. _ops];
        }

        private void Step(int choice)
        {
            bool attached = _attaches.Count > 0;
            if ((choice -= weights.Get) < 0 && _freeSegments.TryPop(out int segment))
            {
                _segments.Add(segment);
                _ops.Add(new Op(OpKind.Get, segment, Pages, 0));
            }
            else if (choice >= 0 && (choice -= weights.At) < 0 && _segments.Count > 0
                && _freeAttaches.TryPop(out int attach))
            {
                int of = _segments[_random.Next(_segments.Count)];
                _attaches.Add((attach, of));
                _ops.Add(new Op(OpKind.At, attach, of, 0));
            }
            else if (choice >= 0 && (choice -= weights.Touch) < 0 && attached)
            {
                OpKind kind = _random.Next(2) == 0 ? OpKind.Store : OpKind.Load;
                _ops.Add(new Op(kind, AnyAttach(), _random.Next(Pages), 0));
            }
            else if (choice >= 0 && (choice -= weights.Detach) < 0 && attached)
            {
                Detach();
            }
            else if (choice >= 0 && (choice -= weights.Remove) < 0 && _segments.Count > 0)
            {
                Remove();
            }
            else if (choice >= 0 && (choice -= weights.Look) < 0 && _segments.Count > 0)
            {
                _ops.Add(_random.Next(4) == 0 ? new Op(OpKind.Info, 0, 0, 0)
                    : new Op(OpKind.Stat, _segments[_random.Next(_segments.Count)], 0, 0));
            }
            else if (choice >= 0 && choice < weights.Fork && attached)
            {
                _ops.Add(new Op(OpKind.Fork, AnyAttach(), _random.Next(Pages), 0));
            }
        }

        private int AnyAttach() => _attaches[_random.Next(_attaches.Count)].Attach;

        private void Detach()
        {
            int which = _random.Next(_attaches.Count);
            int attach = _attaches[which].Attach;
            _attaches.RemoveAt(which);
            _freeAttaches.Push(attach);
            _ops.Add(new Op(OpKind.Detach, attach, 0, 0));
        }

        /// <summary>The slot of a segment that is still attached is used again: its identifier is
        /// not needed any more.</summary>
        private void Remove()
        {
            int which = _random.Next(_segments.Count);
            int segment = _segments[which];
            _segments.RemoveAt(which);
            _freeSegments.Push(segment);
            _ops.Add(new Op(OpKind.Remove, segment, 0, 0));
        }
    }
}
