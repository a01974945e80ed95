using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Spec;
using static ShmCheck.Spec.PageState;

namespace ShmCheck.Harness.Coverage;

/// <summary>Changes of the state of a page: those that happened, of those that the specification
/// has.</summary>
/// <param name="Driven">Those that happened.</param>
/// <param name="NeverDriven">Those that the system can show and that did not happen.</param>
/// <param name="CannotHappen">All others, with the reason.</param>
public sealed record TransitionCoverage(
    ImmutableArray<PageTransition> Driven, ImmutableArray<PageTransition> NeverDriven,
    ImmutableArray<(PageTransition Transition, string Reason)> CannotHappen)
{
    private const string SwapIsDirty = "a page that comes back from swap is dirty: its slot goes";
    private const string DropsClean = "a page that was never written is dropped, not swapped";
    private const string NotInMemory = "only a page in memory is swapped out";

    /// <summary>The changes that the specification has.</summary>
    public static ImmutableArray<PageTransition> Possible { get; } =
    [
        new(None, Clean), new(None, Dirty), new(Clean, None), new(Clean, Dirty),
        new(Dirty, None), new(Dirty, SwapCached), new(Dirty, Swapped), new(SwapCached, None),
        new(SwapCached, Dirty), new(SwapCached, Swapped), new(Swapped, None),
        new(Swapped, Dirty), new(Swapped, SwapCached), new(HugeNone, HugeResident),
        new(HugeResident, HugeNone),
    ];

    /// <summary>The changes between states of one kind of page that the specification does not
    /// have, and why.</summary>
    public static ImmutableArray<(PageTransition Transition, string Reason)> Impossible { get; } =
    [
        (new(None, SwapCached), NotInMemory), (new(None, Swapped), NotInMemory),
        (new(Clean, SwapCached), DropsClean), (new(Clean, Swapped), DropsClean),
        (new(Dirty, Clean), "a page stays dirty until it is freed or swapped out"),
        (new(SwapCached, Clean), SwapIsDirty), (new(Swapped, Clean), SwapIsDirty),
    ];

    /// <summary>Compares a map with what the specification has.</summary>
    public static TransitionCoverage Of(CoverageMap map, SystemCapabilities capabilities)
    {
        var driven = Possible.Where(map.Transitions.ContainsKey).ToImmutableArray();
        ILookup<bool, PageTransition> others = Possible.Except(driven)
            .ToLookup(t => ReasonAgainst(t, capabilities) is null);
        return new TransitionCoverage(
            driven, [.. others[true]],
            [
                .. others[false].Select(t => (t, ReasonAgainst(t, capabilities)!)),
                .. Impossible,
            ]);
    }

    /// <summary>Why a possible change cannot happen on a system; null when it can.</summary>
    internal static string? ReasonAgainst(
        PageTransition transition, SystemCapabilities capabilities)
    {
        var wanted = new MachineConfig
        {
            HugePages = 1, SwapSlots = 8, SwapKind = SwapKind.Asynchronous,
        };
        MachineConfig richest = capabilities.Adapt(wanted);
        bool leavesCopies = capabilities.Adapt(wanted with { SwapKind = SwapKind.Synchronous })
            .SwapKind == SwapKind.Asynchronous;
        bool Touches(PageState state) => transition.From == state || transition.To == state;
        return Touches(HugeResident) && richest.HugePages == 0 ? "the system has no huge pages"
            : (Touches(SwapCached) || Touches(Swapped)) && richest.SwapSlots == 0
                ? "the system has no swap"
            : transition == new PageTransition(Dirty, SwapCached)
                && richest.SwapKind == SwapKind.Synchronous
                ? "its swap device leaves nothing in the swap cache"
            : (transition == new PageTransition(SwapCached, Swapped)
                || (leavesCopies && Touches(Swapped)))
                && !capabilities.Calls.Contains(CallKind.Reclaim)
                ? "copies in the swap cache go by reclaim, which the system has not"
            : leavesCopies && transition == new PageTransition(Dirty, Swapped)
                ? "its swap device leaves a copy in the swap cache" : null;
    }
}
