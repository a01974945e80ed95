using System.Collections.Immutable;
using ShmCheck.Harness.Coverage;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Results;

/// <summary>Rules that fired and that did not.</summary>
/// <param name="Total">Rules that the system can show.</param>
/// <param name="Fired">How many of them fired.</param>
/// <param name="NeverFired">Those that did not.</param>
/// <param name="CannotFire">Those that the system cannot show.</param>
/// <param name="Counts">How often each fired.</param>
public sealed record RulesResult(
    int Total, int Fired, ImmutableArray<string> NeverFired,
    ImmutableArray<RuleReason> CannotFire, ImmutableArray<NamedCount> Counts)
{
    /// <summary>The rules of a coverage report.</summary>
    public static RulesResult Of(CoverageReport coverage) => new(
        coverage.Rules.Total, coverage.Rules.Fired, coverage.Rules.NeverFired,
        [.. coverage.Rules.CannotFire.Select(r => new RuleReason(r.Rule, r.Reason))],
        NamedCount.Sorted(RuleCatalogue.Rules
            .Select(rule => new NamedCount(rule.Id, coverage.Map.Rules[rule.Ordinal]))
            .Where(rule => rule.Count > 0)));
}

/// <summary>Calls with errnos, or changes of page states, seen and not seen.</summary>
/// <param name="Total">Those that the system can show.</param>
/// <param name="Seen">How many of them were seen.</param>
/// <param name="NeverSeen">Those that were not.</param>
/// <param name="Cannot">Those that the system cannot show.</param>
public sealed record ExercisedResult(
    int Total, int Seen, ImmutableArray<string> NeverSeen, ImmutableArray<WhyNot> Cannot)
{
    /// <summary>Calls with errnos.</summary>
    public static ExercisedResult Of(ErrnoCoverage errnos) => new(
        errnos.Total, errnos.Seen, [.. errnos.NeverSeen.Select(o => o.ToString())],
        [.. errnos.CannotHappen.Select(o => new WhyNot(o.Outcome.ToString(), o.Reason))]);

    /// <summary>Changes of page states.</summary>
    public static ExercisedResult Of(TransitionCoverage pages) => new(
        pages.Driven.Length + pages.NeverDriven.Length, pages.Driven.Length,
        [.. pages.NeverDriven.Select(CoverageReport.Name)],
        [.. pages.CannotHappen.Select(
            t => new WhyNot(CoverageReport.Name(t.Transition), t.Reason))]);
}

/// <summary>Something that the system cannot show, and why.</summary>
/// <param name="What">What.</param>
/// <param name="Reason">Why.</param>
public sealed record WhyNot(string What, string Reason);

/// <summary>A rule that cannot fire, and why.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Reason">Why.</param>
public sealed record RuleReason(string Rule, string Reason);

/// <summary>A name with a count.</summary>
/// <param name="Name">The name.</param>
/// <param name="Count">The count.</param>
public sealed record NamedCount(string Name, long Count)
{
    /// <summary>In the order of names.</summary>
    public static ImmutableArray<NamedCount> Sorted(IEnumerable<NamedCount> counts) =>
        [.. counts.OrderBy(count => count.Name, StringComparer.Ordinal)];

    /// <summary>Adds up counts of the same name.</summary>
    public static ImmutableArray<NamedCount> Sum(
        IEnumerable<ImmutableArray<NamedCount>> parts) => Sorted(
            parts.SelectMany(part => part).GroupBy(count => count.Name)
                .Select(same => new NamedCount(same.Key, same.Sum(count => count.Count))));
}
