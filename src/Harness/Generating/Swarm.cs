using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Which calls a run draws, and how often: a random subset of all calls with random
/// weights, so that runs differ in kind (swarm testing). A run that draws few kinds of calls
/// goes deeper than one that draws all.</summary>
internal sealed class Swarm
{
    /// <summary>How much more often the call comes that a swarm is about, if it is about one.
    /// </summary>
    private const int FocusFactor = 40;
    private const int ThemeFactor = 12;

    /// <summary>Where swap is costly, one run in so many takes the device out of use.</summary>
    private const int RunsForOneSwapOff = 12;

    /// <summary>Calls that reach certain states only together, and seldom do when each of them
    /// may be missing: charges of SHM_LOCK and of mlock against a limit, the way out of swap and
    /// back, tasks in each other's namespaces, promises at the commit limit, a pool that grows in
    /// memory that is in use, rights, and memory that moves.</summary>
    private static readonly ImmutableArray<Theme> Themes =
    [
        new([CallKind.ShmCtlLock, CallKind.ShmCtlUnlock, CallKind.ShmCtlRmid, CallKind.SetRLimit,
            CallKind.SetUid]),
        new([CallKind.ShmCtlLock, CallKind.ShmCtlUnlock, CallKind.SetRLimit, CallKind.SetUid,
            CallKind.Fork]),
        new([CallKind.ShmCtlLock, CallKind.ShmCtlUnlock, CallKind.SetRLimit,
            CallKind.SetResUid, CallKind.CapSet]),
        new([CallKind.MLock, CallKind.MLockAll, CallKind.MRemap, CallKind.MMap,
            CallKind.SetRLimit, CallKind.CapSet]),
        new([CallKind.Store, CallKind.Reclaim, CallKind.SwapOff, CallKind.SwapOn,
            CallKind.ShmDt]),
        new([CallKind.Store, CallKind.Load, CallKind.Reclaim, CallKind.MAdvise]),
        new([CallKind.Clone, CallKind.SetNs, CallKind.ExitGroup, CallKind.Exit,
            CallKind.SetSysctl], Sysctl.ShmRmidForced),
        new([CallKind.SetSysctl, CallKind.MMap, CallKind.MProtect, CallKind.Load,
            CallKind.Reclaim], Sysctl.OvercommitMemory, Sysctl.OvercommitRatio),
        new([CallKind.SetSysctl, CallKind.Store, CallKind.Reclaim, CallKind.MAdvise],
            Sysctl.NrHugePages, Sysctl.NrOvercommitHugePages) { Fills = true },
        new([CallKind.SetUid, CallKind.SetGroups, CallKind.SetResGid, CallKind.CapSet,
            CallKind.ShmCtlSet, CallKind.ShmCtlStatIndex, CallKind.ShmCtlStat]),
        new([CallKind.MRemap, CallKind.MMap, CallKind.Load, CallKind.Store, CallKind.Fork,
            CallKind.MUnmap]),
    ];

    private readonly CallKind[] _kinds;
    private readonly int[] _upTo;

    private Swarm(
        CallKind[] kinds, int[] upTo, Random64 random, Focus? aim, Theme? theme)
    {
        bool isAboutLocks = theme?.IsAboutLocks ?? false;
        IsAboutLocks = isAboutLocks;
        _kinds = kinds;
        _upTo = upTo;
        Failing = aim?.Allocation;
        Knobs = aim?.Knobs ?? [.. theme?.Knobs ?? []];
        Advices = aim?.Advices ?? [];
        AimsAtOvercommit = aim?.Knobs.Contains(Sysctl.OvercommitMemory) ?? false;
        InjectionPercent = Failing is not null ? Focus.InjectionPercent
            : random.Of<int>([0, 0, 0, 5, 5, 20]);
        OddPercent = isAboutLocks ? 2 : random.Of<int>([2, 10, 30]);
        HugePercent = random.Of<int>(isAboutLocks ? [0, 0, 0, 60] : [0, 20, 60, 100]);
        Repeats = aim is null && !isAboutLocks && random.OneIn(6);
        MostProcesses = random.Of<int>(
            isAboutLocks ? [1, 2, 2, 3] : Repeats ? [3, 6, 20] : [1, 2, 3, 6]);
        KeyPercent = random.Of<int>([10, 30, 30, 90]);
        Fills = theme is { Fills: true };
        ScenarioPercent = aim is null && (Fills || random.OneIn(2)) ? random.Of<int>([6, 20, 50]) : 0;
    }

    /// <summary>The kind of allocation that fails more often than others, if any.</summary>
    public AllocationKind? Failing { get; }

    /// <summary>Knobs that are turned more often than others.</summary>
    public ImmutableArray<Sysctl> Knobs { get; }

    /// <summary>Whether it is to make something happen that overcommit_memory decides.</summary>
    public bool AimsAtOvercommit { get; }

    /// <summary>Advices that are given more often than others.</summary>
    public ImmutableArray<Advice> Advices { get; }

    /// <summary>Whether it is about charges of SHM_LOCK against a limit: a few small segments of
    /// few users, and limits that they reach.</summary>
    public bool IsAboutLocks { get; }

    /// <summary>How many calls of a hundred have an allocation fail.</summary>
    public int InjectionPercent { get; }

    /// <summary>How many arguments of a hundred are drawn to be wrong or extreme.</summary>
    public int OddPercent { get; }

    /// <summary>How many segments of a hundred are huge ones.</summary>
    public int HugePercent { get; }

    /// <summary>Processes and threads that may live at once.</summary>
    public int MostProcesses { get; }

    /// <summary>Whether one kind of call comes many times in a row now and then.</summary>
    public bool Repeats { get; }

    /// <summary>How many new segments of a hundred have a key.</summary>
    public int KeyPercent { get; }

    /// <summary>Whether scenarios are about what is filled to the brim, more than others.
    /// </summary>
    public bool Fills { get; }

    /// <summary>How often, of a hundred calls, a scenario begins.</summary>
    public int ScenarioPercent { get; }

    /// <summary>How often a call comes among all, before the swarm changes it.</summary>
    private static int BaseWeight(CallKind kind) => kind switch
    {
        CallKind.ShmGet or CallKind.ShmAt => 12,
        CallKind.Store => 12,
        CallKind.Load or CallKind.MAdvise => 8,
        CallKind.ShmDt or CallKind.ShmCtlRmid or CallKind.Reclaim or CallKind.MUnmap => 5,
        CallKind.MProtect or CallKind.MRemap or CallKind.MLock or CallKind.Fork => 4,
        CallKind.MUnlock or CallKind.MMap or CallKind.SetSysctl => 3,
        CallKind.ShmCtlLock or CallKind.ShmCtlUnlock or CallKind.ExitGroup
            or CallKind.ShmCtlSet => 2,
        _ => 1,
    };

    /// <summary>A swarm of the calls that a system has.</summary>
    /// <param name="random">Draws it.</param>
    /// <param name="system">What the system has.</param>
    /// <param name="aim">Calls to draw often, if any.</param>
    public static Swarm Draw(Random64 random, SystemCapabilities system, Focus? aim = null)
    {
        ImmutableHashSet<CallKind> calls = system.Calls;
        if (aim is null && system.SwapIsCostly && !random.OneIn(RunsForOneSwapOff))
        {
            calls = calls.Remove(CallKind.SwapOff);
        }

        // Without any call of the focus there would be none left to draw.
        aim = aim is { Only: true } && !aim.Calls.Overlaps(calls)
            ? aim with { Only = false } : aim;
        bool everything = random.OneIn(4);
        CallKind[] all = Enum.GetValues<CallKind>();
        CallKind focus = random.OneIn(8) ? random.Of<CallKind>(
            [CallKind.ShmGet, CallKind.ShmGet, random.Of<CallKind>(all)]) : (CallKind)(-1);
        Theme? theme = aim is null && random.OneIn(3) ? random.Of(Themes.AsSpan()) : null;
        bool locks = theme?.IsAboutLocks ?? false;
        var kinds = new List<CallKind>();
        var upTo = new List<int>();
        int sum = 0;
        foreach (CallKind kind in all)
        {
            int factor = locks ? random.Of<int>([0, 0, 0, 1])
                : everything ? 2 : random.Of<int>([0, 0, 1, 2, 6]);
            if (kind is CallKind.ShmGet or CallKind.ShmAt)
            {
                factor = Math.Max(factor, 1);
            }

            factor = theme?.Calls.Contains(kind) ?? false ? ThemeFactor
                : kind == focus ? FocusFactor : Aimed(kind, factor, aim, random);
            if (factor > 0 && calls.Contains(kind))
            {
                kinds.Add(kind);
                upTo.Add(sum += BaseWeight(kind) * factor);
            }
        }

        // A system that has none of the calls drawn is asked what it has.
        return kinds.Count > 0 ? new Swarm(
                [.. kinds], [.. upTo], random, aim, theme)
            : new Swarm(
                [.. calls.Order()], [.. Enumerable.Range(1, calls.Count)], random, aim,
                theme: null);
    }

    private static int Aimed(CallKind kind, int factor, Focus? aim, Random64 random) =>
        aim is null ? factor
        : aim.Calls.Contains(kind) ? random.Of<int>([4, FocusFactor / 4, FocusFactor])
        : aim.Only ? 0
        : aim.Helpers.Contains(kind) ? random.Of<int>([4, FocusFactor / 4]) : factor;

    /// <summary>The kind of the next call.</summary>
    public CallKind Next(Random64 random)
    {
        int ticket = random.Below(_upTo[^1]);
        int at = Array.BinarySearch(_upTo, ticket + 1);
        return _kinds[at < 0 ? ~at : at];
    }

    /// <summary>Calls that belong together, and the knobs that are turned with them.</summary>
    private sealed record Theme(ImmutableArray<CallKind> Calls, params Sysctl[] Knobs)
    {
        /// <summary>Whether memory is to be filled to the brim now and then.</summary>
        public bool Fills { get; init; }

        /// <summary>Whether it is about SHM_LOCK.</summary>
        public bool IsAboutLocks => Calls.Contains(CallKind.ShmCtlLock);
    }
}
