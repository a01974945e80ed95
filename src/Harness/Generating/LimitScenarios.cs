using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row that come up to a limit: the pool of huge pages and what is promised of
/// it, and limits that were set just before.</summary>
internal sealed class LimitScenarios(Arguments arguments, SystemCapabilities capabilities)
{
    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;
    private readonly MachineConfig _machine = arguments.Machine;

    private ulong PageSize => _machine.PageSize;

    /// <summary>The pool grows and shrinks while pages of it are promised, in use, punched and
    /// given back.</summary>
    public IEnumerable<Call> Pool()
    {
        ProcessHandle caller = arguments.Process();
        var made = new List<Made>();
        if (_random.OneIn(2))
        {
            yield return new SetSysctl(Sysctl.NrHugePages, (ulong)_random.Below(3));
            yield return new SetSysctl(
                Sysctl.NrOvercommitHugePages, 1 + (ulong)_random.Below(4));
        }

        for (int i = 8 + _random.Below(8); i > 0; i--)
        {
            switch (_random.Below(made.Count == 0 ? 6 : 16))
            {
                case 0 or 1:
                    yield return new SetSysctl(Sysctl.NrHugePages, (ulong)_random.Below(6));
                    break;
                case 2:
                    yield return new SetSysctl(
                        Sysctl.NrOvercommitHugePages, (ulong)_random.Below(5));
                    break;
                case 3 or 4 or 5:
                    made.Add(new Made(
                        _world.NewSegment(), _world.NewMapping(), 1 + _random.Below(3)));
                    foreach (Call call in Make(caller, made[^1]))
                    {
                        yield return call;
                    }

                    break;
                case 6 or 7:
                    int gone = _random.Below(made.Count);
                    yield return new ShmDt(caller, made[gone].Mapping);
                    yield return new ShmCtlRmid(caller, made[gone].Segment);
                    made.RemoveAt(gone);
                    break;
                default:
                    yield return Use(caller, made[_random.Below(made.Count)]);
                    break;
            }
        }
    }

    /// <summary>A limit, and calls that reach it, or one unit less or more.</summary>
    public IEnumerable<Call> Limits() => _random.Below(5) switch
    {
        0 => SizeLimit(),
        1 => CountLimit(),
        2 or 3 => LockLimit(),
        _ => AddressLimit(),
    };

    private IEnumerable<Call> SizeLimit()
    {
        ProcessHandle caller = arguments.Process();
        ulong limit = _random.Of<ulong>(
            [ulong.MaxValue, ulong.MaxValue - PageSize, PageSize, (3 * PageSize) - 1]);
        yield return new SetSysctl(Sysctl.ShmMax, limit, caller);
        for (int i = 2 + _random.Below(2); i > 0; i--)
        {
            ulong size = unchecked(limit - 1 + (ulong)_random.Below(3));
            yield return Create(caller, size, _world.NewSegment());
        }
    }

    private IEnumerable<Call> CountLimit()
    {
        ProcessHandle caller = arguments.Process();
        if (_random.OneIn(3))
        {
            ProcessHandle child = _world.NewProcess();
            yield return new Clone(caller, CloneFlags.CLONE_NEWIPC, child);
            caller = child;
        }

        int limit = 1 + _random.Below(6);
        yield return new SetSysctl(
            _random.OneIn(2) ? Sysctl.ShmAll : Sysctl.ShmMni, (ulong)limit, caller);
        for (int i = 0; i <= limit; i++)
        {
            SegmentHandle segment = _world.NewSegment();
            ulong pages = _random.OneIn(3) ? 2ul : 1;
            yield return Create(caller, (pages * PageSize) - (ulong)_random.Below(2), segment);
            if (_random.OneIn(5))
            {
                yield return new ShmCtlRmid(caller, segment);
            }
        }
    }

    /// <summary>A process that may not lock beyond its limit, and locks up to it in each of the
    /// ways there are.</summary>
    private IEnumerable<Call> LockLimit()
    {
        ProcessHandle caller = _world.NewProcess();
        ulong pages = 1 + (ulong)_random.Below(4);
        SegmentHandle segment = _world.NewSegment();
        MappingHandle mapping = _world.NewMapping();
        yield return new Fork(arguments.Process(), caller);
        yield return Create(caller, 2 * PageSize, segment, 0x1b6);
        yield return PlainCalls.Attach(caller, segment, mapping);
        yield return new SetRLimit(
            caller, Resource.RLIMIT_MEMLOCK,
            (pages * PageSize) + _random.Of<ulong>([0, 0, 1, ulong.MaxValue]));
        yield return new CapSet(
            caller, CapabilitySet.All & ~CapabilitySet.CAP_IPC_LOCK, CapabilitySet.All);
        if (_random.OneIn(2))
        {
            yield return new MLockAll(caller, MLockAllFlags.MCL_FUTURE);
        }

        for (int i = 3 + _random.Below(5); i > 0; i--)
        {
            yield return Locks(caller, segment, mapping);
        }
    }

    private Call Locks(ProcessHandle caller, SegmentHandle segment, MappingHandle mapping)
    {
        ulong length = (1 + (ulong)_random.Below(4)) * PageSize;
        return _random.Below(9) switch
        {
            0 or 1 => new MMap(
                caller, AddressRef.Window((ulong)_random.Below(6)), length,
                Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED,
                _world.NewMapping()),
            2 => PlainCalls.Attach(caller, segment, _world.NewMapping()),
            3 => Moves(caller, mapping, length),
            4 => new MLock(
                caller, AddressRef.Window((ulong)_random.Below(4)), length, _random.OneIn(3)),
            5 => new MLock(caller, mapping, length, false),
            6 => new MUnlock(caller, mapping, length),
            7 => new ShmCtlLock(caller, segment),
            _ => new MUnmap(caller, AddressRef.Of(mapping, (long)PageSize), PageSize),
        };
    }

    /// <summary>A process whose addresses are few, and calls that need more of them or give some
    /// back.</summary>
    private IEnumerable<Call> AddressLimit()
    {
        ProcessHandle caller = arguments.Process();
        ProcessHandle child = _world.NewProcess();
        yield return new Fork(caller, child);
        yield return new Exec(child);
        ulong limit = 3 + (ulong)_random.Below(4);
        yield return new SetRLimit(
            child, Resource.RLIMIT_AS, (limit * PageSize) + (ulong)_random.Below(2));
        for (int i = 4 + _random.Below(4); i > 0; i--)
        {
            AddressRef start = AddressRef.Window((ulong)_random.Below(8));
            ulong length = (1 + (ulong)_random.Below(4)) * PageSize;
            yield return _random.Below(5) switch
            {
                0 => Moves(child, start, length),
                1 => new MUnmap(child, start, PageSize),
                _ => new MMap(
                    child, start, length, Protection.PROT_READ | Protection.PROT_WRITE,
                    MapFlags.MAP_FIXED, _world.NewMapping()),
            };
        }
    }

    private MRemap Moves(ProcessHandle caller, AddressRef start, ulong length)
    {
        MRemapFlags how = _random.Of<MRemapFlags>(
        [
            MRemapFlags.None, MRemapFlags.None, MRemapFlags.MREMAP_FIXED,
            MRemapFlags.MREMAP_DONTUNMAP,
        ]);
        return new MRemap(
            caller, start, how == MRemapFlags.MREMAP_DONTUNMAP ? length
                : (ulong)_random.Below(3) * PageSize, length,
            MRemapFlags.MREMAP_MAYMOVE | how,
            how == MRemapFlags.MREMAP_FIXED ? AddressRef.Window((ulong)_random.Below(8))
                : AddressRef.Null, _world.NewMapping());
    }

    private IEnumerable<Call> Make(ProcessHandle caller, Made made)
    {
        ulong size = (ulong)made.Units * _machine.HugePageSize;
        yield return PlainCalls.Create(
            caller, size, made.Segment, ShmGetFlags.SHM_HUGETLB
                | (_random.OneIn(5) ? ShmGetFlags.SHM_NORESERVE : 0)) with
        {
            Injection = Fails(),
        };
        yield return PlainCalls.Attach(caller, made.Segment, made.Mapping);
    }

    private Call Use(ProcessHandle caller, Made made)
    {
        var unit = new TouchedPage((ulong)_random.Below(made.Units), true);
        long offset = (long)(unit.Index * _machine.HugePageSize);
        return _random.Below(6) switch
        {
            0 => new MAdvise(
                caller, AddressRef.Of(made.Mapping, offset), _machine.HugePageSize,
                Advice.MADV_REMOVE),
            1 => new MAdvise(
                caller, AddressRef.Of(made.Mapping, offset), _machine.HugePageSize,
                Advice.MADV_POPULATE_WRITE)
            {
                Injection = Fails(),
            },
            2 => new Load(caller, made.Mapping, unit) { Injection = Fails() },
            _ => new Store(caller, made.Mapping, unit, 1) { Injection = Fails() },
        };
    }

    /// <summary>Now and then one of the first huge pages that a call takes is not there.</summary>
    private Injection? Fails() =>
        capabilities.Injections.Contains(AllocationKind.Huge) && _random.OneIn(6)
            ? new Injection(AllocationKind.Huge, 1 + _random.Below(3)) : null;

    private static ShmGet Create(
        ProcessHandle caller, ulong size, SegmentHandle segment, int flags = 0x180) => new(
            caller, ShmKey.Private, size, new ShmGetFlags(ShmGetFlags.IPC_CREAT | flags), segment);

    /// <summary>A huge segment, where it is attached, and its huge pages.</summary>
    private sealed record Made(SegmentHandle Segment, MappingHandle Mapping, int Units);
}
