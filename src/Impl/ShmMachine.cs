using System.Numerics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>A machine with System V shared memory: processes, their address spaces, segments,
/// swap and the huge page pool, with the books that Linux keeps about them.</summary>
/// <remarks>
/// The methods are the system calls, and allocate nothing once the machine's arrays have grown to
/// what the workload needs. A process is named by its pid (a thread by its tid); a call of one
/// that does not exist is <see cref="Errno.ESRCH"/>. A process that waits for a vfork child must
/// not make calls. One machine is not for use by several threads at once.
/// <code>
/// var machine = new ShmMachine(new MachineConfig());
/// int id = (int)machine.ShmGet(ShmMachine.FirstPid, 0, 8192, ShmGetFlags.IPC_CREAT | 0x180).Word;
/// ulong address = (ulong)machine.ShmAt(ShmMachine.FirstPid, id, 0, 0).Word;
/// machine.Store(ShmMachine.FirstPid, address, 42);
/// </code>
/// </remarks>
public sealed partial class ShmMachine
{
    /// <summary>Pid of the process that a machine starts with.</summary>
    public const int FirstPid = 1;

    private readonly MachineConfig _config;
    private readonly KernelRules _rules;
    private readonly FailurePlan _plan = new();
    private readonly StateStore _store = new();
    private readonly Radix _radix;
    private readonly FramePool _frames;
    private readonly SwapSpace _swap;
    private readonly HugePool _pool;
    private readonly CommitAccount _commit;
    private readonly NamespaceTable _namespaces;
    private readonly SegmentTable _segments;
    private readonly IdTable _ids;
    private readonly ObjectPages _pages;
    private readonly LockCharges _locks;
    private readonly GroupTable _groups;
    private readonly TaskTable _tasks;
    private readonly GroupSets _groupSets;
    private readonly SegmentLifetime _lifetime;
    private readonly AttachTable _attaches;
    private readonly SpaceTable _spaces;
    private readonly GapTable _gaps;
    private readonly MappingTable _mappings;
    private readonly PageTables _tables;
    private readonly Paging _paging;
    private readonly AddressSpaces _addressSpaces;
    private readonly Population _population;
    private readonly Scalar _hugeGroup;
    private readonly Scalar _lastPid;
    private readonly int _pageShift;
    private readonly int _hugeShift;
    private int _caller;
    private int _task;
    private int _group;
    private int _space;
    private int _namespace;
    private bool _undoes;

    /// <summary>Starts a machine.</summary>
    /// <param name="config">What it looks like.</param>
    public ShmMachine(MachineConfig config)
    {
        Validate(config);
        _config = config;
        _rules = new KernelRules(config.Profile);
        _pageShift = BitOperations.Log2(config.PageSize);
        _hugeShift = BitOperations.Log2(config.HugePageSize);
        _radix = new Radix(_store);
        _frames = new FramePool(_store, config, _plan);
        _swap = new SwapSpace(_store, config, _plan);
        _pool = new HugePool(_store, config, _frames, _plan);
        _commit = new CommitAccount(_store, config, _frames, _pool, _swap);
        _namespaces = new NamespaceTable(_store);
        _segments = new SegmentTable(_store, _radix);
        _ids = new IdTable(_store, _radix, _namespaces);
        _pages = new ObjectPages(
            _store, _segments, _namespaces, _frames, _swap, _pool, _commit, _hugeShift);
        _locks = new LockCharges(_store, _radix);
        _groups = new GroupTable(_store, _radix);
        _tasks = new TaskTable(_store, _radix, _groups);
        _groupSets = new GroupSets(_store, _radix);
        _lifetime = new SegmentLifetime(
            _store, _segments, _namespaces, _tasks, _ids, _pages, _locks, _pageShift);
        _attaches = new AttachTable(_store);
        _spaces = new SpaceTable(_store, _radix);
        _gaps = new GapTable(_store, _radix);
        _mappings = new MappingTable(
            _store, _spaces, _segments, _attaches, _gaps, _pageShift);
        _tables = new PageTables(_spaces);
        _paging = new Paging(
            _rules, _segments, _spaces, _mappings, _tables, _pages, _pageShift);
        _addressSpaces = new AddressSpaces(_store, _rules, _plan, _spaces, _mappings, _attaches,
            _segments, _lifetime, _paging, _commit, _pageShift);
        _population = new Population(_rules, _mappings, _paging, _addressSpaces, _pageShift);
        _hugeGroup = _store.NewScalar();
        _lastPid = _store.NewScalar();
        Start();
    }

    /// <summary>What the machine looked like at its start.</summary>
    public MachineConfig Config => _config;

    /// <summary>Seconds of the clock that stamps are taken from. It stands still unless it is
    /// set.</summary>
    public long Clock
    {
        get => _lifetime.Clock;
        set => _lifetime.Clock = value;
    }

    /// <summary>Whether there is a thread of this number, or a process some of whose threads are
    /// left.</summary>
    public bool IsAlive(int pid) => _tasks.Find(pid) != 0 || _groups.Find(pid) != 0;

    /// <summary>Whether there is a thread of this number, which can make calls.</summary>
    public bool IsThread(int tid) => _tasks.Find(tid) != 0;

    /// <summary>Whether a thread waits for a vfork child, and so must not make calls.</summary>
    public bool IsWaiting(int pid) => _tasks[_tasks.Find(pid)].VForkChild != 0;

    /// <summary>Makes one allocation of the next call fail.</summary>
    /// <param name="kind">What is allocated.</param>
    /// <param name="nth">Which one, counted from 1 within the call. When fewer happen, nothing
    /// fails.</param>
    public void FailAllocation(AllocationKind kind, int nth) => _plan.Arm(kind, nth);

    private ulong PageSize => _config.PageSize;

    /// <summary>How far behind the start of its page an address is.</summary>
    private ulong WithinPage(ulong address) => address & (PageSize - 1);

    private ulong MemLockLimit => _groups[_group].MemLock;

    private bool IsCapable(CapabilitySet capability) => _tasks.IsCapable(_task, capability);

    private static void Validate(MachineConfig config)
    {
        if (!BitOperations.IsPow2(config.PageSize) || config.PageSize < 4096
            || !BitOperations.IsPow2(config.HugePageSize)
            || config.HugePageSize <= config.PageSize || config.TotalPages > int.MaxValue
            || config.SwapSlots > int.MaxValue)
        {
            throw new ArgumentException($"not a machine this implementation can be: {config}");
        }
    }

    private void Start()
    {
        int ns = AddNamespace();
        _namespaces.Change(ns).MaxSize = _config.ShmMax;
        _namespaces.Change(ns).MaxPages = _config.ShmAll;
        _namespaces.Change(ns).MaxSegments = (ulong)_config.ShmMni;
        _namespaces.Change(ns).DestroysOrphans = _config.ShmRmidForced ? (byte)1 : (byte)0;
        _hugeGroup.Value = (ulong)_config.HugetlbShmGroup;
        _lastPid.Value = FirstPid;
        _pool.Resize(_config.HugePages, _pages);
        int group = _groups.Add(FirstPid, _spaces.Add());
        _groups.Change(group).MemLock = MachineConfig.DefaultMemLock;
        _groups.Change(group).AddressLimit = LockCharges.Unlimited;
        int task = _tasks.Add(FirstPid, group, ns);
        _lifetime.Join(ns);
        _tasks.Change(task).Effective = (ulong)CapabilitySet.All;
        _tasks.Change(task).Permitted = (ulong)CapabilitySet.All;
    }

    /// <summary>Starts a call of a process.</summary>
    /// <returns>False when there is no such process.</returns>
    private bool Enter(int pid)
    {
        if ((_caller != pid || pid == 0) && !TryBecome(pid))
        {
            _plan.Disarm();
            return false;
        }

        BeginUndo();
        return true;
    }

    /// <summary>Looks up who makes calls from now on.</summary>
    private bool TryBecome(int pid)
    {
        ForgetCaller();
        _task = _tasks.Find(pid);
        if (_task == 0)
        {
            return false;
        }

        _group = _tasks[_task].Group;
        _space = _groups[_group].Space;
        _namespace = _tasks[_task].Namespace;
        _lifetime.Actor = _groups[_group].Pid;
        _caller = pid;
        return true;
    }

    /// <summary>Whoever made the last call may be gone, or have another address space or
    /// namespace, when the next one comes.</summary>
    private void ForgetCaller() => _caller = 0;

    /// <summary>Ends a call. One that failed for want of an identifier or of bookkeeping memory
    /// has changed nothing.</summary>
    private Outcome Leave(Outcome outcome)
    {
        if (_undoes || _plan.IsArmed || _lifetime.HasUnused)
        {
            CleanUp();
        }

        return outcome;
    }

    private void CleanUp()
    {
        bool fails = _undoes && _plan.Struck;
        if (fails)
        {
            RollBack();
            _lifetime.ForgetUnused();
        }

        _lifetime.EndUnused();
        if (_undoes && !fails)
        {
            _store.Commit();
        }

        _undoes = false;
        _plan.Disarm();
    }

    private void BeginUndo()
    {
        _undoes = _plan.NeedsUndo;
        if (_undoes)
        {
            _store.Mark();
        }
    }
}
