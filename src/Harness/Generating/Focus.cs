using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls that a generator draws more often than others, and failures that it injects,
/// because they are likely to make a rule fire.</summary>
/// <param name="Calls">The calls.</param>
/// <param name="Allocation">What is made to fail; none to leave that to the swarm.</param>
internal sealed record Focus(ImmutableHashSet<CallKind> Calls, AllocationKind? Allocation)
{
    /// <summary>Whether no other calls are drawn.</summary>
    public bool Only { get; init; }

    /// <summary>How many calls of a hundred have an allocation fail when it is about that.
    /// </summary>
    public const int InjectionPercent = 40;

    private static readonly ImmutableArray<CallKind> Touches =
        [CallKind.Store, CallKind.Load, CallKind.MAdvise, CallKind.MLock];

    private static readonly ImmutableArray<CallKind> PageOuts =
        [CallKind.Reclaim, CallKind.MAdvise];

    /// <summary>What the statement of a rule speaks of, and the calls that change it.</summary>
    private static readonly ImmutableArray<(string Word, ImmutableArray<CallKind> Calls)> Words =
    [
        ("RLIMIT_", [CallKind.SetRLimit]),
        ("CAP_", [CallKind.CapSet, CallKind.SetUid, CallKind.SetResUid]),
        ("overcommit_memory of the moment", [CallKind.MMap]),
        ("swapped", [CallKind.Reclaim, CallKind.MAdvise, CallKind.Store]),
    ];

    /// <summary>Calls that are drawn more often too, but less than the others.</summary>
    public ImmutableHashSet<CallKind> Helpers { get; init; } = [];

    /// <summary>Knobs that are turned more often than others.</summary>
    public ImmutableArray<Sysctl> Knobs { get; init; } = [];

    /// <summary>Advices that are given more often than others.</summary>
    public ImmutableArray<Advice> Advices { get; init; } = [];

    /// <summary>The way into the swap cache where reclaim itself leaves no page there.</summary>
    private static readonly ImmutableArray<Advice> IntoSwapCache =
        [Advice.MADV_PAGEOUT, Advice.MADV_WILLNEED];

    /// <summary>The focus on pages that are written, swapped out and freed.</summary>
    public static Focus OnPages { get; } = new(
        [CallKind.Store, CallKind.Reclaim, CallKind.MAdvise, CallKind.SwapOff], null);

    /// <summary>The focus on pages that come to the swap cache.</summary>
    public static Focus OnSwapCache { get; } = OnPages with { Advices = IntoSwapCache };

    /// <summary>The focus on a rule: on the calls whose name it has, or that belong to the part
    /// of the subsystem whose name it has; with the help of those that change what its
    /// statement speaks of.</summary>
    public static Focus On(Rule? rule)
    {
        if (rule is null)
        {
            return new Focus([], null);
        }

        AllocationKind? allocation = RuleCalls.InjectionOf(rule);
        string prefix = RuleCalls.PrefixOf(rule);
        ImmutableHashSet<CallKind> named = RuleCalls.Named(prefix);
        ImmutableArray<Sysctl> knobs = KnobsIn(rule.Statement);
        knobs = !knobs.IsEmpty ? knobs : KnobsIn(string.Concat(RuleCatalogue.Rules
            .Where(other => other.Family == rule.Family).Select(other => other.Statement)));
        return new Focus(
            named.IsEmpty ? [.. PartOf(prefix, allocation)] : named, allocation)
        {
            Knobs = knobs,
            Advices = Mentions(rule.Statement, "in the swap cache") ? IntoSwapCache : [],
            Helpers =
            [
                .. Words.Where(hint => Mentions(rule.Statement, hint.Word))
                    .SelectMany(hint => hint.Calls),
                .. knobs.Select(_ => CallKind.SetSysctl),
            ],
        };
    }

    private static ImmutableArray<Sysctl> KnobsIn(string text) =>
    [
        .. Enum.GetValues<Sysctl>().Where(
            knob => Mentions(text, SysctlText.Of(knob).Split('.')[^1])),
    ];

    private static bool Mentions(string text, string word) =>
        text.Contains(word, StringComparison.Ordinal);

    private static ImmutableArray<CallKind> PartOf(string prefix, AllocationKind? allocation) =>
        (prefix, allocation) switch
        {
            ("fail", AllocationKind.Frame) => Touches,
            ("fail", AllocationKind.Slot) => PageOuts,
            ("fail", AllocationKind.Huge) => [.. Touches, CallKind.ShmGet, CallKind.SetSysctl],
            ("fail", _) => [CallKind.ShmGet, CallKind.ShmAt, CallKind.MAdvise],
            ("identifier", _) => [CallKind.ShmGet, CallKind.ShmCtlRmid],
            ("touch" or "fault", _) => Touches,
            ("reclaim" or "pageout", _) => PageOuts,
            ("nattch" or "mapping", _) =>
                [CallKind.MRemap, CallKind.MProtect, CallKind.MUnmap, CallKind.MAdvise],
            ("pool", _) => [CallKind.SetSysctl, CallKind.ShmGet, CallKind.Store],
            _ => [],
        };
}
