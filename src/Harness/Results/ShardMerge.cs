using System.Collections.Immutable;
using System.Globalization;

namespace ShmCheck.Harness.Results;

/// <summary>A shard, and where its result is.</summary>
/// <param name="Directory">The directory.</param>
/// <param name="Result">The result.</param>
public sealed record Shard(string Directory, CampaignResult Result);

/// <summary>Joins the results of shards into that of one campaign over the same seeds.</summary>
public static class ShardMerge
{
    /// <summary>Joins shards, given in any order.</summary>
    /// <param name="shards">At least one.</param>
    /// <param name="unreadable">What was wrong with those that could not be read.</param>
    /// <returns>The result, as one process would have left it.</returns>
    /// <exception cref="FormatException">They are not of one campaign, or one is there twice.
    /// </exception>
    public static CampaignResult Of(
        IEnumerable<Shard> shards, IReadOnlyCollection<string> unreadable)
    {
        Shard[] sorted =
        [
            .. shards.OrderBy(shard => shard.Result.Part.Number)
                .ThenBy(shard => shard.Directory, StringComparer.Ordinal),
        ];
        foreach ((Shard before, Shard shard) in sorted.Zip(sorted.Skip(1)))
        {
            RefuseOther(sorted[0], shard);
            if (before.Result.Shard == shard.Result.Shard)
            {
                throw new FormatException($"{PathOf(shard)}: shard {shard.Result.Shard} is in "
                    + $"{PathOf(before)} already; expected each shard once");
            }
        }

        string[] problems = [.. unreadable, .. Incomplete(sorted)];
        return Join([.. sorted.Select(shard => shard.Result)]) with
        {
            Problems = problems.Length > 0 ? problems : null,
        };
    }

    private static string PathOf(Shard shard) => Path.Combine(shard.Directory, ResultFile.Name);

    /// <summary>Shards of one campaign have everything in common but which part they took.
    /// </summary>
    private static void RefuseOther(Shard first, Shard shard)
    {
        foreach (((string name, string expected), (_, string actual)) in
            Identity(first.Result).Zip(Identity(shard.Result)))
        {
            if (actual != expected)
            {
                throw new FormatException($"{PathOf(shard)}: {name}: expected {expected} as in "
                    + $"{PathOf(first)}, not {actual}");
            }
        }
    }

    private static IEnumerable<(string Name, string Value)> Identity(CampaignResult result) =>
    [
        ("system", result.System), ("seed", Text($"{result.Seed}")),
        ("number of shards", Text($"{result.Part.Of}")), ("length", Text($"{result.Length}")),
        ("profiles", string.Join(", ", result.Profiles)), ("ledger", Text($"{result.Ledger}")),
        ("limit", Text($"{result.Limit}")),
        ("rules known", Text($"{result.Rules.Total + result.Rules.CannotFire.Length}")),
        ("errnos known", Text($"{result.Errnos.Total + result.Errnos.Cannot.Length}")),
    ];

    private static string Text(FormattableString text) =>
        text.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<string> Incomplete(Shard[] shards)
    {
        int parts = shards[0].Result.Part.Of;
        IEnumerable<int> missing = Enumerable.Range(1, parts)
            .Except(shards.Select(shard => shard.Result.Part.Number));
        return
        [
            .. missing.Select(number => $"shard {number}/{parts} is missing"),
            .. shards.Where(shard => shard.Result.IsCut).Select(shard =>
                $"{PathOf(shard)}: shard {shard.Result.Shard} did not come to its end: "
                + (shard.Result.Error ?? "it was interrupted")),
        ];
    }

    private static CampaignResult Join(CampaignResult[] parts)
    {
        double seconds = Math.Round(parts.Sum(part => part.Seconds), 3);
        long steps = parts.Sum(part => part.Steps);
        return parts[0] with
        {
            Shard = "1/1",
            Blocks = parts.Sum(part => part.Blocks),
            Runs = parts.Sum(part => part.Runs),
            Planned = parts.Sum(part => part.Planned),
            Steps = steps,
            Skipped = parts.Sum(part => part.Skipped),
            Observed = parts.Sum(part => part.Observed),
            ObservationSeconds = Math.Round(parts.Sum(part => part.ObservationSeconds), 3),
            Seconds = seconds,
            StepsPerSecond = seconds > 0 ? Math.Round(steps / seconds) : 0,
            Rules = JoinRules([.. parts.Select(part => part.Rules)]),
            Errnos = Join([.. parts.Select(part => part.Errnos)]),
            PageStates = Join([.. parts.Select(part => part.PageStates)]),
            Outcomes = NamedCount.Sum(parts.Select(part => part.Outcomes)),
            Transitions = NamedCount.Sum(parts.Select(part => part.Transitions)),
            Divergences = DivergenceResult.Sorted(
                parts.SelectMany(part => part.Divergences)
                    .GroupBy(found => found.Fingerprint).Select(Best)),
            Known =
            [
                .. parts.SelectMany(part => part.Known).GroupBy(known => known.Row)
                    .OrderBy(same => same.Key, StringComparer.Ordinal)
                    .Select(same => same.First() with { Count = same.Sum(row => row.Count) }),
            ],
            Tolerances =
            [
                .. parts.SelectMany(part => part.Tolerances).GroupBy(tolerance => tolerance.Id)
                    .Select(same => same.First() with { Count = same.Sum(t => t.Count) }),
            ],
            Interrupted = parts.Any(part => part.Interrupted == true) ? true : null,
            Error = parts.Select(part => part.Error).FirstOrDefault(error => error is not null),
        };
    }

    /// <summary>The shortest; of those, the one that one process would have met first.</summary>
    private static DivergenceResult Best(IEnumerable<DivergenceResult> same) =>
        same.OrderBy(found => found.Steps).ThenBy(found => found.Block).First();

    private static RulesResult JoinRules(RulesResult[] parts)
    {
        ExercisedResult joined = Join(
        [
            .. parts.Select(part => new ExercisedResult(
                part.Total, part.Fired, part.NeverFired,
                [.. part.CannotFire.Select(r => new WhyNot(r.Rule, r.Reason))])),
        ]);
        return new RulesResult(
            joined.Total, joined.Seen, joined.NeverSeen,
            [.. joined.Cannot.Select(c => new RuleReason(c.What, c.Reason))],
            NamedCount.Sum(parts.Select(part => part.Counts)));
    }

    /// <summary>What one part saw is seen; of the rest, what no part can show cannot be.
    /// </summary>
    private static ExercisedResult Join(ExercisedResult[] parts)
    {
        HashSet<string> unseen = [.. Unseen(parts[0])];
        HashSet<string> cannot = [.. parts[0].Cannot.Select(c => c.What)];
        foreach (ExercisedResult part in parts.Skip(1))
        {
            unseen.IntersectWith(Unseen(part));
            cannot.IntersectWith(part.Cannot.Select(c => c.What));
        }

        ImmutableArray<string> never =
        [
            .. parts[0].NeverSeen.Concat(parts[0].Cannot.Select(c => c.What))
                .Where(what => unseen.Contains(what) && !cannot.Contains(what)),
        ];
        int total = parts[0].Total + parts[0].Cannot.Length - cannot.Count;
        return new ExercisedResult(
            total, total - never.Length, never,
            [.. parts[0].Cannot.Where(c => cannot.Contains(c.What))]);
    }

    private static IEnumerable<string> Unseen(ExercisedResult part) =>
        part.NeverSeen.Concat(part.Cannot.Select(c => c.What));
}
