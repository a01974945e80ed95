using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row of tasks that differ: in their namespace, or in their rights.</summary>
internal sealed class TaskScenarios(Arguments arguments)
{
    /// <summary>Where there are more tasks than this, no scenario adds some.</summary>
    private const int MostProcesses = 8;

    /// <summary>In how many ways the rights of a task change.</summary>
    private const int TurnKinds = 9;

    /// <summary>Those of them that decide which capabilities are left: other users,
    /// PR_SET_KEEPCAPS, and execve.</summary>
    private static readonly int[] CapabilityTurns = [0, 2, 4, 4, 5];

    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;

    /// <summary>A process that leaves something of its own in a namespace and goes to another one,
    /// by itself or after somebody else, and ends there.</summary>
    public IEnumerable<Call> Emigrates()
    {
        if (_world.Processes.Count > MostProcesses)
        {
            yield break;
        }

        ProcessHandle stays = arguments.Process();
        ProcessHandle goes = _world.NewProcess();
        ProcessHandle leads = _world.NewProcess();
        if (_random.OneIn(2))
        {
            yield return new SetSysctl(Sysctl.ShmRmidForced, 1, stays);
        }

        yield return new Fork(stays, goes);
        yield return new Fork(stays, leads);
        foreach (Call call in Owns(goes).Concat(Goes(goes, leads)))
        {
            yield return call;
        }

        if (_random.OneIn(2))
        {
            foreach (Call call in Owns(goes))
            {
                yield return call;
            }
        }

        if (_random.OneIn(4))
        {
            yield return new SetNs(goes, stays);
        }

        yield return _random.Below(3) switch
        {
            0 => new Exec(goes),
            1 => new Exit(goes),
            _ => new ExitGroup(goes),
        };
        if (_random.OneIn(3))
        {
            yield return new SetSysctl(Sysctl.ShmRmidForced, 1, leads);
        }

        yield return _random.OneIn(2) ? new ExitGroup(leads)
            : new ShmCtlShmInfo(stays, SegmentRef.Literal(0));
    }

    /// <summary>Two processes of other users and groups, and a segment of one that both ask for
    /// what they may have or not.</summary>
    public IEnumerable<Call> Ask()
    {
        if (_world.Processes.Count > MostProcesses)
        {
            yield break;
        }

        ProcessHandle parent = arguments.Process();
        ProcessHandle[] asking = [_world.NewProcess(), _world.NewProcess()];
        foreach (ProcessHandle process in asking)
        {
            yield return new Fork(parent, process);
            foreach (Call call in Becomes(process))
            {
                yield return call;
            }
        }

        SegmentHandle segment = _world.NewSegment();
        var key = new ShmKey(1 + _random.Below(4));
        ulong size = (1 + (ulong)_random.Below(2)) * arguments.Machine.PageSize;
        yield return new ShmGet(
            asking[0], key, size, new ShmGetFlags(ShmGetFlags.IPC_CREAT | Mode()), segment);
        if (_random.Percent(65))
        {
            yield return new ShmCtlSet(
                _random.OneIn(2) ? asking[0] : parent, segment, Id(), Id(), Mode());
        }

        SegmentHandle[] segments = [segment, segment, _world.NewSegment()];
        yield return new ShmGet(
            asking[_random.Below(2)], ShmKey.Private, size,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | Mode()), segments[^1]);
        for (int i = 4 + _random.Below(6); i > 0; i--)
        {
            SegmentHandle asked = segments[_random.Below(segments.Length)];
            yield return Asks(asking[_random.OneIn(3) ? 0 : 1], asked, key);
        }
    }

    /// <summary>Users who lock each other's segments, and whose limits are so low that what is
    /// charged to whom shows.</summary>
    public IEnumerable<Call> Charges()
    {
        if (_world.Processes.Count > MostProcesses)
        {
            yield break;
        }

        ProcessHandle root = arguments.Process();
        ProcessHandle[] users = [_world.NewProcess(), _world.NewProcess()];
        foreach (ProcessHandle user in users)
        {
            yield return new Fork(root, user);
            yield return new SetRLimit(
                user, Resource.RLIMIT_MEMLOCK,
                (1 + (ulong)_random.Below(3)) * arguments.Machine.PageSize);
            int id = 1000 + _random.Below(2);
            yield return new SetResUid(user, id, id, _random.OneIn(2) ? id : -1);
        }

        SegmentHandle[] segments =
            [_world.NewSegment(), _world.NewSegment(), _world.NewSegment()];
        foreach (SegmentHandle segment in segments)
        {
            yield return PlainCalls.Create(
                users[_random.Below(2)],
                (1 + (ulong)_random.Below(2)) * arguments.Machine.PageSize, segment);
        }

        for (int i = 6 + _random.Below(8); i > 0; i--)
        {
            ProcessHandle caller = _random.OneIn(3) ? root : users[_random.Below(2)];
            SegmentHandle segment = segments[_random.Below(segments.Length)];
            yield return _random.Below(16) switch
            {
                < 8 => new ShmCtlLock(caller, segment),
                < 13 => new ShmCtlUnlock(caller, segment),
                13 => new ShmCtlRmid(caller, segment),
                14 => new ShmCtlSet(root, segment, Id(), Id(), 0x180),
                _ => new SetResUid(users[_random.Below(2)], IdOrNone(), IdOrNone(), -1),
            };
        }
    }

    /// <summary>A process whose users, groups and capabilities change again and again, and that
    /// asks in between for what only some of them may have.</summary>
    public IEnumerable<Call> Changes()
    {
        if (_world.Processes.Count > MostProcesses)
        {
            yield break;
        }

        ProcessHandle parent = arguments.Process();
        ProcessHandle child = _world.NewProcess();
        SegmentHandle segment = _world.NewSegment();
        yield return new ShmGet(
            parent, ShmKey.Private, arguments.Machine.PageSize,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | _random.Of<int>([0x180, 0x1a0, 0])), segment);
        yield return new Fork(parent, child);
        int[] turns = _random.Below(3) switch
        {
            0 => [.. Enumerable.Range(0, TurnKinds)],
            1 => CapabilityTurns,
            _ => [_random.Below(TurnKinds), _random.Below(TurnKinds), _random.Below(TurnKinds)],
        };
        for (int i = 4 + _random.Below(6); i > 0; i--)
        {
            yield return Turns(child, _random.Of<int>(turns));
            if (_random.OneIn(2))
            {
                yield return Tries(child, segment);
            }
        }

        yield return Tries(child, segment);
    }

    /// <summary>A process of several threads, of which one ends, or becomes the only one.</summary>
    public IEnumerable<Call> Threads()
    {
        if (_world.Processes.Count > MostProcesses)
        {
            yield break;
        }

        ProcessHandle parent = arguments.Process();
        var threads = new List<ProcessHandle> { _world.NewProcess() };
        ProcessHandle leader = threads[0];
        yield return new Fork(parent, leader);
        for (int i = 1 + _random.Below(3); i > 0; i--)
        {
            threads.Add(_world.NewProcess());
            yield return new Clone(
                threads[_random.Below(threads.Count - 1)],
                CloneFlags.CLONE_VM | CloneFlags.CLONE_THREAD, threads[^1]);
        }

        for (int i = 3 + _random.Below(4); i > 0 && threads.Count > 0; i--)
        {
            ProcessHandle thread = threads[_random.Below(threads.Count)];
            switch (_random.Below(6))
            {
                case 0 or 1:
                    threads.Remove(thread);
                    yield return new Exit(thread);
                    break;
                case 2:
                    threads = [leader];
                    yield return new Exec(thread);
                    break;
                case 3:
                    threads.Clear();
                    yield return new Kill(_random.OneIn(3) ? thread : leader);
                    break;
                default:
                    foreach (Call call in Owns(thread))
                    {
                        yield return call;
                    }

                    break;
            }
        }

        yield return new ShmCtlShmInfo(parent, SegmentRef.Literal(0));
    }

    private Call Turns(ProcessHandle caller, int turn) => turn switch
    {
        0 or 1 => new SetUid(caller, Id()),
        2 or 3 => new SetResUid(caller, IdOrNone(), IdOrNone(), IdOrNone()),
        4 => new KeepCaps(caller, !_random.OneIn(4)),
        5 => new Exec(caller),
        6 => _random.OneIn(2) ? new SetGid(caller, Id())
            : new SetResGid(caller, IdOrNone(), IdOrNone(), IdOrNone()),
        7 => new SetGroups(caller, Groups()),
        _ => new CapSet(caller, Capabilities(), _random.OneIn(2)
            ? CapabilitySet.All : Capabilities()),
    };

    private Call Tries(ProcessHandle caller, SegmentHandle segment) => _random.Below(8) switch
    {
        0 => new ShmCtlLock(caller, segment),
        1 => new ShmCtlStat(caller, segment),
        2 => new ShmCtlSet(caller, segment, 0, 0, 0x180),
        3 => new SetResUid(caller, -1, IdOrNone(), IdOrNone()),
        4 => new SetResGid(caller, IdOrNone(), Id(), -1),
        5 => new CapSet(caller, Capabilities(), Capabilities()),
        _ => new CapSet(caller, CapabilitySet.All, CapabilitySet.All),
    };

    private int IdOrNone() => _random.OneIn(3) ? -1 : Id();

    private CapabilitySet Capabilities() => _random.Of<CapabilitySet>(
    [
        CapabilitySet.None, CapabilitySet.All, CapabilitySet.All,
        CapabilitySet.All & ~_random.Of<CapabilitySet>(Enum.GetValues<CapabilitySet>()),
    ]);

    private IEnumerable<Call> Owns(ProcessHandle owner)
    {
        SegmentHandle segment = _world.NewSegment();
        yield return new ShmGet(
            owner, new ShmKey(_random.Below(3)), arguments.Machine.PageSize,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | 0x180), segment);
        MappingHandle mapping = _world.NewMapping();
        if (_random.OneIn(3))
        {
            yield return PlainCalls.Attach(owner, segment, mapping);
            yield return new Store(owner, mapping, new TouchedPage(0), 1);
        }

        switch (_random.Below(5))
        {
            case 0: yield return new ShmCtlLock(owner, segment); break;
            case 1: yield return new ShmCtlRmid(owner, segment); break;
            case 2: yield return new ShmDt(owner, mapping); break;
            default: break;
        }
    }

    private IEnumerable<Call> Goes(ProcessHandle goes, ProcessHandle leads)
    {
        if (_random.OneIn(3))
        {
            yield return new Unshare(goes);
        }
        else
        {
            yield return new Unshare(leads);
            yield return new SetNs(goes, leads);
        }
    }

    private IEnumerable<Call> Becomes(ProcessHandle process)
    {
        yield return new SetGroups(process, Groups());
        yield return new SetResGid(process, Id(), Id(), Id());
        if (_random.OneIn(2))
        {
            yield return new SetRLimit(
                process, Resource.RLIMIT_MEMLOCK,
                (ulong)_random.Below(4) * arguments.Machine.PageSize);
        }

        yield return new SetResUid(process, Id(), Id(), Id());
    }

    private Call Asks(ProcessHandle caller, SegmentHandle segment, ShmKey key) =>
        _random.Below(12) switch
        {
            0 or 1 or 2 => new ShmAt(
                caller, segment, AddressRef.Null,
                new ShmAtFlags(_random.OneIn(2) ? ShmAtFlags.SHM_RDONLY : 0),
                _world.NewMapping()),
            3 => new ShmCtlStat(caller, segment),
            4 => new ShmGet(caller, key, 0, new ShmGetFlags(Mode()), _world.NewSegment()),
            5 or 6 or 7 => new ShmCtlLock(caller, segment),
            8 => new ShmCtlUnlock(caller, segment),
            9 => new ShmCtlSet(caller, segment, Id(), Id(), Mode()),
            10 => new SetResUid(caller, -1, Id(), -1),
            _ => new ShmGet(
                caller, ShmKey.Private, arguments.Machine.PageSize,
                new ShmGetFlags(ShmGetFlags.IPC_CREAT | Mode()), _world.NewSegment()),
        };

    private int Id() => _random.Of<int>([1000, 1000, 1000, 1001, 1001, 1001, 0]);

    private int Mode() => _random.Of<int>([0x180, 0x1a0, 0x1b0, 0x120, 0x1b6, 0x30, 0x6]);

    private ImmutableArray<int> Groups() => _random.Below(4) switch
    {
        0 => [],
        1 => [1000],
        2 => [1001],
        _ => [1000, 1001],
    };
}
