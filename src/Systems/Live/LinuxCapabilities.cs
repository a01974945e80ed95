using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>What the running kernel can be asked, and how exactly it answers.</summary>
internal static class LinuxCapabilities
{
    /// <summary>The largest huge page pool a run may have, in huge pages.</summary>
    public const ulong MostHugePages = 32;

    /// <summary>vm.overcommit_ratio of a run, in percent. CommitLimit is a million times the memory
    /// of the machine then, so that no program comes near it.</summary>
    private const int OvercommitRatio = 100_000_000;

    /// <summary>Charges come before the test of the limit: a request that is refused counts
    /// meanwhile, and the requests of other programs with it.</summary>
    private const string CommitLimit =
        "a refusal under vm.overcommit_memory 2 may hit every other program of the machine "
            + "(mm/util.c:__vm_enough_memory)";

    /// <summary>What one other program may have committed, in kB: an address space.</summary>
    private const ulong MostCommitted = MachineConfig.TaskSize >> 10;

    /// <summary>Calls that need what root of a user namespace has not: other users, and
    /// CAP_IPC_LOCK beyond its namespace (mm/mlock.c:can_do_mlock).</summary>
    private static readonly CallKind[] RootCalls =
        [CallKind.SetUid, CallKind.SetGid, CallKind.SetResUid, CallKind.SetResGid,
            CallKind.SetGroups, CallKind.MLock, CallKind.MLockAll, CallKind.ShmCtlLock];

    /// <summary>What can be asked of a kernel with these features.</summary>
    public static SystemCapabilities Of(LinuxFeatures features, LinuxOptions options)
    {
        var calls = SystemCapabilities.AllCalls.ToBuilder();
        calls.Remove(CallKind.Reclaim);
        if (features.Users is not null)
        {
            calls.ExceptWith(RootCalls);
        }

        return new SystemCapabilities
        {
            Calls = calls.ToImmutable(),
            CanBeAsked = call => CanBeAsked(call, features)
                && (features.Users is null || CanBeAskedOfAnybody(call)),
            Adapt = machine => Adapt(machine, features, options),
            Profiles = [features.Profile],
            KernelRelease = features.Release,
            Precisions = Precisions(features),
            OneAtATime = true,
            ReclaimSource = "reclaim takes pages that nobody maps at any time (mm/vmscan.c:kswapd, "
                + "mm/damon/paddr.c:damon_pa_pageout)",
            ForeignSlotSource = features.Swap is not null ? ""
                : "pages of other programs go to the device too (mm/vmscan.c:shrink_folio_list), "
                    + "and on a swap file slots that are freed while they are written stay for a "
                    + "while (mm/swapfile.c)",
            LateUnlockSource = "segments locked in a namespace are charged to their user until it "
                + "is torn down, after the call that ends it (ipc/namespace.c:free_ipc)",
            HugePageShortageSource = features.HugePages is not null ? ""
                : "other programs may have the memory, or pieces of it everywhere "
                    + "(mm/hugetlb.c:alloc_buddy_hugetlb_folio)",
            CannotShow = new Dictionary<string, string>
            {
                ["touch.sigbus.commit"] = CommitLimit,
                ["swapoff.enomem.commit"] = CommitLimit,
            }.ToImmutableDictionary(),
        };
    }

    private static bool CanBeAsked(Call call, LinuxFeatures features) => call switch
    {
        { Injection: not null } => false,
        ShmGet get => features.HugePages is null || !get.Flags.HugeTlb,
        SetSysctl set => CanBeSet(set, features),
        CapSet set => ((set.Effective | set.Permitted) & features.MissingCapabilities) == 0,
        SetRLimit { Resource: Resource.RLIMIT_MEMLOCK } set =>
            set.Limit <= features.HighestMemLock,
        SwapOn or SwapOff => features.Swap is null,
        _ => true,
    };

    /// <summary>Root of a user namespace knows no other ids, and may not map low addresses
    /// (security/commoncap.c:cap_mmap_addr).</summary>
    private static bool CanBeAskedOfAnybody(Call call) => call switch
    {
        ShmCtlSet set => set.Uid is 0 or -1 && set.Gid is 0 or -1,
        SetRLimit set => set.Resource != Resource.RLIMIT_MEMLOCK,
        ShmAt at => at.Address == AddressRef.Null || !IsLow(at.Address),
        MMap map => !IsLow(map.Start)
            || (map.Flags & (MapFlags.MAP_FIXED | MapFlags.MAP_FIXED_NOREPLACE)) == 0,
        MRemap remap => !IsLow(remap.NewAddress)
            || (remap.Flags & MRemapFlags.MREMAP_FIXED) == 0,
        _ => true,
    };

    private static bool IsLow(AddressRef address) => address.Kind == AddressRefKind.Literal
        && address.Base < MachineConfig.MinMapAddress;

    private static bool CanBeSet(SetSysctl set, LinuxFeatures features) => set.Name switch
    {
        Sysctl.NrHugePages or Sysctl.NrOvercommitHugePages =>
            features.HugePages is null && set.Value <= MostHugePages,
        Sysctl.OvercommitMemory => features.Knobs is null,
        Sysctl.HugetlbShmGroup => features.Knobs is null && features.HugePageSize > 0,
        Sysctl.OvercommitRatio => false,
        _ => true,
    };

    private static MachineConfig Adapt(
        MachineConfig machine, LinuxFeatures features, LinuxOptions options)
    {
        ulong huge = features.HugePages is null
            ? ulong.Min(machine.HugePages, MostHugePages) : 0;
        ulong hugeSize = features.HugePageSize == 0
            ? machine.HugePageSize : features.HugePageSize;
        return machine with
        {
            Profile = features.Profile,
            PageSize = features.PageSize,
            HugePageSize = hugeSize,
            OtherHugePageSizes = features.OtherHugePageSizes,
            HugePages = huge,
            Frames = features.TotalPages - (huge * (hugeSize / features.PageSize)),
            NrOvercommitHugePages = features.HugePages is null
                ? ulong.Min(machine.NrOvercommitHugePages, MostHugePages) : 0,
            SwapSlots = features.Swap is null
                ? ulong.Min(machine.SwapSlots, SwapDevice.MostSlots) : 0,
            SwapKind = options.SwapKind,
            Overcommit = features.Knobs is null ? machine.Overcommit : OvercommitMode.Heuristic,
            OvercommitRatio = features.Knobs is null
                ? OvercommitRatio : machine.OvercommitRatio,
            HugetlbShmGroup = features.Knobs is null ? machine.HugetlbShmGroup : 0,
        };
    }

    private static ImmutableDictionary<Enum, Precision> Precisions(LinuxFeatures features)
    {
        const string teardown =
            "a namespace is torn down after the call that ends it (ipc/namespace.c:free_ipc)";
        var late = new Precision(PrecisionKind.Eventual, 0, teardown);
        var precisions = ImmutableDictionary.CreateBuilder<Enum, Precision>();
        foreach (GlobalField field in new[]
        {
            GlobalField.HugePages_Total, GlobalField.HugePages_Free, GlobalField.HugePages_Rsvd,
            GlobalField.HugePages_Surp, GlobalField.SwapUsed, GlobalField.SwapCached,
        })
        {
            bool huge = field <= GlobalField.HugePages_Surp;
            Lack? lack = huge ? features.HugePages : features.Swap;
            precisions.Add(field, lack is not null ? Precision.NotObservable(lack.Why)
                : late);
        }

        precisions.Add(GlobalField.Shmem, new Precision(
            PrecisionKind.Eventual, features.TotalPages * (features.PageSize >> 10),
            $"tmpfs, memfd and shared memory of every other program are in it, up to all memory; "
                + teardown));
        precisions.Add(GlobalField.Committed_AS, new Precision(
            PrecisionKind.Eventual, MostCommitted,
            "the memory of every other program is in it, where overcommit_memory is 2 also what it "
                + $"maps by MAP_NORESERVE (mm/mmap.c:do_mmap); {teardown}"));
        if (features.Profile < KernelProfile.Linux6_12)
        {
            precisions.Add(ProcessField.RssShmem, Precision.NotObservable(
                "threads count faults by themselves, and add them up once in 64 "
                    + "(mm/memory.c:check_sync_rss_stat); smaps is exact"));
        }

        return precisions.ToImmutable();
    }
}
