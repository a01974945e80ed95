using ShmCheck.Harness.Exploring;

namespace ShmCheck.Bench.Harness;

/// <summary>bench/promela/shm.pml with each state in 128 bits: processes in one word, segments in
/// the other, a lane for each. Change both or none.</summary>
/// <param name="processes">Processes alive at once, at most 3.</param>
/// <param name="segments">Segments that exist at once, at most 4.</param>
/// <param name="symmetric">Whether states that differ in which process or segment is which are
/// one.</param>
internal readonly struct ShmModel(int processes, int segments, bool symmetric) : IPackedModel
{
    public NodeKey Start => new State { Processes = 1 }.Packed;

    public int Successors(NodeKey state, Span<NodeKey> successors)
    {
        int count = 0;
        State from = State.Of(state);
        for (int p = 0; p < from.Processes; p++)
        {
            count += Calls(from, p, successors[count..]);
        }

        for (int s = 0; s < from.Segments; s++)
        {
            State to = from;
            to.Remove(s);
            successors[count++] = KeyOf(to);
            to = from;
            to.Reclaim(s);
            successors[count++] = KeyOf(to);
        }

        return count;
    }

    private int Calls(State from, int p, Span<NodeKey> successors)
    {
        int count = 0;
        State to = from;
        if (from.Segments < segments)
        {
            to.Get(p);
            successors[count++] = KeyOf(to);
        }

        for (int s = 0; from.AttachOf(p) == 0 && s < from.Segments; s++)
        {
            to = from;
            to.Attach(p, s);
            successors[count++] = KeyOf(to);
        }

        if (from.AttachOf(p) != 0)
        {
            to = from;
            to.Detach(p);
            successors[count++] = KeyOf(to);
            to = from;
            to.Store(p);
            successors[count++] = KeyOf(to);
        }

        if (from.Processes < processes)
        {
            to = from;
            to.Fork(p);
            successors[count++] = KeyOf(to);
        }

        to = from;
        to.Exit(p);
        successors[count++] = KeyOf(to);
        return count;
    }

    private NodeKey KeyOf(State state) => symmetric ? state.Canonical.Packed : state.Packed;

    /// <summary>A state while a step is under way.</summary>
    private struct State
    {
        private const int Slots = 1;
        private const int Dead = 1;
        private const ulong Dirty = 1;
        private const ulong Swapped = 2;

        /// <summary>A process: segment that it has attached plus 1, whether its page is mapped,
        /// and which shmat made the attach.</summary>
        private const int ProcessBits = 7;
        private const int MappedAt = 3;
        private const int FileAt = 4;

        /// <summary>A segment: creator and last user by their names, attaches, marked for
        /// destruction, attached and detached once, state of the page.</summary>
        private const int SegmentBits = 13;
        private const int LastAt = 3;
        private const int AttachesAt = 6;
        private const int DestroyedAt = 8;
        private const int AttachedAt = 9;
        private const int DetachedAt = 10;
        private const int PageAt = 11;

        private const int ProcessesAt = 48;
        private const int SegmentsAt = 52;
        private const int SlotsAt = 56;

        private ulong _p;
        private ulong _s;

        public int Processes
        {
            readonly get => (int)(_p >> ProcessesAt) & 7;
            set => _p = (_p & ~(7ul << ProcessesAt)) | (ulong)value << ProcessesAt;
        }

        public int Segments
        {
            readonly get => (int)(_p >> SegmentsAt) & 7;
            private set => _p = (_p & ~(7ul << SegmentsAt)) | (ulong)value << SegmentsAt;
        }

        public readonly NodeKey Packed => new(_p, _s);

        /// <summary>Of the states that differ in the order of processes and segments only, the
        /// least of those in which what can be told of them without names ascends.</summary>
        public readonly State Canonical
        {
            get
            {
                Span<ulong> marks = stackalloc ulong[8];
                Span<ulong> sorted = stackalloc ulong[8];
                Span<int> places = stackalloc int[8];
                int all = Processes + Segments;
                for (int at = 0; at < all; at++)
                {
                    marks[at] = at < Processes ? ProcessMark(at) : SegmentMark(at - Processes);
                }

                marks.CopyTo(sorted);
                sorted[..Processes].Sort();
                sorted[Processes..all].Sort();
                var least = new State { _p = ulong.MaxValue, _s = ulong.MaxValue };
                Permute(marks, sorted, places, 0, 0, ref least);
                return least;
            }
        }

        public static State Of(NodeKey key) => new() { _p = key.High, _s = key.Low };

        /// <summary>The segment that a process has attached, from 1; 0 for none.</summary>
        public readonly int AttachOf(int p) => (int)(_p >> (p * ProcessBits)) & 7;

        public void Get(int p)
        {
            SetSegment(Segments, 0, 3, (ulong)p + 2);
            Segments++;
        }

        public void Attach(int p, int s)
        {
            SetProcess(p, (ulong)s + 1 | 7ul << FileAt);
            NumberFiles();
            Open(p, s);
        }

        public void Detach(int p)
        {
            Close(p);
            NumberFiles();
        }

        public void Store(int p)
        {
            int s = AttachOf(p) - 1;
            _p -= Segment(s, PageAt, 2) == Swapped ? 1ul << SlotsAt : 0;
            SetSegment(s, PageAt, 2, Dirty);
            _p |= 1ul << (p * ProcessBits + MappedAt);
        }

        public void Fork(int p)
        {
            int child = Processes++;
            SetProcess(child, Process(p) & ~(1ul << MappedAt));
            if (AttachOf(p) != 0)
            {
                Open(p, AttachOf(p) - 1);
            }
        }

        public void Exit(int p)
        {
            if (AttachOf(p) != 0)
            {
                Close(p);
            }

            if (Processes == 1)
            {
                this = default;
                return;
            }

            for (int s = 0; s < Segments; s++)
            {
                SetSegment(s, 0, 3, AfterExit(Segment(s, 0, 3), p));
                SetSegment(s, LastAt, 3, AfterExit(Segment(s, LastAt, 3), p));
            }

            for (int i = p; i < Processes; i++)
            {
                SetProcess(i, i + 1 < Processes ? Process(i + 1) : 0);
            }

            Processes--;
            NumberFiles();
        }

        public void Remove(int s)
        {
            if (Segment(s, AttachesAt, 2) == 0)
            {
                Destroy(s);
            }
            else
            {
                SetSegment(s, DestroyedAt, 1, 1);
            }
        }

        public void Reclaim(int s)
        {
            if (Segment(s, PageAt, 2) != Dirty)
            {
                return;
            }

            for (int p = 0; p < Processes; p++)
            {
                _p &= AttachOf(p) == s + 1
                    ? ~(1ul << (p * ProcessBits + MappedAt)) : ulong.MaxValue;
            }

            if ((_p >> SlotsAt) < Slots)
            {
                _p += 1ul << SlotsAt;
                SetSegment(s, PageAt, 2, Swapped);
            }
        }

        private static ulong AfterExit(ulong name, int p) =>
            name == (ulong)p + 2 ? Dead : name > (ulong)p + 2 ? name - 1 : name;

        private void Open(int p, int s)
        {
            _s += 1ul << (s * SegmentBits + AttachesAt);
            SetSegment(s, AttachedAt, 1, 1);
            SetSegment(s, LastAt, 3, (ulong)p + 2);
        }

        private void Close(int p)
        {
            int s = AttachOf(p) - 1;
            SetProcess(p, 0);
            _s -= 1ul << (s * SegmentBits + AttachesAt);
            SetSegment(s, DetachedAt, 1, 1);
            SetSegment(s, LastAt, 3, (ulong)p + 2);
            if (Segment(s, DestroyedAt, 1) != 0 && Segment(s, AttachesAt, 2) == 0)
            {
                Destroy(s);
            }
        }

        /// <summary>Later segments take the places of those before them.</summary>
        private void Destroy(int s)
        {
            _p -= Segment(s, PageAt, 2) == Swapped ? 1ul << SlotsAt : 0;
            ulong below = (1ul << (s * SegmentBits)) - 1;
            _s = (_s & below) | (_s >> SegmentBits & ~below);
            Segments--;
            for (int p = 0; p < Processes; p++)
            {
                _p -= AttachOf(p) > s + 1 ? 1ul << (p * ProcessBits) : 0;
            }
        }

        private void NumberFiles()
        {
            ulong before = _p;
            ulong files = 0;
            for (int p = 0; p < Processes; p++)
            {
                if (AttachOf(p) == 0)
                {
                    continue;
                }

                ulong file = before >> (p * ProcessBits + FileAt) & 7;
                int earlier = 0;
                while (earlier < p && (AttachOf(earlier) == 0
                    || (before >> (earlier * ProcessBits + FileAt) & 7) != file))
                {
                    earlier++;
                }

                ulong number = earlier < p
                    ? _p >> (earlier * ProcessBits + FileAt) & 7 : ++files;
                _p = (_p & ~(7ul << (p * ProcessBits + FileAt)))
                    | number << (p * ProcessBits + FileAt);
            }
        }

        private readonly ulong SegmentMark(int s) =>
            Segment(s, AttachesAt, PageAt + 2 - AttachesAt);

        private readonly ulong ProcessMark(int p)
        {
            int attach = AttachOf(p);
            return attach == 0 ? 0
                : SegmentMark(attach - 1) << 2 | (_p >> (p * ProcessBits + MappedAt) & 1) << 1 | 1;
        }

        /// <summary>Tries every place that has the mark of what stands at one, from there on.
        /// </summary>
        private readonly void Permute(
            ReadOnlySpan<ulong> marks, ReadOnlySpan<ulong> sorted, Span<int> places, int at,
            int used, ref State least)
        {
            int all = Processes + Segments;
            if (at == all)
            {
                State other = Renamed(places);
                least = other._s < least._s || (other._s == least._s && other._p < least._p)
                    ? other : least;
                return;
            }

            (int first, int end) = at < Processes ? (0, Processes) : (Processes, all);
            for (int place = first; place < end; place++)
            {
                if ((used >> place & 1) == 0 && sorted[place] == marks[at])
                {
                    places[at] = place - first;
                    Permute(marks, sorted, places, at + 1, used | 1 << place, ref least);
                }
            }
        }

        private readonly State Renamed(ReadOnlySpan<int> places)
        {
            int processes = Processes;
            var to = new State { _p = _p >> ProcessesAt << ProcessesAt };
            for (int p = 0; p < processes; p++)
            {
                ulong row = Process(p);
                ulong attach = row & 7;
                row = attach == 0 ? 0
                    : (row & ~7ul) | (ulong)places[processes + (int)attach - 1] + 1;
                to._p |= row << (places[p] * ProcessBits);
            }

            for (int s = 0; s < Segments; s++)
            {
                ulong row = Segment(s, 0, SegmentBits);
                row = (row & ~0x3ful) | Renamed(row & 7, places)
                    | Renamed(row >> LastAt & 7, places) << LastAt;
                to._s |= row << (places[processes + s] * SegmentBits);
            }

            to.NumberFiles();
            return to;
        }

        private static ulong Renamed(ulong name, ReadOnlySpan<int> places) =>
            name < 2 ? name : (ulong)places[(int)name - 2] + 2;

        private readonly ulong Process(int p) =>
            _p >> (p * ProcessBits) & ((1ul << ProcessBits) - 1);

        private void SetProcess(int p, ulong value)
        {
            int at = p * ProcessBits;
            _p = (_p & ~(((1ul << ProcessBits) - 1) << at)) | value << at;
        }

        private readonly ulong Segment(int s, int field, int bits) =>
            _s >> (s * SegmentBits + field) & ((1ul << bits) - 1);

        private void SetSegment(int s, int field, int bits, ulong value)
        {
            int at = s * SegmentBits + field;
            _s = (_s & ~(((1ul << bits) - 1) << at)) | value << at;
        }
    }
}
