using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>A machine on which claims are acted out: short names for calls that succeed, and for
/// single figures.</summary>
internal sealed class Scene
{
    public const int P1 = ShmMachine.FirstPid;
    public const ulong Page = 4096;
    public const ulong Window = MachineConfig.WindowStart;
    public const Protection ReadWrite = Protection.PROT_READ | Protection.PROT_WRITE;
    private readonly Observation _observation = new();

    public Scene(MachineConfig? config = null)
    {
        Machine = new ShmMachine(config ?? new MachineConfig());
    }

    public ShmMachine Machine { get; }

    public static MachineConfig Swapping(SwapKind kind, ulong slots = 4096) =>
        new() { Frames = 8192, SwapSlots = slots, SwapKind = kind };

    /// <summary>The value of a call that must succeed.</summary>
    public static long Done(Outcome outcome)
    {
        Assert.True(outcome.Succeeded, outcome.ToString());
        return outcome.Word;
    }

    public int Segment(ulong pages, int flags = 0, int pid = P1, int key = 0) => (int)Done(
        Machine.ShmGet(pid, key, pages * Page, ShmGetFlags.IPC_CREAT | 0x1b0 | flags));

    public int HugeSegment(ulong hugePages, int flags = 0) =>
        Segment(hugePages * 512, flags | ShmGetFlags.SHM_HUGETLB);

    public ulong Attach(int id, ulong address = 0, int flags = 0, int pid = P1) =>
        (ulong)Done(Machine.ShmAt(pid, id, address, flags));

    public int Fork(int pid = P1) => (int)Done(Machine.Clone(pid, CloneFlags.None));

    public void Write(ulong address, ulong pages, int pid = P1)
    {
        for (ulong page = 0; page < pages; page++)
        {
            Done(Machine.Store(pid, address + (page * Page), (byte)(page + 1)));
        }
    }

    public void Read(ulong address, ulong pages, int pid = P1)
    {
        for (ulong page = 0; page < pages; page++)
        {
            Done(Machine.Load(pid, address + (page * Page)));
        }
    }

    public void Advise(ulong address, ulong pages, Advice advice, int pid = P1) =>
        Done(Machine.MAdvise(pid, address, pages * Page, advice));

    public void PageOut(ulong address, ulong pages) =>
        Advise(address, pages, Advice.MADV_PAGEOUT);

    public void Set(Sysctl name, ulong value) => Done(Machine.SetSysctl(name, value));

    public long Figure(GlobalField field)
    {
        Machine.Observe(_observation);
        return (long)_observation.Global[0][(int)field];
    }

    public ulong Figure(NamespaceField field)
    {
        Machine.Observe(_observation);
        return _observation.Namespaces[0][(int)field];
    }

    public ulong Figure(int id, SegmentField field)
    {
        Machine.Observe(_observation);
        for (int row = 0; row < _observation.Segments.Count; row++)
        {
            if (_observation.Segments[row][(int)SegmentField.shmid] == (ulong)id)
            {
                return _observation.Segments[row][(int)field];
            }
        }

        throw new InvalidOperationException($"no segment {id}");
    }

    public ulong Figure(int pid, ProcessField field)
    {
        Machine.Observe(_observation);
        for (int row = 0; row < _observation.Processes.Count; row++)
        {
            if (_observation.Processes[row][(int)ProcessField.Pid] == (ulong)pid)
            {
                return _observation.Processes[row][(int)field];
            }
        }

        throw new InvalidOperationException($"no process {pid}");
    }

    public ulong Figure(ulong start, MappingField field, int pid = P1)
    {
        Machine.Observe(_observation);
        for (int row = 0; row < _observation.Mappings.Count; row++)
        {
            Span<ulong> cells = _observation.Mappings[row];
            if (cells[(int)MappingField.Pid] == (ulong)pid
                && cells[(int)MappingField.Start] == start)
            {
                return cells[(int)field];
            }
        }

        throw new InvalidOperationException($"no mapping at {start:x}");
    }
}
