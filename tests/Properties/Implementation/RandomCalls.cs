using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>Random sequences of calls on one machine: every kind of call and of injected failure,
/// arguments near what the machine has. Draws from its seed alone, so that a sequence can be
/// repeated.</summary>
internal sealed class RandomCalls
{
    private const int WindowPages = 48;
    private const int HugeWindowPage = 512;
    private readonly Random _random;
    private readonly MachineConfig _config;
    private readonly Observation _seen = new();
    private int _callerPid;
    private int _processes = 1;
    private int _segments;
    private int _mappings;

    public RandomCalls(int seed, MachineConfig config)
    {
        _random = new Random(seed);
        _config = config;
    }

    /// <summary>A machine with little of everything.</summary>
    public static MachineConfig SmallMachine(int seed)
    {
        var random = new Random(seed * 7919 + 1);
        ulong hugeSize = random.Next(4) == 0 ? 2ul << 20 : 16384ul << random.Next(3);
        return new MachineConfig
        {
            Profile = (KernelProfile)(seed & 3),
            Frames = (ulong)random.Next(4, 200) + (hugeSize > 1 << 20 ? 1200u : 0u),
            HugePages = (ulong)random.Next(6),
            HugePageSize = hugeSize,
            SwapSlots = (ulong)random.Next(0, 4) * 13,
            SwapKind = (SwapKind)random.Next(2),
            ShmMni = random.Next(3) == 0 ? random.Next(6) : 4096,
            ShmAll = random.Next(4) == 0
                ? (ulong)random.Next(4, 64) : MachineConfig.DefaultShmLimit,
            ShmRmidForced = random.Next(4) == 0,
            Overcommit = (OvercommitMode)random.Next(3),
            OvercommitRatio = random.Next(40, 300),
            NrOvercommitHugePages = (ulong)random.Next(4),
            HugetlbShmGroup = random.Next(2) * 1000,
        };
    }

    /// <summary>The next call, by a process that can make one.</summary>
    public Call Next(ImplSystem system, Bindings bindings)
    {
        system.Observe(_seen);
        ProcessHandle caller = Caller(system, bindings);
        _callerPid = bindings.TryResolve(caller, out int pid) ? pid : 0;
        Call call = Draw(caller);
        return _random.Next(5) == 0 ? call with { Injection = DrawInjection() } : call;
    }

    private bool Chance(int outOf) => _random.Next(outOf) == 0;

    private Injection DrawInjection() =>
        new((AllocationKind)_random.Next(5), _random.Next(1, 5));

    private ProcessHandle Caller(ImplSystem system, Bindings bindings)
    {
        for (int tries = 0; tries < 8; tries++)
        {
            var handle = new ProcessHandle(_random.Next(1, _processes + 1));
            if (CanCall(system, bindings, handle))
            {
                return handle;
            }
        }

        for (int number = 1; number <= _processes; number++)
        {
            if (CanCall(system, bindings, new ProcessHandle(number)))
            {
                return new ProcessHandle(number);
            }
        }

        return default;
    }

    private static bool CanCall(ImplSystem system, Bindings bindings, ProcessHandle handle) =>
        bindings.TryResolve(handle, out int pid) && system.Machine.IsThread(pid)
        && !system.Machine.IsWaiting(pid);

    private Call Draw(ProcessHandle caller)
    {
        int choice = _random.Next(100);
        if (!HasAttach() && caller.Number != 0 && Chance(2))
        {
            return _seen.Segments.Count == 0 || Chance(4)
                ? new ShmGet(caller, DrawKey(), DrawSize(), DrawGetFlags(), new(++_segments))
                : new ShmAt(caller, Segment(), AttachAddress(), DrawAtFlags(), new(++_mappings));
        }

        return caller.Number == 0 || choice < 6 ? DrawEnvironment(caller)
            : choice < 36 ? DrawSegmentCall(caller)
            : choice < 88 ? DrawMemoryCall(caller) : DrawProcessCall(caller);
    }

    private Call DrawEnvironment(ProcessHandle caller) => _random.Next(caller.Number == 0 ? 2 : 4)
        switch
        {
            0 => DrawSysctl() with { InNamespaceOf = Chance(2) ? default : caller },
            1 => new Reclaim(new SegmentHandle(_random.Next(1, _segments + 2)),
                new PageRange((ulong)_random.Next(4), (ulong)_random.Next(3, 40))),
            2 => new SwapOff(caller),
            _ => new SwapOn(caller),
        };

    private SetSysctl DrawSysctl() => _random.Next(10) switch
    {
        0 => new SetSysctl(Sysctl.NrHugePages, (ulong)_random.Next(-1, 8)),
        1 => new SetSysctl(Sysctl.NrOvercommitHugePages, (ulong)_random.Next(4)),
        2 => new SetSysctl(Sysctl.HugetlbShmGroup, (ulong)_random.Next(3) * 500),
        3 => new SetSysctl(Sysctl.OvercommitMemory, (ulong)_random.Next(4)),
        4 => new SetSysctl(Sysctl.OvercommitRatio, (ulong)_random.Next(20, 400)),
        5 => new SetSysctl(Sysctl.ShmMax, Chance(3) ? 40960 : MachineConfig.DefaultShmLimit),
        6 => new SetSysctl(Sysctl.ShmAll, Chance(3) ? 64 : MachineConfig.DefaultShmLimit),
        7 => new SetSysctl(Sysctl.ShmMni, Chance(3) ? 4 : 4096u),
        8 => new SetSysctl(Sysctl.ShmRmidForced, (ulong)_random.Next(2)),
        _ => new SetSysctl(Sysctl.ShmNextId, (ulong)_random.Next(-1, 200)),
    };

    private Call DrawSegmentCall(ProcessHandle p) => _random.Next(20) switch
    {
        < 5 => new ShmGet(p, DrawKey(), DrawSize(), DrawGetFlags(), new(++_segments)),
        < 11 => new ShmAt(p, Segment(), AttachAddress(), DrawAtFlags(), new(++_mappings)),
        < 13 => new ShmDt(p, Chance(2) ? NearAttach() : Address()),
        13 => new ShmCtlStat(p, Segment(), Chance(9)),
        14 => new ShmCtlSet(p, Segment(), User(), User(), _random.Next(512), Chance(9)),
        15 or 16 => new ShmCtlRmid(p, Segment()),
        17 => new ShmCtlLock(p, Segment()),
        18 => Chance(2) ? new ShmCtlUnlock(p, Segment())
            : new ShmCtlStatIndex(p, SegmentRef.Index(Handle()), Chance(2)),
        _ => _random.Next(3) switch
        {
            0 => new ShmCtlIpcInfo(p),
            1 => new ShmCtlShmInfo(p, default, Chance(5)),
            _ => new ShmCtlOther(p, Segment(), 99),
        },
    };

    private Call DrawMemoryCall(ProcessHandle p) => _random.Next(30) switch
    {
        < 6 => new Store(p, Address(), Touched(), (byte)_random.Next(256)),
        < 10 => new Load(p, Address(), Touched()),
        < 12 => new MMap(p, Address(), Length(), Access(), DrawMapFlags(), new(++_mappings)),
        < 14 => new MUnmap(p, Address(), Length()),
        < 17 => new MProtect(p, Address(), Length(), Access()),
        < 20 => new MRemap(p, Address(), Chance(6) ? 0 : Length(), Length(), DrawRemapFlags(),
            Chance(3) ? AddressRef.Null : Address(), new(++_mappings)),
        20 or 21 => new MLock(p, Address(), Length(), Chance(4)),
        22 => new MUnlock(p, Address(), Length()),
        23 => new MLockAll(p, (MLockAllFlags)_random.Next(4)),
        24 => new MUnlockAll(p),
        25 => new MBind(p, Address(), Length(), _random.Next(3)),
        _ => new MAdvise(p, Address(), Length(), DrawAdvice()),
    };

    private Call DrawProcessCall(ProcessHandle p) => _random.Next(_seen.Processes.Count > 2 ? 24
        : 10) switch
    {
        < 4 => new Fork(p, new(++_processes)),
        4 => new VFork(p, new(++_processes)),
        5 or 6 => new Clone(p, DrawCloneFlags(), new(++_processes)),
        7 => new SetRLimit(p, Chance(2) ? Resource.RLIMIT_AS : Resource.RLIMIT_MEMLOCK,
            Chance(3) ? SetRLimit.Unlimited : (ulong)_random.Next(120) * 4096),
        8 => new Unshare(p),
        9 => new SetNs(p, AnyProcess()),
        10 => new Exec(p),
        11 => new Exit(p),
        12 => new ExitGroup(p),
        13 => new Kill(AnyProcess()),
        14 => new SetUid(p, User()),
        15 => new SetGid(p, User()),
        16 => new SetResUid(p, User(), User(), User()),
        17 => new SetResGid(p, User(), User(), User()),
        18 => new SetGroups(p, [.. Enumerable.Range(0, _random.Next(3)).Select(_ => User())]),
        19 => new CapSet(p, DrawCaps(), Chance(2) ? CapabilitySet.All : DrawCaps()),
        20 => new KeepCaps(p, Chance(2)),
        _ => new Fork(p, new(++_processes)),
    };

    private ProcessHandle AnyProcess() => new(_random.Next(1, _processes + 1));

    private ulong Page => _config.PageSize;

    private int User() => _random.Next(9) switch { < 5 => 0, 5 => 1000, 6 => 1001, _ => -1 };

    private CapabilitySet DrawCaps() => (CapabilitySet)((ulong)_random.NextInt64()
        & (ulong)CapabilitySet.All);

    private ShmKey DrawKey() => Chance(3) ? ShmKey.Private : new ShmKey(_random.Next(1, 4));

    private ulong DrawSize() => _random.Next(16) switch
    {
        0 => 0,
        1 => 1,
        2 => Page + 1,
        3 => ulong.MaxValue >> _random.Next(20),
        4 => _config.HugePageSize * (ulong)_random.Next(1, 3) + (ulong)_random.Next(2),
        _ => Page * (ulong)_random.Next(1, 12),
    };

    private ShmGetFlags DrawGetFlags()
    {
        int mode = Chance(3) ? _random.Next(512) : 0x1b6;
        int flags = (Chance(8) ? 0 : ShmGetFlags.IPC_CREAT)
            | (Chance(8) ? ShmGetFlags.IPC_EXCL : 0)
            | (Chance(3) ? ShmGetFlags.SHM_HUGETLB : 0)
            | (Chance(3) ? ShmGetFlags.SHM_NORESERVE : 0);
        var drawn = new ShmGetFlags(mode | flags);
        return Chance(9) ? drawn.WithHugeSize(_random.Next(64)) : drawn;
    }

    private ShmAtFlags DrawAtFlags() => new(
        (Chance(5) ? ShmAtFlags.SHM_RDONLY : 0) | (Chance(4) ? ShmAtFlags.SHM_RND : 0)
        | (Chance(3) ? ShmAtFlags.SHM_REMAP : 0) | (Chance(9) ? ShmAtFlags.SHM_EXEC : 0));

    private SegmentHandle Handle() => new(_random.Next(1, _segments + 1));

    private SegmentRef Segment() => _random.Next(20) switch
    {
        > 4 when _seen.Segments.Count > 0 => SegmentRef.Literal((int)_seen.Segments[
            _random.Next(_seen.Segments.Count)][(int)SegmentField.shmid]),
        0 => SegmentRef.Literal(_random.Next(-2, 70)),
        1 => SegmentRef.Stale(Handle()),
        2 => SegmentRef.Index(Handle()),
        _ => Handle(),
    };

    private AddressRef AttachAddress() => Chance(2) ? AddressRef.Null
        : Chance(2) ? AddressRef.Window((ulong)_random.Next(WindowPages)) : Address();

    /// <summary>An address inside, or next to, something that the caller has attached.</summary>
    private AddressRef NearAttach()
    {
        List<int> rows = OwnMappings();
        if (rows.Count == 0)
        {
            return AddressRef.Window((ulong)_random.Next(WindowPages));
        }

        Span<ulong> mapping = _seen.Mappings[rows[_random.Next(rows.Count)]];
        ulong start = mapping[(int)MappingField.Start];
        ulong pages = (mapping[(int)MappingField.End] - start) / Page;
        ulong page = Chance(3) ? 0 : (ulong)_random.NextInt64((long)pages + 1);
        page = pages > 64 && Chance(2) ? page & ~3ul : page;
        return AddressRef.Literal(start + page * Page);
    }

    private List<int> OwnMappings() => [.. Enumerable.Range(0, _seen.Mappings.Count).Where(row =>
        _seen.Mappings[row][(int)MappingField.Pid] == (ulong)_callerPid)];

    private bool HasAttach() => OwnMappings().Count > 0;

    private AddressRef Address() => _random.Next(24) switch
    {
        < 13 => NearAttach(),
        13 => AddressRef.Literal((ulong)_random.Next(3) * Page),
        14 => AddressRef.Literal(MachineConfig.TaskSize - (ulong)_random.Next(4) * Page),
        15 => AddressRef.Window((ulong)(_random.Next(4) * HugeWindowPage)),
        < 20 when _mappings > 0 => AddressRef.Of(new(_random.Next(1, _mappings + 1)),
            (long)Page * _random.Next(-1, 8) + (Chance(12) ? 1 : 0)),
        _ => AddressRef.Window((ulong)_random.Next(WindowPages), Chance(15) ? 1 : 0),
    };

    private ulong Length() => _random.Next(20) switch
    {
        0 => 0,
        1 => ulong.MaxValue - (ulong)_random.Next(5000),
        2 => Page - 1,
        3 => _config.HugePageSize * (ulong)_random.Next(1, 4),
        4 => Page * WindowPages,
        _ => Page * (ulong)_random.Next(1, 9),
    };

    private TouchedPage Touched() => Chance(8)
        ? new TouchedPage((ulong)_random.Next(3), true) : new TouchedPage((ulong)_random.Next(4));

    private Protection Access() => Chance(2)
        ? Protection.PROT_READ | Protection.PROT_WRITE : (Protection)_random.Next(9);

    private MapFlags DrawMapFlags() => (Chance(2) ? MapFlags.MAP_FIXED : MapFlags.None)
        | (Chance(5) ? MapFlags.MAP_NORESERVE : MapFlags.None)
        | (Chance(5) ? MapFlags.MAP_FIXED_NOREPLACE : MapFlags.None);

    private MRemapFlags DrawRemapFlags() => Chance(4) ? (MRemapFlags)_random.Next(9)
        : MRemapFlags.MREMAP_MAYMOVE | (Chance(2) ? MRemapFlags.MREMAP_FIXED : 0)
            | (Chance(4) ? MRemapFlags.MREMAP_DONTUNMAP : 0);

    private Advice DrawAdvice()
    {
        Advice[] all = Enum.GetValues<Advice>();
        return Chance(2) ? all[_random.Next(all.Length)]
            : Chance(2) ? Advice.MADV_PAGEOUT : Advice.MADV_WILLNEED;
    }

    private CloneFlags DrawCloneFlags() => _random.Next(6) switch
    {
        0 => CloneFlags.CLONE_VM,
        1 => CloneFlags.CLONE_VFORK,
        2 => CloneFlags.CLONE_THREAD,
        3 => CloneFlags.None,
        4 => CloneFlags.CLONE_NEWIPC,
        _ => CloneFlags.CLONE_VM | CloneFlags.CLONE_THREAD,
    };
}
