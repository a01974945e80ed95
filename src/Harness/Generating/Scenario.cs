using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row that chance seldom puts together: such as fill memory, swap or the pool
/// to the last page, or identifiers to the last of a word, where what was lost on the way shows,
/// and such as crowd onto one page.</summary>
internal sealed class Scenario(Arguments arguments)
{
    /// <summary>Larger segments take the specification longer to fill than they are worth.
    /// </summary>
    private const ulong MostPages = 4096;

    private readonly Queue<Call> _next = [];

    /// <summary>The next call of a scenario, or of a new one where the swarm has such; null where
    /// neither is at hand.</summary>
    public Call? Next()
    {
        if (_next.Count == 0 && arguments.Random.Percent(arguments.Swarm.FillsPercent))
        {
            switch (arguments.Random.Below(5))
            {
                case 0: Number(); break;
                case 1: Crowd(); break;
                default: Fill(); break;
            }
        }

        return _next.TryDequeue(out Call? call) ? call : null;
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
            _next.Enqueue(new ShmAt(
                caller, segment, AddressRef.Null, new ShmAtFlags(0), mapping));
            if (touches)
            {
                _next.Enqueue(new Store(caller, mapping, new TouchedPage(0), 1));
            }
        }
    }

    /// <summary>So many segments that their identifiers fill a word of a bitmap; some of them
    /// go, and their numbers may be asked for again.</summary>
    private void Number()
    {
        Random64 random = arguments.Random;
        ProcessHandle caller = arguments.Process();
        int count = random.Of<int>([20, 64, 65, 80]);
        SegmentHandle[] made = [.. Enumerable.Range(0, count).Select(_ => Create(caller))];
        for (int i = random.Below(4); i > 0; i--)
        {
            int gone = random.Below(count);
            _next.Enqueue(new ShmCtlRmid(caller, made[gone]));
            if (random.OneIn(2))
            {
                _next.Enqueue(new SetSysctl(Sysctl.ShmNextId, (ulong)gone));
            }

            Create(caller);
        }
    }

    private SegmentHandle Create(ProcessHandle caller)
    {
        SegmentHandle segment = arguments.World.NewSegment();
        _next.Enqueue(new ShmGet(
            caller, new ShmKey(0), arguments.Machine.PageSize, NewSegment(huge: false), segment));
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
        ulong units = huge
            ? random.Of<ulong>([machine.HugePages, machine.HugePages + 1])
            : random.Of<ulong>([machine.Frames, machine.TotalPages, machine.TotalPages + 1]);
        if (units is 0 or > MostPages)
        {
            return;
        }

        ProcessHandle caller = arguments.Process();
        SegmentHandle segment = arguments.World.NewSegment();
        MappingHandle mapping = arguments.World.NewMapping();
        _next.Enqueue(new ShmGet(
            caller, new ShmKey(0), units * unit, NewSegment(huge), segment));
        _next.Enqueue(new ShmAt(
            caller, segment, AddressRef.Null, new ShmAtFlags(0), mapping));
        _next.Enqueue(new MAdvise(
            caller, AddressRef.Of(mapping, 0), units * unit, Advice.MADV_POPULATE_WRITE));
        if (machine.SwapSlots > 0 && random.OneIn(2))
        {
            _next.Enqueue(new Reclaim(segment, new PageRange(0, units - 1)));
        }

        if (random.OneIn(2))
        {
            _next.Enqueue(new ShmDt(caller, mapping));
            _next.Enqueue(new ShmCtlRmid(caller, segment));
        }
    }
}
