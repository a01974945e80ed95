using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Growth;

/// <summary>A machine with much of one thing.</summary>
internal sealed class Crowd
{
    private const int First = ShmMachine.FirstPid;
    private const int Create = ShmGetFlags.IPC_CREAT | 0x180;
    private const ulong Page = 4096;
    private const ulong HugePage = 2 << 20;
    private const ulong Pages = 8;
    private readonly MachineConfig _config;
    private readonly int _segment;
    private readonly ulong _address;
    private ulong _swapped;
    private int[] _groups = [];
    private int _member;
    private int _keys;
    private int _draws;

    private Crowd(MachineConfig config)
    {
        _config = config;
        Machine = new ShmMachine(config);
        _segment = Get(0);
        _address = Attach();
        Done(Machine.Store(First, _address, 1));
    }

    public ShmMachine Machine { get; }

    /// <summary>Another key that exists each time.</summary>
    public int Any => 1 + (int)((uint)_draws++ * 2654435769u % (uint)_keys);

    public static Crowd OfSegments(int count)
    {
        var crowd = new Crowd(new MachineConfig { Frames = 1 << 18, ShmMni = ShmId.IndexLimit });
        for (; crowd._keys < count; crowd._keys++)
        {
            crowd.Get(crowd._keys + 1);
        }

        return crowd;
    }

    /// <summary>Another segment attached again and again, with a gap of a page behind every
    /// fourth attach.</summary>
    public static Crowd OfMappings(int count)
    {
        var crowd = new Crowd(new MachineConfig { Frames = 1 << 18 });
        int segment = crowd.Get(0);
        for (int mapping = 0; mapping < count; mapping++)
        {
            ulong address = crowd.Attach(segment);
            if (mapping % 4 == 1)
            {
                Done(crowd.Machine.MUnmap(First, address + ((Pages - 1) * Page), Page));
            }
        }

        return crowd;
    }

    public static Crowd OfFrames(int count) => new(new MachineConfig { Frames = (ulong)count });

    public static Crowd OfProcesses(int count)
    {
        var crowd = new Crowd(new MachineConfig { Frames = 1 << 18 });
        for (int process = 1; process < count; process++)
        {
            Done(crowd.Machine.Clone(First, CloneFlags.None));
        }

        return crowd;
    }

    /// <summary>So many slots and so many huge pages, half of them in use.</summary>
    public static Crowd OfPools(int count)
    {
        var crowd = new Crowd(new MachineConfig
        {
            Frames = 1 << 18, SwapSlots = (ulong)count, HugePages = (ulong)count,
        });
        ulong pages = (ulong)count / 2;
        crowd._swapped = crowd.Fill(Create, pages, Page);
        Done(crowd.Machine.MAdvise(First, crowd._swapped, pages * Page, Advice.MADV_PAGEOUT));
        crowd.Fill(Create | ShmGetFlags.SHM_HUGETLB, pages, HugePage);
        return crowd;
    }

    /// <summary>A caller in so many supplementary groups, the last of which may read the segment,
    /// and a child of its own that has no other right to.</summary>
    public static Crowd OfGroups(int count)
    {
        var crowd = new Crowd(new MachineConfig { Frames = 1 << 18 });
        crowd._groups = [.. Enumerable.Range(1, count)];
        crowd.SetGroups();
        Done(crowd.Machine.ShmCtlSet(
            First, crowd._segment, uid: 0, gid: count, mode: 0x1a0, badBuffer: false));
        crowd._member = (int)Done(crowd.Machine.Clone(First, CloneFlags.None));
        Done(crowd.Machine.SetUid(crowd._member, 1));
        return crowd;
    }

    public int Get(int key) => (int)Done(Machine.ShmGet(First, key, Pages * Page, Create));

    public void GetKey(int key) => Done(Machine.ShmGet(First, key, 0, 0));

    public void Remove(int segment) => Done(Machine.ShmCtlRmid(First, segment));

    public ulong Attach() => Attach(_segment);

    public void Detach(ulong address) => Done(Machine.ShmDt(First, address));

    public void Stat() => Done(Machine.ShmCtlStat(First, _segment, badBuffer: false, out _));

    public void Info() => Done(Machine.ShmCtlShmInfo(First, 0, badBuffer: false, out _));

    public void Store() => Done(Machine.Store(First, _address, (byte)_draws++));

    public void TouchAndPunch()
    {
        Done(Machine.Store(First, _address + Page, 1));
        Done(Machine.MAdvise(First, _address + Page, Page, Advice.MADV_REMOVE));
    }

    public void Protect()
    {
        Done(Machine.MProtect(First, _address + Page, Page, Protection.PROT_READ));
        Done(Machine.MProtect(First, _address + Page, Page,
            Protection.PROT_READ | Protection.PROT_WRITE));
    }

    /// <summary>Frees a gap below all others, and attaches what is a page too long for it.
    /// </summary>
    public void AttachLong()
    {
        int segment = (int)Done(Machine.ShmGet(First, 0, (Pages + 1) * Page, Create));
        Done(Machine.ShmDt(First, _address));
        Detach(Attach(segment));
        Remove(segment);
        Done(Machine.ShmAt(First, _segment, _address, 0));
        Done(Machine.Store(First, _address, 1));
    }

    public void ForkAndExit()
    {
        int child = (int)Done(Machine.Clone(First, CloneFlags.None));
        Done(Machine.Exit(child));
    }

    public void Cycle()
    {
        int segment = Get(0);
        ulong address = Attach(segment);
        Done(Machine.Store(First, address, 1));
        Detach(address);
        Remove(segment);
    }

    public void Resize()
    {
        Done(Machine.SetSysctl(Sysctl.NrHugePages, 1));
        Done(Machine.SetSysctl(Sysctl.NrHugePages, 0));
    }

    public void Shrink()
    {
        Done(Machine.SetSysctl(Sysctl.NrHugePages, _config.HugePages - 1));
        Done(Machine.SetSysctl(Sysctl.NrHugePages, _config.HugePages));
    }

    public void SwapOutAndIn()
    {
        Store();
        Done(Machine.MAdvise(First, _address, Page, Advice.MADV_PAGEOUT));
        Done(Machine.Load(First, _address));
    }

    public void HugeCycle()
    {
        int segment = (int)Done(
            Machine.ShmGet(First, 0, HugePage, Create | ShmGetFlags.SHM_HUGETLB));
        ulong address = Attach(segment);
        Done(Machine.Store(First, address, 1));
        Detach(address);
        Remove(segment);
    }

    public void SwapOffAndOn()
    {
        Done(Machine.SwapOff(First));
        Done(Machine.SwapOn(First));
        ulong pages = _config.SwapSlots / 2;
        for (ulong page = 0; page < pages; page++)
        {
            Done(Machine.Load(First, _swapped + (page * Page)));
        }

        Done(Machine.MAdvise(First, _swapped, pages * Page, Advice.MADV_PAGEOUT));
    }

    public void StatAsMember() =>
        Done(Machine.ShmCtlStat(_member, _segment, badBuffer: false, out _));

    public void ChangeUser()
    {
        Done(Machine.SetResUid(First, -1, 1, -1));
        Done(Machine.SetResUid(First, -1, 0, -1));
    }

    public void SetGroups() => Done(Machine.SetGroups(First, _groups));

    public void Restart() => _ = new ShmMachine(_config);

    /// <summary>Makes a segment, attaches it and writes to all its pages.</summary>
    private ulong Fill(int flags, ulong pages, ulong pageSize)
    {
        ulong address = Attach((int)Done(Machine.ShmGet(First, 0, pages * pageSize, flags)));
        for (ulong page = 0; page < pages; page++)
        {
            Done(Machine.Store(First, address + (page * pageSize), 1));
        }

        return address;
    }

    private ulong Attach(int segment) => (ulong)Done(Machine.ShmAt(First, segment, 0, 0));

    private static long Done(Outcome outcome) => outcome.Succeeded ? outcome.Word
        : throw new InvalidOperationException($"a call failed: {outcome}");
}
