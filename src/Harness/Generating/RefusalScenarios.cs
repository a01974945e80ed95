using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row that are refused for several reasons at once, of which the first one to
/// be tested shows, and what a refused call may have done by then.</summary>
internal sealed class RefusalScenarios(Arguments arguments)
{
    /// <summary>Where there are more tasks than this, no scenario adds some.</summary>
    private const int MostProcesses = 8;

    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;
    private readonly MachineConfig _machine = arguments.Machine;

    private ulong PageSize => _machine.PageSize;

    /// <summary>A process without rights, or little memory that it may have, and calls whose
    /// arguments are as likely wrong as right.</summary>
    public IEnumerable<Call> Refusals()
    {
        if (_world.Processes.Count > MostProcesses)
        {
            yield break;
        }

        ProcessHandle parent = arguments.Process();
        var refused = new Refused(
            _world.NewProcess(), _world.NewSegment(), _world.NewMapping(),
            AddressRef.Window((ulong)_random.Below(4)));
        foreach (Call call in Begin(parent, refused))
        {
            yield return call;
        }

        foreach (Call call in Poor(refused.Caller))
        {
            yield return call;
        }

        for (int i = 8 + _random.Below(9); i > 0; i--)
        {
            yield return Tries(refused);
        }
    }

    private IEnumerable<Call> Begin(ProcessHandle parent, Refused refused)
    {
        yield return new Fork(parent, refused.Caller);
        yield return new ShmGet(
            parent, ShmKey.Private, 2 * PageSize,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | _random.Of<int>([0x1b6, 0x1b6, 0x124, 0])),
            refused.Segment);
        yield return new ShmAt(
            refused.Caller, refused.Segment, AddressRef.Null,
            new ShmAtFlags(_random.OneIn(3) ? ShmAtFlags.SHM_RDONLY : 0), refused.Mapping);
        yield return new MMap(
            refused.Caller, refused.Place, 2 * PageSize,
            _random.OneIn(3) ? Protection.PROT_READ
                : Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED,
            _world.NewMapping());
    }

    /// <summary>Two or three things that a process may not have.</summary>
    private IEnumerable<Call> Poor(ProcessHandle caller)
    {
        if (_random.OneIn(3))
        {
            yield return new SetSysctl(Sysctl.OvercommitRatio, 0);
            yield return new SetSysctl(Sysctl.OvercommitMemory, (ulong)OvercommitMode.Never);
        }

        if (_random.OneIn(2))
        {
            yield return new SetRLimit(
                caller, Resource.RLIMIT_AS, (4 + (ulong)_random.Below(3)) * PageSize);
        }

        if (_random.OneIn(2))
        {
            yield return new SetRLimit(
                caller, Resource.RLIMIT_MEMLOCK, (ulong)_random.Below(3) * PageSize);
            if (_random.OneIn(2))
            {
                yield return new MLockAll(caller, MLockAllFlags.MCL_FUTURE);
            }
        }

        if (_random.Percent(70))
        {
            yield return _random.OneIn(2) ? new SetUid(caller, 1000)
                : new CapSet(caller, CapabilitySet.None, CapabilitySet.All);
        }
    }

    private Call Tries(Refused refused)
    {
        ProcessHandle caller = refused.Caller;
        AddressRef start = Address(refused);
        ulong length = Length();
        switch (_random.Below(16))
        {
            case < 4:
                return new MRemap(
                    caller, start, Length(), Length(), _random.Of<MRemapFlags>(
                    [
                        MRemapFlags.None, MRemapFlags.MREMAP_MAYMOVE,
                        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
                        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
                        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_DONTUNMAP,
                        MRemapFlags.MREMAP_FIXED,
                    ]),
                    Address(refused), _world.NewMapping());
            case < 7:
                return new MMap(
                    caller, start, length, arguments.Protection(), _random.Of<MapFlags>(
                    [
                        MapFlags.None, MapFlags.MAP_FIXED, MapFlags.MAP_FIXED,
                        MapFlags.MAP_FIXED_NOREPLACE, MapFlags.MAP_NORESERVE,
                    ]),
                    _world.NewMapping());
            case < 10:
                return new ShmAt(
                    caller, Segment(refused), start, new ShmAtFlags(_random.Of<int>(
                    [
                        0, ShmAtFlags.SHM_RDONLY, ShmAtFlags.SHM_REMAP, ShmAtFlags.SHM_RND,
                        ShmAtFlags.SHM_RND | ShmAtFlags.SHM_REMAP, ShmAtFlags.SHM_EXEC,
                    ])),
                    _world.NewMapping());
            case 10:
                return new MProtect(caller, start, length, arguments.Protection());
            case 11:
                return new MLock(caller, start, length, _random.OneIn(3));
            case 12:
                return new MAdvise(caller, start, length, _random.Of<Advice>(
                [
                    Advice.MADV_REMOVE, Advice.MADV_DONTNEED, Advice.MADV_PAGEOUT,
                    Advice.MADV_POPULATE_WRITE, Advice.MADV_FREE, (Advice)99,
                ]));
            case 13:
                return new MBind(caller, start, length, _random.Of<int>([0, 1, 7, -1]));
            case 14:
                return Controls(caller, Segment(refused));
            default:
                return new ShmGet(
                    caller, new ShmKey(_random.Below(3)), Length(),
                    new ShmGetFlags(0x180 | _random.Of<int>(
                    [
                        0, ShmGetFlags.IPC_CREAT, ShmGetFlags.IPC_CREAT,
                        ShmGetFlags.IPC_CREAT | ShmGetFlags.IPC_EXCL,
                        ShmGetFlags.IPC_CREAT | ShmGetFlags.SHM_HUGETLB,
                    ])), _world.NewSegment());
        }
    }

    private Call Controls(ProcessHandle caller, SegmentRef segment) => _random.Below(6) switch
    {
        0 => new ShmCtlSet(
            caller, segment, _random.OneIn(2) ? -1 : 1000, 1000, 0x1b6, _random.OneIn(3)),
        1 => new ShmCtlStat(caller, segment, _random.OneIn(2)),
        2 => new ShmCtlStatIndex(caller, segment, _random.OneIn(2), _random.OneIn(2)),
        3 => new ShmCtlIpcInfo(caller, segment, _random.OneIn(2)),
        4 => new ShmCtlLock(caller, segment),
        _ => new ShmCtlUnlock(caller, segment),
    };

    private SegmentRef Segment(Refused refused) => _random.Below(8) switch
    {
        0 => SegmentRef.Literal(-1),
        1 => SegmentRef.Literal(32768),
        2 => SegmentRef.Stale(refused.Segment),
        _ => refused.Segment,
    };

    private AddressRef Address(Refused refused) => _random.Below(10) switch
    {
        < 3 => refused.Place,
        < 5 => AddressRef.Of(refused.Mapping, _random.OneIn(3) ? (long)PageSize : 0),
        5 => AddressRef.Of(refused.Mapping, arguments.BitWithin()),
        6 => AddressRef.Null,
        7 => AddressRef.Literal(MachineConfig.MinMapAddress - PageSize),
        8 => arguments.WildAddress(),
        _ => AddressRef.Window(8 + (ulong)_random.Below(3)),
    };

    private ulong Length()
    {
        ulong most = _machine.TotalPages + _machine.SwapSlots + 1;
        return _random.Below(10) switch
        {
            < 4 => PageSize,
            < 6 => 2 * PageSize,
            6 => 0,
            7 => most * PageSize,
            8 => _random.Of<ulong>([1, PageSize - 1, 3 * PageSize, (4 * PageSize) + 1]),
            _ => _random.Of<ulong>(
                [MachineConfig.TaskSize, ulong.MaxValue, ulong.MaxValue - PageSize, 1ul << 47]),
        };
    }

    /// <summary>Who is refused, a segment that it may have attached, and where it has memory of its
    /// own.</summary>
    private sealed record Refused(
        ProcessHandle Caller, SegmentHandle Segment, MappingHandle Mapping, AddressRef Place);
}
