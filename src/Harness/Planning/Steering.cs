using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics;
using ShmCheck.Abi;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Generating;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Planning;

/// <summary>Which targets a campaign steers towards, and the plans that it has made. A plan
/// depends on the seed of the campaign, its target and the round alone, so that every block that
/// asks for it gets the same one, whoever searches. One that was found serves all later rounds:
/// what a run draws behind it differs each time, and a search takes as long as thousands of
/// checked calls.</summary>
/// <param name="capabilities">What the system can be asked.</param>
/// <param name="profiles">Kernel profiles that are drawn.</param>
/// <param name="seed">Seed of the campaign.</param>
public sealed class Steering(
    SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles, ulong seed)
{
    /// <summary>Targets by which a block starts further than the one before it: as many as the
    /// plans that it makes, and those that it hits without, so that few blocks see all.</summary>
    private const int Stride = 24;

    /// <summary>Steps of the specification that a search may take in the first round; each round
    /// doubles them.</summary>
    private const int FirstBudget = 3_000;

    /// <summary>The round whose search is the last: 96,000 steps. What it has not found is left
    /// to chance.</summary>
    private const int LastRound = 5;

    /// <summary>Plans for other rules that a search starts from.</summary>
    private const int MostRelatives = 8;

    private readonly ImmutableArray<Target> _targets = TargetsOf(capabilities, profiles);
    private readonly ConcurrentDictionary<(Target, int Round), Lazy<Plan?>> _plans = new();

    /// <summary>All targets: rules that the system can show, page-state transitions, and calls
    /// with each errno.</summary>
    public ImmutableArray<Target> Targets => _targets;

    /// <summary>The next target of a block.</summary>
    /// <param name="block">Number of the block.</param>
    /// <param name="map">What the block has seen so far.</param>
    /// <param name="tried">Targets that the block has asked for; the next one is added.</param>
    /// <returns>A target; null when nothing is left to steer towards.</returns>
    public Target? Next(long block, CoverageMap map, HashSet<Target> tried)
    {
        long from = block * Stride;
        for (long at = from; at < from + _targets.Length; at++)
        {
            Target target = _targets[(int)(at % _targets.Length)];
            if (!target.IsIn(map) && tried.Add(target))
            {
                return target;
            }
        }

        return null;
    }

    /// <summary>The plan of a block for a target; null when none was found.</summary>
    public Plan? PlanFor(long block, Target target) =>
        PlanFor(target, RoundOf(block * Stride / _targets.Length));

    /// <summary>Each round lasts twice as long as the one before: however long a campaign is,
    /// searching takes about the same part of it.</summary>
    private static int RoundOf(long turns) =>
        Math.Min(BitOperations.Log2((ulong)turns + 1), LastRound);

    private Plan? PlanFor(Target target, int round) => _plans.GetOrAdd(
        (target, round), key => new Lazy<Plan?>(() =>
            (round > 0 ? PlanFor(target, round - 1) : null) ?? Search(target, round))).Value;

    private Plan? Search(Target target, int round) => Planner.Search(
        target, capabilities, profiles,
        Random64.Mix(Random64.Mix(seed, (ulong)_targets.IndexOf(target)), (ulong)round),
        FirstBudget << round, round == 0 ? [] : [.. Relatives(target)]);

    /// <summary>What the first round found for rules whose names have words in common with the
    /// one aimed at: they are about the same things.</summary>
    private IEnumerable<(MachineConfig, IReadOnlyList<Call>)> Relatives(Target target)
    {
        HashSet<string> words = Words(target);
        return _targets.Where(other => other != target)
            .Select(other => (Target: other, Shared: Words(other).Count(words.Contains)))
            .Where(other => other.Shared > 0)
            .OrderByDescending(other => other.Shared)
            .Take(MostRelatives)
            .Select(other => PlanFor(other.Target, 0))
            .OfType<Plan>()
            .Select(plan => (plan.Machine, (IReadOnlyList<Call>)plan.Calls));
    }

    /// <summary>The words of a target's name, without what says only how a call ends.</summary>
    private static HashSet<string> Words(Target target) =>
        [.. target.ToString()!.Split('.', '-', '>', ' ')
            .Where(word => word != "ok" && !Enum.TryParse<Errno>(word, true, out _))];

    private static ImmutableArray<Target> TargetsOf(
        SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles) =>
    [
        .. RuleCatalogue.Rules
            .Where(rule => RuleCoverage.ReasonAgainst(rule, capabilities, profiles) is null)
            .Select(rule => new Target.OfRule(rule)),
        .. TransitionCoverage.Possible
            .Where(moved => TransitionCoverage.ReasonAgainst(moved, capabilities) is null)
            .Select(moved => new Target.OfPage(moved)),
        .. ErrnoCoverage.Possible
            .Where(p => ErrnoCoverage.ReasonAgainst(p, capabilities, profiles) is null)
            .Select(possible => new Target.OfErrno(possible)),
    ];
}
