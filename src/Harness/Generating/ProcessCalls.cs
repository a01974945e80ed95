using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Draws calls on processes, credentials, limits, swap and knobs.</summary>
internal sealed class ProcessCalls(Arguments arguments)
{
    private readonly Random64 _random = arguments.Random;

    public Call? Draw(CallKind kind) => kind switch
    {
        CallKind.Fork or CallKind.VFork or CallKind.Clone => Spawn(kind),
        CallKind.Exec => new Exec(NotFirst()),
        CallKind.Exit => new Exit(NotFirst()),
        CallKind.ExitGroup => new ExitGroup(NotFirst()),
        CallKind.Kill => new Kill(NotFirst()),
        CallKind.Unshare => new Unshare(arguments.Process()),
        CallKind.SetNs => new SetNs(arguments.Process(), arguments.Process()),
        CallKind.MLockAll => new MLockAll(arguments.Process(), LockAllFlags()),
        CallKind.MUnlockAll => new MUnlockAll(arguments.Process()),
        CallKind.SwapOn => new SwapOn(arguments.Process()),
        CallKind.SwapOff => new SwapOff(arguments.Process()),
        CallKind.SetSysctl => Knob(),
        CallKind.SetRLimit => Limit(),
        _ => Credential(kind),
    };

    private Call? Credential(CallKind kind) => kind switch
    {
        CallKind.SetUid => new SetUid(NotFirst(), arguments.User()),
        CallKind.SetGid => new SetGid(NotFirst(), arguments.User()),
        CallKind.SetResUid => new SetResUid(NotFirst(), Id(), Id(), Id()),
        CallKind.SetResGid => new SetResGid(NotFirst(), Id(), Id(), Id()),
        CallKind.SetGroups => new SetGroups(NotFirst(), Groups()),
        CallKind.CapSet => new CapSet(NotFirst(), Capabilities(), Capabilities()),
        CallKind.KeepCaps => new KeepCaps(NotFirst(), _random.OneIn(2)),
        _ => null,
    };

    /// <summary>A process; the first one, without which little can happen, comes seldom.
    /// </summary>
    private ProcessHandle NotFirst()
    {
        ProcessHandle process = arguments.Process();
        return process == ProcessHandle.First && !_random.OneIn(6) ? arguments.Process() : process;
    }

    private Call Spawn(CallKind kind)
    {
        ProcessHandle caller = arguments.Process();
        if (arguments.World.Processes.Count > arguments.Swarm.MostProcesses)
        {
            return new ExitGroup(caller);
        }

        ProcessHandle child = arguments.World.NewProcess();
        return kind switch
        {
            CallKind.Fork => new Fork(caller, child),
            CallKind.VFork => new VFork(caller, child),
            _ => new Clone(caller, CloneFlags(), child),
        };
    }

    private CloneFlags CloneFlags() => _random.Of<CloneFlags>(
    [
        Abi.CloneFlags.CLONE_VM | Abi.CloneFlags.CLONE_THREAD,
        Abi.CloneFlags.CLONE_VM | Abi.CloneFlags.CLONE_THREAD,
        Abi.CloneFlags.CLONE_VM, Abi.CloneFlags.CLONE_VM | Abi.CloneFlags.CLONE_VFORK,
        Abi.CloneFlags.CLONE_VFORK, Abi.CloneFlags.CLONE_NEWIPC,
        arguments.Odd() ? Abi.CloneFlags.CLONE_THREAD : Abi.CloneFlags.CLONE_VM,
    ]);

    private MLockAllFlags LockAllFlags() => arguments.Odd()
        ? _random.Of<MLockAllFlags>([0, MLockAllFlags.MCL_CURRENT, (MLockAllFlags)8])
        : _random.Of<MLockAllFlags>(
            [MLockAllFlags.MCL_FUTURE, MLockAllFlags.MCL_FUTURE | MLockAllFlags.MCL_CURRENT]);

    private int Id() => _random.OneIn(3) ? -1 : arguments.User();

    private ImmutableArray<int> Groups() => _random.Below(4) switch
    {
        0 => [],
        1 => [1000],
        2 => arguments.Odd() ? [-1] : [0],
        _ => [1000, 1001],
    };

    private CapabilitySet Capabilities()
    {
        if (_random.OneIn(3))
        {
            return _random.OneIn(2) ? CapabilitySet.All : CapabilitySet.None;
        }

        var all = Enum.GetValues<CapabilitySet>();
        return _random.OneIn(2) ? _random.Of<CapabilitySet>(all)
            : CapabilitySet.All & ~_random.Of<CapabilitySet>(all);
    }

    private SetRLimit Limit()
    {
        MachineConfig machine = arguments.Machine;
        bool locks = arguments.Swarm.IsAboutLocks;
        ulong pages = (ulong)_random.Below(locks ? 5 : 10) * machine.PageSize;
        bool memLock = locks || _random.OneIn(2);
        ulong value = _random.Below(5) switch
        {
            0 => SetRLimit.Unlimited,
            1 when memLock => 0,
            2 => pages + (ulong)_random.Below(2),
            3 => pages + machine.HugePageSize,
            _ => pages,
        };
        return new SetRLimit(
            NotFirst(), memLock ? Resource.RLIMIT_MEMLOCK : Resource.RLIMIT_AS, value);
    }

    private SetSysctl Knob()
    {
        ImmutableArray<Sysctl> wanted = arguments.Swarm.Knobs;
        Sysctl name = !wanted.IsEmpty && _random.OneIn(2) ? _random.Of(wanted.AsSpan())
            : _random.Of<Sysctl>(Enum.GetValues<Sysctl>());
        ulong page = arguments.Machine.PageSize;
        bool odd = arguments.Odd();
        long value = name switch
        {
            Sysctl.NrHugePages => odd ? _random.Of<int>([7, 8, 9, 16]) : _random.Below(7),
            Sysctl.NrOvercommitHugePages => odd ? _random.Of<int>([4, 5, 9, 64])
                : _random.Below(4),
            Sysctl.HugetlbShmGroup => _random.Of<int>([0, 1000]),
            Sysctl.OvercommitMemory => odd ? _random.Of<int>([3, -1]) : _random.Below(3),
            Sysctl.OvercommitRatio => _random.Of<int>(odd ? [-1, 99, 101, 200] : [0, 10, 50, 100]),
            Sysctl.ShmMax => (long)_random.Of<ulong>(
                [0, 1, page, 2 * page, MachineConfig.DefaultShmLimit, ulong.MaxValue]),
            Sysctl.ShmAll => (long)_random.Of<ulong>(
                [0, 1, 4, 12, MachineConfig.DefaultShmLimit, ulong.MaxValue]),
            Sysctl.ShmMni => odd ? _random.Of<int>([32769, -1])
                : _random.Of<int>([0, 1, 2, 4096, 32768]),
            Sysctl.ShmRmidForced => odd ? _random.Of<int>([2, -1]) : _random.Below(2),
            _ => odd ? _random.Of<long>([-2, -1, int.MaxValue, 1L << 40])
                : _random.Of<int>(
                    [0, 1, 5, 100, 40000, 32767, 32767, (int)(_random.Next() >> 33)]),
        };
        return new SetSysctl(
            name, (ulong)value,
            _random.OneIn(4) && SysctlText.IsOfNamespace(name) ? arguments.Process() : default);
    }
}
