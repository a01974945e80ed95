using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row that chance seldom puts together: such as fill memory, swap or the pool
/// to the last page, or identifiers to the last of a word, where what was lost on the way shows,
/// such as meet on one page, on pages of all kinds, in other namespaces or under other rights, and
/// such as are refused for several reasons.</summary>
internal sealed class Scenario(Arguments arguments, SystemCapabilities capabilities)
{
    /// <summary>Larger segments take the specification longer to fill than they are worth.
    /// </summary>
    private const ulong MostPages = 4608;

    /// <summary>How often, of a hundred, a scenario is what comes first, so that there is time
    /// for all of it.</summary>
    private const int FirstPercent = 50;

    /// <summary>Frames of a machine that is large because of what shows when they are full.
    /// </summary>
    private const ulong ManyFrames = 2048;

    /// <summary>Runs of frames of each of which one page is kept.</summary>
    private const int MostTeeth = 5;

    /// <summary>Many segments have keys from here on.</summary>
    private const int FirstKey = 1000;

    /// <summary>Segments whose pages go to swap where there are many.</summary>
    private const int MostSwapped = 3;

    private readonly PageScenarios _pages = new(arguments, capabilities);
    private readonly StateScenarios _states = new(arguments, capabilities);
    private readonly PieceScenarios _pieces = new(arguments, capabilities);
    private readonly LimitScenarios _limits = new(arguments, capabilities);
    private readonly TaskScenarios _tasks = new(arguments);
    private readonly RefusalScenarios _refusals = new(arguments);
    private readonly AttachScenarios _attaches = new(arguments);
    private readonly PromiseScenarios _promises = new(arguments, capabilities);
    private readonly Queue<Call> _next = [];
    private bool _isFirst = true;

    /// <summary>The next call of a scenario, or of a new one where the swarm has such; null where
    /// neither is at hand.</summary>
    public Call? Next()
    {
        int percent = arguments.Swarm.ScenarioPercent;
        if (_next.Count == 0
            && arguments.Random.Percent(_isFirst ? Math.Min(percent, 1) * FirstPercent : percent))
        {
            Begin();
        }

        _isFirst = false;

        while (_next.TryDequeue(out Call? call))
        {
            if (capabilities.Has(call))
            {
                return call;
            }
        }

        return null;
    }

    private void Begin()
    {
        bool fills = arguments.Swarm.Fills
            || (arguments.Machine.Frames >= ManyFrames && arguments.Random.OneIn(3));
        switch (arguments.Random.Below(fills ? 6 : 46))
        {
            case 0: Number(); break;
            case 1 or 2: Fill(); break;
            case 3:
                AddAll(_pages.Fragments());
                Fill();
                AddAll(_pages.Fragments());
                break;
            case 4 or 5 when arguments.Swarm.HugePercent > 0: AddAll(_limits.Pool()); break;
            case < 12: AddAll(_pages.LifeOfAPage()); break;
            case 12: AddAll(_pages.Spans()); break;
            case 13: AddAll(_pages.Grafts()); break;
            case < 18: AddAll(_pieces.Pieces()); break;
            case 18 or 19: AddAll(_pieces.Places()); break;
            case < 23: AddAll(_limits.Limits()); break;
            case < 26: AddAll(_promises.Promises()); break;
            case 26: AddAll(_tasks.Emigrates()); break;
            case 27 or 28: AddAll(_tasks.Ask()); break;
            case 29 or 30: AddAll(_tasks.Charges()); break;
            case 31 or 32: AddAll(_tasks.Changes()); break;
            case 33: AddAll(_tasks.Threads()); break;
            case 34 or 35: AddAll(_attaches.Endings()); break;
            case < 42: AddAll(_states.States()); break;
            case 42 or 43: AddAll(_refusals.Refusals()); break;
            case 44 when arguments.Swarm.HugePercent > 0: AddAll(_limits.Pool()); break;
            default: Crowd(); break;
        }
    }

    private void AddAll(IEnumerable<Call> calls)
    {
        foreach (Call call in calls)
        {
            _next.Enqueue(call);
        }
    }

    /// <summary>Many attaches of one segment of one page.</summary>
    private void Crowd()
    {
        Random64 random = arguments.Random;
        World world = arguments.World;
        ProcessHandle caller = arguments.Process();
        bool touches = random.OneIn(2);
        int attaches = random.Of<int>(touches ? [5, 17, 33] : [5, 17, 33, 65]);
        SegmentHandle segment = Create(caller);
        for (int i = 0; i < attaches; i++)
        {
            MappingHandle mapping = world.NewMapping();
            _next.Enqueue(PlainCalls.Attach(caller, segment, mapping));
            if (touches)
            {
                _next.Enqueue(new Store(caller, mapping, new TouchedPage(0), 1));
            }
        }
    }

    /// <summary>So many segments that their identifiers fill a word of a bitmap; some of them
    /// go, and their numbers may be asked for again, or they are asked for by their keys.</summary>
    private void Number()
    {
        Random64 random = arguments.Random;
        ProcessHandle caller = arguments.Process();
        int count = random.Of<int>([8, 20, 64, 64, 65, 80]);
        bool keyed = random.OneIn(3);
        SegmentHandle[] made =
        [
            .. Enumerable.Range(1, count).Select(i => Create(caller, keyed ? FirstKey + i : 0)),
        ];
        if (arguments.Machine.SwapSlots > 0 && !capabilities.SwapIsCostly && random.OneIn(2))
        {
            Swap(caller, made);
        }

        for (int i = random.Below(4); i > 0; i--)
        {
            int gone = random.OneIn(2) ? count - 1 : random.Below(count);
            _next.Enqueue(new ShmCtlRmid(caller, made[gone]));
            if (random.OneIn(2))
            {
                ulong sequence = random.OneIn(2) ? 0 : (ulong)random.Below(1 << 16);
                _next.Enqueue(new SetSysctl(
                    Sysctl.ShmNextId, (sequence << ShmId.IndexBits) + (ulong)gone));
            }

            _next.Enqueue(new ShmCtlStatIndex(
                caller, SegmentRef.Index(Create(caller)), random.OneIn(2)));
            if (keyed)
            {
                Create(caller, FirstKey + 1 + random.Below(count));
            }
        }
    }

    /// <summary>Pages of some of many segments go to swap, and come back all at once.</summary>
    private void Swap(ProcessHandle caller, SegmentHandle[] segments)
    {
        for (int i = 1 + arguments.Random.Below(MostSwapped); i > 0; i--)
        {
            SegmentHandle segment = arguments.Random.OneIn(2) ? segments[^i]
                : segments[arguments.Random.Below(segments.Length)];
            MappingHandle mapping = arguments.World.NewMapping();
            _next.Enqueue(PlainCalls.Attach(caller, segment, mapping));
            _next.Enqueue(new Store(caller, mapping, new TouchedPage(0), 1));
            _next.Enqueue(new Reclaim(segment, new PageRange(0, 0)));
        }

        _next.Enqueue(new SwapOff(caller));
        _next.Enqueue(new SwapOn(caller));
    }

    private SegmentHandle Create(ProcessHandle caller, int key = 0)
    {
        SegmentHandle segment = arguments.World.NewSegment();
        _next.Enqueue(new ShmGet(
            caller, new ShmKey(key), arguments.Machine.PageSize, NewSegment(huge: false), segment));
        return segment;
    }

    private ShmGetFlags NewSegment(bool huge) => new(ShmGetFlags.IPC_CREAT | 0x180
        | (huge ? ShmGetFlags.SHM_HUGETLB : 0)
        | (arguments.Random.OneIn(2) ? ShmGetFlags.SHM_NORESERVE : 0));

    private void Fill()
    {
        MachineConfig machine = arguments.Machine;
        Random64 random = arguments.Random;
        bool huge = machine.HugePages > 0 && random.Percent(arguments.Swarm.HugePercent);
        ulong unit = huge ? machine.HugePageSize : machine.PageSize;
        ulong more = (ulong)random.Below(2);
        ulong units = more + (huge ? machine.HugePages
            : random.OneIn(2) || machine.TotalPages >= MostPages ? machine.Frames
            : machine.TotalPages);
        if (units is 0 or > MostPages)
        {
            return;
        }

        ProcessHandle caller = arguments.Process();
        if (machine.HugePages > 0 && random.OneIn(3))
        {
            _next.Enqueue(new SetSysctl(
                Sysctl.NrHugePages, (ulong)random.Below((int)machine.HugePages)));
        }

        (SegmentHandle segment, MappingHandle mapping) = Fill(caller, units * unit, huge);
        switch (random.Below(7))
        {
            case 0 or 5 or 6 when machine.HugePages > 0:
                GiveBack(caller);
                break;
            case 1 when machine.SwapSlots > 0:
                Crowd(caller, segment, mapping, units);
                break;
            case 2 when machine.SwapSlots > 0:
                _next.Enqueue(new Reclaim(segment, new PageRange(0, units - 1)));
                break;
            case 3 when !huge:
                Comb(caller, mapping, units);
                break;
            default:
                break;
        }

        if (random.OneIn(2))
        {
            _next.Enqueue(new ShmDt(caller, mapping));
            _next.Enqueue(new ShmCtlRmid(caller, segment));
        }
    }

    private (SegmentHandle Segment, MappingHandle Mapping) Fill(
        ProcessHandle caller, ulong bytes, bool huge)
    {
        SegmentHandle segment = arguments.World.NewSegment();
        MappingHandle mapping = arguments.World.NewMapping();
        _next.Enqueue(new ShmGet(caller, ShmKey.Private, bytes, NewSegment(huge), segment));
        _next.Enqueue(PlainCalls.Attach(caller, segment, mapping));
        _next.Enqueue(new MAdvise(
            caller, AddressRef.Of(mapping, 0), bytes, Advice.MADV_POPULATE_WRITE));
        return (segment, mapping);
    }

    /// <summary>Where memory is full the pool gives some back, which others take, or the pool
    /// itself again.</summary>
    private void GiveBack(ProcessHandle caller)
    {
        Random64 random = arguments.Random;
        ulong left = (ulong)random.Below(random.OneIn(2) ? 2 : (int)arguments.Machine.HugePages);
        _next.Enqueue(new SetSysctl(Sysctl.NrHugePages, left));
        if (!random.OneIn(4))
        {
            Fill(caller, (1 + (ulong)random.Below(3)) * arguments.Machine.PageSize, huge: false);
        }

        _next.Enqueue(new SetSysctl(Sysctl.NrHugePages, arguments.Machine.HugePages + 1));
    }

    /// <summary>Pages go to swap, others take their frames, and they are wanted back.</summary>
    private void Crowd(
        ProcessHandle caller, SegmentHandle segment, MappingHandle mapping, ulong units)
    {
        Random64 random = arguments.Random;
        ulong pageSize = arguments.Machine.PageSize;
        ulong many = Math.Min(units, 1 + (ulong)random.Below(4));
        _next.Enqueue(new Reclaim(segment, new PageRange(0, many - 1)));
        Fill(caller, (many + (ulong)random.Below(2)) * pageSize, huge: false);
        for (int i = 1 + random.Below(3); i > 0; i--)
        {
            var page = new TouchedPage((ulong)random.Below((int)many));
            _next.Enqueue(random.Below(4) switch
            {
                0 => new MAdvise(
                    caller, AddressRef.Of(mapping, 0), many * pageSize, Advice.MADV_WILLNEED),
                1 => new SwapOff(caller),
                2 => new Store(caller, mapping, page, 1),
                _ => new Load(caller, mapping, page),
            });
        }
    }

    /// <summary>All but one page of each run of frames goes, and runs are wanted.</summary>
    private void Comb(ProcessHandle caller, MappingHandle mapping, ulong units)
    {
        Random64 random = arguments.Random;
        ulong run = arguments.Machine.PagesPerHugePage;
        ulong pageSize = arguments.Machine.PageSize;
        ulong teeth = Math.Min(units / run, MostTeeth);
        for (ulong tooth = 0; tooth < teeth; tooth++)
        {
            _next.Enqueue(new MAdvise(
                caller, AddressRef.Of(mapping, (long)(tooth * run * pageSize)),
                (run - 1) * pageSize, Advice.MADV_REMOVE));
        }

        _next.Enqueue(new SetSysctl(Sysctl.NrHugePages, 1 + (ulong)random.Below(4)));
        _next.Enqueue(new Load(caller, mapping, new TouchedPage(run - 1)));
        _next.Enqueue(new SetSysctl(Sysctl.NrHugePages, (ulong)random.Below(2)));
    }
}
