using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>What can be asked of a program, from what it says of itself.</summary>
internal static class AgentCapabilities
{
    /// <summary>Memory of a program that does not say, in base pages.</summary>
    private const ulong UsualFrames = 1ul << 20;

    /// <summary>The capabilities.</summary>
    /// <param name="said">What the program says.</param>
    /// <param name="pageSize">Its base page size in bytes.</param>
    public static SystemCapabilities Of(Announcement said, ulong pageSize) => new()
    {
        Calls = said.Calls.Except([CallKind.Reclaim, CallKind.SwapOn, CallKind.SwapOff]),
        CanBeAsked = call => CanBeAsked(call, said),
        Adapt = machine => Adapt(machine, said, pageSize),
        Profiles = [said.Profile],
        KernelRelease = said.Release,
        ChoosesIdentifiersFreely = said.ChoosesIdentifiersFreely,
        Precisions = said.Figures is { } figures
            ? SystemCapabilities.Showing([.. figures])
            : ImmutableDictionary<Enum, Precision>.Empty,
        OneAtATime = true,
    };

    /// <summary>Pages that a processor may have counted by itself, where there is one.</summary>
    private const ulong PagesUncounted = 16;

    /// <summary>What all processes of an agent have committed for themselves, in kB: each of the
    /// static ones 2.6 MiB.</summary>
    private const ulong CommittedByAgent = 96 << 10;

    /// <summary>More than a carrier maps for itself side by side, in bytes.</summary>
    private const ulong CarriersMemory = 128 << 20;

    /// <summary>What can be asked of the running kernel through a program that carries the agent.
    /// </summary>
    /// <param name="kernel">What can be asked without it.</param>
    /// <param name="said">What the agent says that is left.</param>
    /// <param name="carrier">The program.</param>
    public static SystemCapabilities Within(
        SystemCapabilities kernel, Announcement said, Carrier carrier)
    {
        var hidden = new Precision(PrecisionKind.NotObservable, 0, carrier.ForeignMemory ?? "");
        var foreign = new Enum[]
        {
            ProcessField.VmSize, ProcessField.VmLck, GlobalField.Committed_AS,
        };
        MachineConfig most = kernel.Adapt(new MachineConfig { SwapSlots = ulong.MaxValue });
        return kernel with
        {
            Calls = kernel.Calls.Intersect(said.Calls),
            CanBeAsked = call => kernel.CanBeAsked(call)
                && !(carrier.IsLimitedItself && LimitsAll(call))
                && !(carrier.IsOverHost && NearsMemory(call, most)),
            Version = carrier.Version,
            Precisions = kernel.Precisions.SetItems(
                foreign.Select(field => KeyValuePair.Create(field, hidden))),
        };
    }

    /// <summary>What can be asked of a kernel that has nothing to do but to run the agent.
    /// </summary>
    /// <param name="kernel">What can be asked of such a kernel.</param>
    /// <param name="said">What the agent says that there is.</param>
    /// <param name="swaps">Whether there is a swap device.</param>
    /// <param name="pageSize">Its base page size in bytes.</param>
    public static SystemCapabilities InGuest(
        SystemCapabilities kernel, Announcement said, bool swaps, ulong pageSize) => kernel with
    {
        Calls = swaps ? kernel.Calls.Intersect(
            said.Calls.Union([CallKind.SwapOn, CallKind.SwapOff]))
            : kernel.Calls.Intersect(said.Calls),
        CanBeAsked = call => kernel.CanBeAsked(call)
            && (call is not SetSysctl set || !SysctlText.IsOfNamespace(set.Name)
                || Sets(said, set.Name)),
        ForeignSlotSource = "",
        HugePageShortageSource = "",
        SwapIsCostly = true,
        Precisions = kernel.Precisions.SetItems(MemoryInGuest(pageSize)),
    };

    private static Dictionary<Enum, Precision> MemoryInGuest(ulong pageSize) => new()
    {
        [GlobalField.Shmem] = new Precision(
            PrecisionKind.Eventual, PagesUncounted * (pageSize >> 10),
            "a processor counts some pages by itself before it adds them up "
                + "(mm/vmstat.c:calculate_normal_threshold)"),
        [GlobalField.Committed_AS] = new Precision(
            PrecisionKind.Eventual, CommittedByAgent,
            "the memory of the agent's own processes is in it; "
                + "a namespace is torn down after the call that ends it "
                + "(ipc/namespace.c:free_ipc)"),
    };

    private static bool CanBeAsked(Call call, Announcement said) => call switch
    {
        { Injection: not null } => false,
        ShmAt at when IsLow(at.Address) => AgreesOnLow(said),
        MMap map when IsLow(map.Start) => AgreesOnLow(said),
        MRemap remap when IsLow(remap.NewAddress) => AgreesOnLow(said),
        ShmGet get => !get.Flags.HugeTlb || !said.HugePageSizes.IsEmpty,
        SetSysctl set => Sets(said, set.Name),
        Clone clone => (clone.Flags & CloneFlags.CLONE_NEWIPC) == 0
            || said.Calls.Contains(CallKind.Unshare),
        _ => true,
    };

    /// <summary>Whether a call has the kernel limit, or lock, all memory that a program is going to
    /// map, its carrier's too.</summary>
    private static bool LimitsAll(Call call) => call switch
    {
        SetRLimit set => set.Resource == Resource.RLIMIT_AS,
        MLockAll all => (all.Flags & MLockAllFlags.MCL_FUTURE) != 0,
        _ => false,
    };

    /// <summary>Whether a call maps nearly as much private memory as one mapping may have: the
    /// carrier's beside it can be one mapping with it for the kernel, which then is too long to be
    /// copied by fork (mm/util.c:__vm_enough_memory).</summary>
    private static bool NearsMemory(Call call, MachineConfig most)
    {
        ulong limit = (most.Frames + most.SwapSlots) * most.PageSize;
        ulong length = call switch
        {
            MMap map => map.Length,
            MRemap remap => remap.NewLength,
            _ => 0,
        };
        return length <= limit && length > limit - CarriersMemory;
    }

    /// <summary>Whether an address takes a right on some machines and none on others.</summary>
    private static bool IsLow(AddressRef address) => address is
        { Kind: AddressRefKind.Literal, Base: > 0 and < MachineConfig.MinMapAddress };

    private static bool AgreesOnLow(Announcement said) =>
        said.LowestAddress == MachineConfig.MinMapAddress;

    private static bool Sets(Announcement said, Sysctl name) =>
        said.Sysctls.Contains(SysctlText.Of(name));

    private static MachineConfig Adapt(
        MachineConfig machine, Announcement said, ulong pageSize)
    {
        var usual = new MachineConfig();
        return usual with
        {
            Profile = said.Profile,
            PageSize = pageSize,
            Frames = said.Memory ?? UsualFrames,
            HugePageSize = said.HugePageSizes.IsEmpty ? usual.HugePageSize : said.HugePageSizes[0],
            OtherHugePageSizes = [.. said.HugePageSizes.Skip(1)],
            ShmMax = Sets(said, Sysctl.ShmMax) ? machine.ShmMax : usual.ShmMax,
            ShmAll = Sets(said, Sysctl.ShmAll) ? machine.ShmAll : usual.ShmAll,
            ShmMni = Sets(said, Sysctl.ShmMni) ? machine.ShmMni : usual.ShmMni,
            ShmRmidForced = Sets(said, Sysctl.ShmRmidForced) && machine.ShmRmidForced,
        };
    }
}
