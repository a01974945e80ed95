using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>Tests that count allocated bytes run alone: a collection that another test causes
/// falsifies the count of a thread.</summary>
[CollectionDefinition(nameof(CountsBytes), DisableParallelization = true)]
public class CountsBytes;

[Collection(nameof(CountsBytes))]
public class SteadyStateTests
{
    private const int P1 = ShmMachine.FirstPid;
    private const int Flags = ShmGetFlags.IPC_CREAT | 0x1b6;
    private readonly Observation _observation = new();

    [Fact]
    public void A_steady_workload_allocates_nothing()
    {
        var machine = new ShmMachine(new MachineConfig
        {
            Frames = 4096, SwapSlots = 512, HugePages = 8, SwapKind = SwapKind.Asynchronous,
        });
        for (int warmUp = 0; warmUp < 300; warmUp++)
        {
            OneRound(machine);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 1000; round++)
        {
            OneRound(machine);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_machine_of_one_terabyte_starts_and_works_in_little_memory()
    {
        GC.Collect();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var machine = new ShmMachine(new MachineConfig
        {
            Frames = 1ul << 28, SwapSlots = 1ul << 28, HugePages = 4,
        });
        OneRound(machine);
        Assert.True(machine.SetSysctl(Sysctl.NrHugePages, 1000).Succeeded);
        int id = (int)machine.ShmGet(P1, 0, 1ul << 39, Flags | ShmGetFlags.SHM_NORESERVE).Word;
        ulong address = (ulong)machine.ShmAt(P1, id, 0, 0).Word;
        foreach (ulong far in new ulong[] { 0, 1ul << 38, (1ul << 39) - 4096 })
        {
            Assert.True(machine.Store(P1, address + far, 3).Succeeded);
            Assert.Equal(3, machine.Load(P1, address + far).Word);
        }

        machine.Observe(_observation);
        Assert.Equal(3ul, _observation.Namespaces[0][(int)NamespaceField.shm_rss]);
        long used = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(machine);
        Assert.InRange(used, 0, 4 << 20);
    }

    private void OneRound(ShmMachine machine)
    {
        int id = (int)Check(machine.ShmGet(P1, 0x77, 8 * 4096, Flags));
        int huge = (int)Check(machine.ShmGet(P1, 0, 2 << 20, Flags | ShmGetFlags.SHM_HUGETLB));
        ulong address = (ulong)Check(machine.ShmAt(P1, id, 0, 0));
        ulong hugeAddress = (ulong)Check(machine.ShmAt(P1, huge, 0, 0));
        Check(machine.Store(P1, hugeAddress, 5));
        for (ulong page = 0; page < 8; page++)
        {
            Check(machine.Store(P1, address + (page * 4096), (byte)page));
        }

        Check(machine.MProtect(P1, address + 8192, 4096, Protection.PROT_READ));
        Check(machine.MAdvise(P1, address, 4 * 4096, Advice.MADV_PAGEOUT));
        Check(machine.MAdvise(P1, address, 4 * 4096, Advice.MADV_WILLNEED));
        Check(machine.Load(P1, address));
        int child = (int)Check(machine.Clone(P1, CloneFlags.None));
        Check(machine.Load(child, address + 4096));
        Check(machine.MRemap(
            child, address, 8192, 8192, MRemapFlags.MREMAP_MAYMOVE, MachineConfig.WindowStart));
        Check(machine.MLock(child, address, 4096, onFault: false));
        ulong own = (ulong)Check(machine.MMap(child, 0, 16384, (Protection)3, MapFlags.None));
        Check(machine.Store(child, own, 9));
        Check(machine.Exec(child));
        Check(machine.Unshare(child));
        Check(machine.SetSysctl(Sysctl.ShmMni, 4, child));
        int apart = (int)Check(machine.ShmGet(child, 0x77, 4096, Flags));
        Check(machine.ShmAt(child, apart, 0, 0));
        Check(machine.SetNs(child, P1));
        Check(machine.SetUid(child, 1000));
        machine.Observe(_observation);
        machine.Mark();
        Check(machine.ShmDt(P1, address));
        machine.RollBack();
        machine.FailAllocation(AllocationKind.Bookkeeping, 1);
        Assert.False(machine.Clone(P1, CloneFlags.None).Succeeded);
        Check(machine.ExitGroup(child));
        Check(machine.ShmCtlStat(P1, id, badBuffer: false, out _));
        Check(machine.ShmCtlRmid(P1, id));
        Check(machine.ShmCtlRmid(P1, huge));
        Check(machine.ShmDt(P1, address));
        Check(machine.ShmDt(P1, hugeAddress));
    }

    private static long Check(Outcome outcome)
    {
        Assert.True(outcome.Succeeded);
        return outcome.Word;
    }
}
