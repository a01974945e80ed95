namespace ShmCheck.Bench.Harness;

/// <summary>A state of <see cref="ShmModel"/> in a word that is never 0. Processes stand in the
/// order in which they were started, segments in that in which they were made.</summary>
internal struct ModelState(ulong word)
{
    /// <summary>Processes, and segments, that there is room for.</summary>
    public const int Most = 3;

    private const int Slots = 1;
    private const ulong Dirty = 1;
    private const ulong Swapped = 2;

    /// <summary>A process: segment that it has attached plus 1, whether its page is mapped, and
    /// which shmat made the attach.</summary>
    private const int ProcessBits = 5;
    private const int MappedAt = 2;
    private const int FileAt = 3;

    /// <summary>A segment: creator and last user by their names, attaches, marked for destruction,
    /// attached and detached once, state of the page.</summary>
    private const int SegmentBits = 13;
    private const int LastAt = 3;
    private const int AttachesAt = 6;
    private const int DestroyedAt = 8;
    private const int AttachedAt = 9;
    private const int DetachedAt = 10;
    private const int PageAt = 11;

    /// <summary>Names of processes: nobody, one that has ended, the first that is alive.</summary>
    private const ulong Dead = 1;
    private const ulong Alive = 2;

    private const int SegmentsFrom = Most * ProcessBits;
    private const int ProcessesAt = SegmentsFrom + Most * SegmentBits;
    private const int SegmentsAt = ProcessesAt + 2;
    private const int SlotsAt = SegmentsAt + 2;
    private const ulong Used = 1ul << 63;
    private const ulong AllFiles = (1 | 1 << ProcessBits | 1 << 2 * ProcessBits) * (3ul << FileAt);
    private const ulong AllProcesses = (1ul << SegmentsFrom) - 1;
    private const ulong AllSegments = (1ul << ProcessesAt) - 1 & ~AllProcesses;

    /// <summary>Files of three processes as they are numbered in the order of the processes, by
    /// those that they have.</summary>
    private static readonly ulong[] _numbered = [.. Enumerable.Range(0, 64).Select(Numbered)];

    private ulong _word = word;

    public static ModelState Start => new(Used | 1ul << ProcessesAt);

    public readonly ulong Word => _word;

    public readonly int Processes => (int)(_word >> ProcessesAt) & 3;

    public readonly int Segments => (int)(_word >> SegmentsAt) & 3;

    /// <summary>The segment that a process has attached, from 1; 0 for none.</summary>
    public readonly int AttachOf(int p) => (int)(_word >> (p * ProcessBits)) & 3;

    public void Get(int p)
    {
        _word |= (Alive + (ulong)p) << Lane(Segments);
        _word += 1ul << SegmentsAt;
    }

    public void Attach(int p, int s)
    {
        _word |= ((ulong)s + 1 | 3ul << FileAt) << (p * ProcessBits);
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
        int page = Lane(AttachOf(p) - 1) + PageAt;
        _word -= (_word >> page & 3) == Swapped ? 1ul << SlotsAt : 0;
        _word = (_word & ~(3ul << page)) | Dirty << page | 1ul << (p * ProcessBits + MappedAt);
    }

    /// <summary>The page table is not copied: it fills by faults again.</summary>
    public void Fork(int p)
    {
        ulong row = _word >> (p * ProcessBits) & ((1ul << ProcessBits) - 1) & ~(1ul << MappedAt);
        _word |= row << (Processes * ProcessBits);
        _word += 1ul << ProcessesAt;
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
            _word = Used;
            return;
        }

        for (int s = 0; s < Segments; s++)
        {
            _word -= AfterExit(_word >> Lane(s) & 7, p) << Lane(s);
            _word -= AfterExit(_word >> (Lane(s) + LastAt) & 7, p) << (Lane(s) + LastAt);
        }

        ulong below = (1ul << (p * ProcessBits)) - 1;
        ulong rows = _word & AllProcesses;
        _word = (_word & ~AllProcesses) | (rows & below) | (rows >> ProcessBits & ~below);
        _word -= 1ul << ProcessesAt;
        NumberFiles();
    }

    public void Remove(int s)
    {
        if ((_word >> (Lane(s) + AttachesAt) & 3) == 0)
        {
            Destroy(s);
        }
        else
        {
            _word |= 1ul << (Lane(s) + DestroyedAt);
        }
    }

    /// <summary>A dirty page without a slot stays, unmapped.</summary>
    public void Reclaim(int s)
    {
        int page = Lane(s) + PageAt;
        if ((_word >> page & 3) != Dirty)
        {
            return;
        }

        for (int p = 0; p < Most; p++)
        {
            _word &= AttachOf(p) == s + 1
                ? ~(1ul << (p * ProcessBits + MappedAt)) : ulong.MaxValue;
        }

        if ((_word >> SlotsAt & 1) < Slots)
        {
            _word += 1ul << SlotsAt;
            _word = (_word & ~(3ul << page)) | Swapped << page;
        }
    }

    /// <summary>What can be told of a segment without names.</summary>
    public readonly ulong SegmentMark(int s)
    {
        ulong row = _word >> Lane(s) & ((1ul << SegmentBits) - 1);
        return row >> AttachesAt << 4
            | Math.Min(row & 7, Alive) << 2 | Math.Min(row >> LastAt & 7, Alive);
    }

    /// <summary>What can be told of a process without names.</summary>
    public readonly ulong ProcessMark(int p)
    {
        int attach = AttachOf(p);
        return attach == 0 ? 0
            : SegmentMark(attach - 1) << 2 | (_word >> (p * ProcessBits + MappedAt) & 1) << 1 | 1;
    }

    /// <summary>The state with each process at another place, and segments in an order that
    /// depends on nothing but what they then are.</summary>
    public readonly ModelState Renamed(ReadOnlySpan<int> places)
    {
        Span<ulong> rows = stackalloc ulong[Most];
        for (int s = 0; s < Segments; s++)
        {
            ulong row = _word >> Lane(s) & ((1ul << SegmentBits) - 1);
            rows[s] = (row & ~0x3ful) | Renamed(row & 7, places)
                | Renamed(row >> LastAt & 7, places) << LastAt;
        }

        for (int p = 0; p < places.Length; p++)
        {
            int attach = AttachOf(p);
            rows[Math.Max(attach - 1, 0)] |= attach == 0 ? 0 : 1ul << (SegmentBits + places[p]);
        }

        return Placed(places, rows[..Segments]);
    }

    private readonly ModelState Placed(ReadOnlySpan<int> places, ReadOnlySpan<ulong> rows)
    {
        ulong to = _word & ~(AllProcesses | AllSegments);
        Span<ulong> attaches = stackalloc ulong[Most + 1];
        attaches[0] = 0;
        for (int s = 0; s < rows.Length; s++)
        {
            int place = 0;
            for (int other = 0; other < rows.Length; other++)
            {
                place += rows[other] < rows[s] || (rows[other] == rows[s] && other < s) ? 1 : 0;
            }

            to |= (rows[s] & ((1ul << SegmentBits) - 1)) << Lane(place);
            attaches[s + 1] = (ulong)place + 1;
        }

        for (int p = 0; p < places.Length; p++)
        {
            ulong row = _word >> (p * ProcessBits) & ((1ul << ProcessBits) - 1);
            to |= ((row & ~3ul) | attaches[AttachOf(p)]) << (places[p] * ProcessBits);
        }

        var renamed = new ModelState(to);
        renamed.NumberFiles();
        return renamed;
    }

    private static ulong Renamed(ulong name, ReadOnlySpan<int> processes) =>
        name < Alive ? name : (ulong)processes[(int)(name - Alive)] + Alive;

    private static int Lane(int s) => SegmentsFrom + s * SegmentBits;

    /// <summary>How much less the name of a process is when one has ended.</summary>
    private static ulong AfterExit(ulong name, int p) =>
        name == (ulong)p + Alive ? name - Dead : name > (ulong)p + Alive ? 1ul : 0;

    private void Open(int p, int s)
    {
        int lane = Lane(s);
        _word += 1ul << (lane + AttachesAt);
        _word |= 1ul << (lane + AttachedAt);
        SetLast(lane, p);
    }

    private void Close(int p)
    {
        int s = AttachOf(p) - 1;
        int lane = Lane(s);
        _word &= ~(((1ul << ProcessBits) - 1) << (p * ProcessBits));
        _word -= 1ul << (lane + AttachesAt);
        _word |= 1ul << (lane + DetachedAt);
        SetLast(lane, p);
        if ((_word >> (lane + AttachesAt) & 7) == 1 << (DestroyedAt - AttachesAt))
        {
            Destroy(s);
        }
    }

    private void SetLast(int lane, int p) =>
        _word = (_word & ~(7ul << (lane + LastAt))) | (Alive + (ulong)p) << (lane + LastAt);

    /// <summary>Later segments take the places of those before them.</summary>
    private void Destroy(int s)
    {
        _word -= (_word >> (Lane(s) + PageAt) & 3) == Swapped ? 1ul << SlotsAt : 0;
        ulong below = (1ul << Lane(s)) - 1;
        ulong rows = _word & AllSegments;
        _word = (_word & ~AllSegments) | (rows & below) | (rows >> SegmentBits & ~below);
        _word -= 1ul << SegmentsAt;
        for (int p = 0; p < Most; p++)
        {
            _word -= AttachOf(p) > s + 1 ? 1ul << (p * ProcessBits) : 0;
        }
    }

    /// <summary>Files are numbered in the order of the processes that have them.</summary>
    private void NumberFiles()
    {
        const int Next = ProcessBits - 2;
        ulong files = _word >> FileAt;
        ulong which = (files & 3) | (files >> Next & 0xc) | (files >> 2 * Next & 0x30);
        _word = (_word & ~AllFiles) | _numbered[which];
    }

    private static ulong Numbered(int files)
    {
        ulong numbered = 0;
        ulong last = 0;
        Span<ulong> numbers = [0, 0, 0, 0];
        for (int p = 0; p < Most; p++)
        {
            int file = files >> (2 * p) & 3;
            if (file != 0)
            {
                numbers[file] = numbers[file] == 0 ? ++last : numbers[file];
                numbered |= numbers[file] << (p * ProcessBits + FileAt);
            }
        }

        return numbered;
    }
}
