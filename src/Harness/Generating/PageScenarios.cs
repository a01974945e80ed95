using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row that meet on the same pages, or on ranges of many mappings.</summary>
internal sealed class PageScenarios(Arguments arguments, SystemCapabilities capabilities)
{
    /// <summary>Pages between a place of the window and another one that it is moved to.</summary>
    private const ulong Farther = 24;

    /// <summary>What can happen to a page.</summary>
    private const int Kinds = 19;

    /// <summary>The first of them that is not to write, read or reclaim it.</summary>
    private const int FirstOther = 10;

    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;
    private readonly MachineConfig _machine = arguments.Machine;

    private ulong PageSize => _machine.PageSize;

    /// <summary>What can happen to a page, one thing after the other: it is written, swapped out,
    /// read ahead, moved, punched, locked, shared with a child, and left by all.</summary>
    public IEnumerable<Call> LifeOfAPage()
    {
        bool huge = _machine.HugePages + _machine.NrOvercommitHugePages > 0
            && _random.Percent(arguments.Swarm.HugePercent / 2);
        ulong unit = huge ? _machine.HugePageSize : PageSize;
        ulong units = 1 + (ulong)_random.Below(3);
        var life = new Life(
            _world.NewSegment(), huge, units * unit / PageSize, DrawEvents(),
            [arguments.Process()], [_world.NewMapping()]);
        yield return new ShmGet(
            life.Callers[0], ShmKey.Private, units * unit, NewSegment(huge), life.Segment);
        yield return Attach(life, life.Mappings[0]);
        for (int i = 6 + _random.Below(9); i > 0; i--)
        {
            foreach (Call call in Happens(life))
            {
                yield return call;
            }
        }
    }

    /// <summary>Pages of two segments in turn, so that no run of frames is whole when one of them
    /// goes; then a pool that needs whole runs, and memory filled to the last page.</summary>
    public IEnumerable<Call> Fragments()
    {
        ProcessHandle caller = arguments.Process();
        ulong pages = Math.Min(2 + (ulong)_random.Below(12), Math.Max(_machine.Frames / 2, 1));
        SegmentHandle[] segments = [_world.NewSegment(), _world.NewSegment()];
        MappingHandle[] mappings = [_world.NewMapping(), _world.NewMapping()];
        for (int at = 0; at < segments.Length; at++)
        {
            yield return new ShmGet(
                caller, ShmKey.Private, pages * PageSize, NewSegment(false), segments[at]);
            yield return PlainCalls.Attach(caller, segments[at], mappings[at]);
        }

        for (ulong touch = 0; touch < 2 * pages; touch++)
        {
            yield return new Store(
                caller, mappings[touch % 2], new TouchedPage(touch / 2), 1);
        }

        if (_random.OneIn(2))
        {
            yield return new Reclaim(segments[0], new PageRange(0, pages - 1));
            yield return new MAdvise(
                caller, mappings[0], pages * PageSize, Advice.MADV_WILLNEED);
        }

        int goes = _random.Below(2);
        yield return new ShmDt(caller, mappings[goes]);
        yield return new ShmCtlRmid(caller, segments[goes]);
        yield return new SetSysctl(
            Sysctl.NrHugePages,
            _random.OneIn(3) ? _machine.Frames : 1 + (ulong)_random.Below(4));
        yield return new Load(
            caller, mappings[1 - goes], new TouchedPage((ulong)_random.Below((int)pages)));
        yield return new SetSysctl(Sysctl.NrHugePages, (ulong)_random.Below(2));
        yield return new ShmDt(caller, mappings[1 - goes]);
        yield return new ShmCtlRmid(caller, segments[1 - goes]);
    }

    /// <summary>Mappings side by side and with gaps, and calls on all of them at once.</summary>
    public IEnumerable<Call> Spans()
    {
        ProcessHandle caller = arguments.Process();
        SegmentHandle segment = _world.NewSegment();
        ulong length = 1 + (ulong)_random.Below(2);
        yield return new ShmGet(
            caller, ShmKey.Private, length * PageSize, NewSegment(false), segment);
        bool anonymous = _random.OneIn(2);
        ulong first = (ulong)_random.Below(8);
        ulong end = first;
        ulong gap = 0;
        for (int parts = 2 + _random.Below(3); parts > 0; parts--)
        {
            MappingHandle mapping = _world.NewMapping();
            yield return anonymous
                ? new MMap(
                    caller, AddressRef.Window(end + gap), length * PageSize,
                    Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED, mapping)
                : new ShmAt(
                    caller, segment, AddressRef.Window(end + gap),
                    new ShmAtFlags(ShmAtFlags.SHM_REMAP), mapping);
            if (_random.OneIn(2))
            {
                yield return new Store(caller, mapping, new TouchedPage(0), 1);
            }

            end += gap + length;
            gap = _random.Of<ulong>([0, 1, 1, 2]);
        }

        for (int calls = 1 + _random.Below(3); calls > 0; calls--)
        {
            yield return OverAll(caller, first, (end - first) * PageSize);
            ulong place = first + (ulong)_random.Below((int)(end - first));
            yield return new Store(
                caller, AddressRef.Window(place + (_random.OneIn(2) ? Farther : 0)),
                new TouchedPage(0), 1);
        }
    }

    /// <summary>Pages of one attach moved to where they would be if they were of another one,
    /// which is detached.</summary>
    public IEnumerable<Call> Grafts()
    {
        ProcessHandle caller = arguments.Process();
        ulong pages = 2 + (ulong)_random.Below(2);
        MappingHandle[] mappings = [_world.NewMapping(), _world.NewMapping()];
        SegmentHandle segment = default;
        foreach (MappingHandle mapping in mappings)
        {
            if (segment == default || _random.OneIn(2))
            {
                segment = _world.NewSegment();
                yield return new ShmGet(
                    caller, ShmKey.Private, pages * PageSize, NewSegment(false), segment);
            }

            yield return PlainCalls.Attach(caller, segment, mapping);
        }

        for (int i = 1 + _random.Below(2); i > 0; i--)
        {
            long distance = (long)((ulong)_random.Below((int)pages) * PageSize);
            yield return new MRemap(
                caller, AddressRef.Of(mappings[1], distance), PageSize, PageSize,
                MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
                AddressRef.Of(mappings[0], distance), _world.NewMapping());
        }

        yield return new ShmDt(caller, mappings[_random.OneIn(4) ? 1 : 0]);
        yield return new ShmDt(caller, mappings[_random.Below(2)]);
    }

    private Call OverAll(ProcessHandle caller, ulong first, ulong length)
    {
        AddressRef start = AddressRef.Window(first);
        return _random.Below(9) switch
        {
            0 or 1 or 2 => new MRemap(
                caller, start, length, length, _random.Of<MRemapFlags>(
                [
                    MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
                    MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
                    MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED
                        | MRemapFlags.MREMAP_DONTUNMAP,
                ]),
                AddressRef.Window(first + Farther), _world.NewMapping()),
            3 => new MProtect(caller, start, length, arguments.Protection()),
            4 => new MLock(caller, start, length, _random.OneIn(4)),
            5 => new MUnlock(caller, start, length),
            6 => new MBind(caller, start, length, _random.Below(3)),
            7 => new MUnmap(caller, start, length),
            _ => new MAdvise(caller, start, length, DrawAdvice()),
        };
    }

    /// <summary>All that can happen to a page, or little of it again and again: pages are written,
    /// read and reclaimed, and one or two things more.</summary>
    private int[] DrawEvents() => _random.OneIn(3) ? [.. Enumerable.Range(0, Kinds)]
        : [0, 4, 7, FirstOther + _random.Below(Kinds - FirstOther),
            FirstOther + _random.Below(Kinds - FirstOther)];

    private IEnumerable<Call> Happens(Life life)
    {
        ProcessHandle caller = life.Callers[_random.Below(life.Callers.Count)];
        switch (_random.Of<int>(life.Events))
        {
            case 0 or 1 or 2 or 3:
                return [new Store(caller, Mapping(life), Touched(life), 1)];
            case 4 or 5 or 6:
                return [new Load(caller, Mapping(life), Touched(life))];
            case 7 or 8 or 9:
                ulong page = Page(life);
                return [new Reclaim(life.Segment, _random.OneIn(2)
                    ? new PageRange(0, life.Pages - 1) : new PageRange(page, page))];
            case 10 or 11 or 12:
                return Advise(life, caller);
            case 13:
                return [Share(life)];
            case 14:
                return [Move(life, caller)];
            case 15:
                return Leave(life, caller);
            case 16:
                return [_random.OneIn(3) ? new ShmCtlUnlock(caller, life.Segment)
                    : new ShmCtlLock(caller, life.Segment)];
            case 17 when _machine.SwapSlots > 0 && !capabilities.SwapIsCostly:
                return _random.OneIn(4) ? [new SwapOff(caller)]
                    : [new SwapOff(caller), new SwapOn(caller)];
            default:
                return [Protect(life, caller)];
        }
    }

    private MappingHandle Mapping(Life life) =>
        life.Mappings[_random.Below(life.Mappings.Count)];

    /// <summary>An advice, and a look at what it left.</summary>
    private IEnumerable<Call> Advise(Life life, ProcessHandle caller)
    {
        (AddressRef start, ulong length) = Range(life);
        yield return new MAdvise(caller, start, length, DrawAdvice());
        if (_random.OneIn(3))
        {
            yield return new Load(caller, Mapping(life), Touched(life));
        }
    }

    private static ShmAt Attach(Life life, MappingHandle mapping) => new(
        life.Callers[0], life.Segment, AddressRef.Null, new ShmAtFlags(0), mapping);

    /// <summary>Another attach, a child, or its end.</summary>
    private Call Share(Life life)
    {
        if (life.Mappings.Count == 1 && _random.OneIn(2))
        {
            life.Mappings.Add(_world.NewMapping());
            return Attach(life, life.Mappings[^1]);
        }

        if (life.Callers.Count > 1)
        {
            ProcessHandle gone = life.Callers[^1];
            life.Callers.RemoveAt(life.Callers.Count - 1);
            return new ExitGroup(gone);
        }

        life.Callers.Add(_world.NewProcess());
        return new Fork(life.Callers[0], life.Callers[^1]);
    }

    private MRemap Move(Life life, ProcessHandle caller)
    {
        ulong unit = life.Huge ? _machine.HugePageSize : PageSize;
        int moves = _random.Below(life.Mappings.Count);
        var move = new MRemap(
            caller, life.Mappings[moves], unit, unit,
            MRemapFlags.MREMAP_MAYMOVE
                | (_random.OneIn(2) ? MRemapFlags.MREMAP_DONTUNMAP : MRemapFlags.MREMAP_FIXED),
            default, _world.NewMapping());
        life.Mappings[moves] = move.Result;
        return (move.Flags & MRemapFlags.MREMAP_FIXED) == 0 ? move
            : move with { NewAddress = arguments.Window(life.Huge) };
    }

    /// <summary>Nobody maps the pages any more, or one less does; what happens to them then, and
    /// a new attach.</summary>
    private IEnumerable<Call> Leave(Life life, ProcessHandle caller)
    {
        if (_random.OneIn(3))
        {
            yield return new ShmDt(caller, Mapping(life));
        }
        else
        {
            foreach (ProcessHandle leaves in life.Callers)
            {
                foreach (MappingHandle mapping in life.Mappings)
                {
                    yield return new ShmDt(leaves, mapping);
                }
            }
        }

        if (_random.OneIn(2))
        {
            yield return new Reclaim(life.Segment, new PageRange(0, life.Pages - 1));
        }

        if (_random.OneIn(3) && !capabilities.SwapIsCostly && _machine.SwapSlots > 0)
        {
            yield return new SwapOff(life.Callers[0]);
            yield return new SwapOn(life.Callers[0]);
        }

        life.Mappings.Clear();
        life.Mappings.Add(_world.NewMapping());
        yield return Attach(life, life.Mappings[0]);
    }

    private RangeCall Protect(Life life, ProcessHandle caller)
    {
        (AddressRef start, ulong length) = Range(life);
        return _random.Below(4) switch
        {
            0 or 1 => new MLock(caller, start, length, _random.OneIn(2)),
            2 => new MUnlock(caller, start, length),
            _ => new MProtect(caller, start, length, Protection.PROT_READ),
        };
    }

    private Advice DrawAdvice() => _random.OneIn(4) ? _random.Of<Advice>(
    [
        Advice.MADV_DONTFORK, Advice.MADV_DOFORK, Advice.MADV_DOFORK, Advice.MADV_DONTDUMP,
        Advice.MADV_DONTDUMP, Advice.MADV_DODUMP, Advice.MADV_RANDOM, Advice.MADV_NORMAL,
    ]) : _random.Of<Advice>(
    [
        Advice.MADV_PAGEOUT, Advice.MADV_WILLNEED, Advice.MADV_WILLNEED, Advice.MADV_DONTNEED,
        Advice.MADV_REMOVE, Advice.MADV_POPULATE_READ, Advice.MADV_POPULATE_WRITE,
    ]);

    /// <summary>One of the few pages that calls meet on.</summary>
    private ulong Page(Life life)
    {
        ulong last = life.Pages - 1;
        return _random.Below(6) switch
        {
            0 => last,
            1 or 2 => Math.Min(1, last),
            3 when life.Huge => Math.Min(_machine.PagesPerHugePage, last),
            _ => 0,
        };
    }

    private TouchedPage Touched(Life life)
    {
        ulong page = Page(life);
        return life.Huge && _random.OneIn(2)
            ? new TouchedPage(page / _machine.PagesPerHugePage, true) : new TouchedPage(page);
    }

    private (AddressRef Start, ulong Length) Range(Life life)
    {
        bool acrossHugePages = life.Huge && _random.OneIn(5);
        ulong first = acrossHugePages ? _machine.PagesPerHugePage - 1
            : _random.OneIn(2) ? 0 : Page(life);
        ulong pages = acrossHugePages ? 2 : _random.Of<ulong>([1, 2, life.Pages - first]);
        return (AddressRef.Of(Mapping(life), (long)(first * PageSize)), pages * PageSize);
    }

    private ShmGetFlags NewSegment(bool huge) => new(ShmGetFlags.IPC_CREAT | 0x180
        | (huge ? ShmGetFlags.SHM_HUGETLB : 0)
        | (_random.OneIn(3) ? ShmGetFlags.SHM_NORESERVE : 0));

    /// <summary>The segment whose pages it is about, what happens to them, those who map it, and
    /// where.</summary>
    private sealed record Life(
        SegmentHandle Segment, bool Huge, ulong Pages, int[] Events, List<ProcessHandle> Callers,
        List<MappingHandle> Mappings);
}
