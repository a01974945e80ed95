using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Growth;

/// <summary>A machine with much of one thing.</summary>
internal sealed class Crowd
{
    private const int First = ShmMachine.FirstPid;
    private const int Create = ShmGetFlags.IPC_CREAT | 0x180;
    private const ulong Page = 4096;
    private const ulong Pages = 8;
    private readonly MachineConfig _config;
    private readonly int _segment;
    private readonly ulong _address;
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

    /// <summary>Frees a gap below all others, and attaches what is a page too long for it.</summary>
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

    public void Restart() => _ = new ShmMachine(_config);

    private ulong Attach(int segment) => (ulong)Done(Machine.ShmAt(First, segment, 0, 0));

    private static long Done(Outcome outcome) => outcome.Succeeded ? outcome.Word
        : throw new InvalidOperationException($"a call failed: {outcome}");
}
