using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>Calls of a process that does not exist. No trace can have one.</summary>
public sealed class NobodyTests
{
    private const int Nobody = 4711;
    private static readonly MachineConfig Config = new() { SwapSlots = 64 };

    public static TheoryData<string> Calls => [.. Makers.Keys];

    private static Dictionary<string, Func<ShmMachine, Outcome>> Makers { get; } = new()
    {
        ["shmget"] = m => m.ShmGet(Nobody, 0, 4096, ShmGetFlags.IPC_CREAT),
        ["shmat"] = m => m.ShmAt(Nobody, 0, 0, 0),
        ["shmdt"] = m => m.ShmDt(Nobody, MachineConfig.WindowStart),
        ["IPC_STAT"] = m => m.ShmCtlStat(Nobody, 0, badBuffer: false, out _),
        ["SHM_STAT"] = m => m.ShmCtlStatIndex(Nobody, 0, any: false, badBuffer: false, out _),
        ["IPC_SET"] = m => m.ShmCtlSet(Nobody, 0, 0, 0, 0, badBuffer: false),
        ["IPC_RMID"] = m => m.ShmCtlRmid(Nobody, 0),
        ["SHM_LOCK"] = m => m.ShmCtlLock(Nobody, 0, locks: true),
        ["IPC_INFO"] = m => m.ShmCtlIpcInfo(Nobody, 0, badBuffer: false, out _, out _, out _),
        ["SHM_INFO"] = m => m.ShmCtlShmInfo(Nobody, 0, badBuffer: false, out _),
        ["shmctl"] = m => m.ShmCtlOther(Nobody),
        ["load"] = m => m.Load(Nobody, MachineConfig.WindowStart),
        ["store"] = m => m.Store(Nobody, MachineConfig.WindowStart, 1),
        ["mmap"] = m => m.MMap(Nobody, 0, 4096, Protection.PROT_READ, default),
        ["munmap"] = m => m.MUnmap(Nobody, MachineConfig.WindowStart, 4096),
        ["mprotect"] = m => m.MProtect(Nobody, MachineConfig.WindowStart, 4096, default),
        ["mbind"] = m => m.MBind(Nobody, MachineConfig.WindowStart, 4096, 0),
        ["mremap"] = m => m.MRemap(Nobody, MachineConfig.WindowStart, 4096, 4096, default, 0),
        ["madvise"] = m => m.MAdvise(
            Nobody, MachineConfig.WindowStart, 4096, Advice.MADV_DONTNEED),
        ["mlock"] = m => m.MLock(Nobody, MachineConfig.WindowStart, 4096, onFault: false),
        ["munlock"] = m => m.MUnlock(Nobody, MachineConfig.WindowStart, 4096),
        ["mlockall"] = m => m.MLockAll(Nobody, MLockAllFlags.MCL_CURRENT),
        ["munlockall"] = m => m.MUnlockAll(Nobody),
        ["clone"] = m => m.Clone(Nobody, CloneFlags.None),
        ["exec"] = m => m.Exec(Nobody),
        ["exit"] = m => m.Exit(Nobody),
        ["exit_group"] = m => m.ExitGroup(Nobody),
        ["kill"] = m => m.Kill(Nobody),
        ["setrlimit"] = m => m.SetRLimit(Nobody, Resource.RLIMIT_MEMLOCK, 0),
        ["unshare"] = m => m.Unshare(Nobody),
        ["setns"] = m => m.SetNs(Nobody, ShmMachine.FirstPid),
        ["setuid"] = m => m.SetUid(Nobody, 0),
        ["setgid"] = m => m.SetGid(Nobody, 0),
        ["setresuid"] = m => m.SetResUid(Nobody, 0, 0, 0),
        ["setresgid"] = m => m.SetResGid(Nobody, 0, 0, 0),
        ["setgroups"] = m => m.SetGroups(Nobody, [1]),
        ["capset"] = m => m.CapSet(Nobody, default, default),
        ["PR_SET_KEEPCAPS"] = m => m.KeepCaps(Nobody, keep: true),
        ["swapon"] = m => m.SwapOn(Nobody),
        ["swapoff"] = m => m.SwapOff(Nobody),
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public void A_call_of_nobody_is_ESRCH_and_changes_nothing(string call)
    {
        var machine = new ShmMachine(Config);
        byte[] before = machine.Save();
        machine.FailAllocation(AllocationKind.Bookkeeping, 1);
        Assert.Equal(Errno.ESRCH, Makers[call](machine).Errno);
        Assert.Equal(before, machine.Save());
        // The allocation that was to fail was one of that call.
        Assert.True(machine.Clone(ShmMachine.FirstPid, CloneFlags.None).Succeeded);
    }
}
