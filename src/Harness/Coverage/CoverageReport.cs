using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Coverage;

/// <summary>What a campaign exercised of what the specification has: rules, calls with errnos,
/// and changes of page states.</summary>
/// <param name="Map">What was exercised.</param>
/// <param name="Rules">Rules.</param>
/// <param name="Errnos">Calls with errnos.</param>
/// <param name="Transitions">Changes of page states.</param>
public sealed record CoverageReport(
    CoverageMap Map, RuleCoverage Rules, ErrnoCoverage Errnos, TransitionCoverage Transitions)
{
    /// <summary>Compares a map with the specification.</summary>
    /// <param name="map">What was exercised.</param>
    /// <param name="capabilities">What the system can show.</param>
    /// <param name="profiles">The profiles drawn.</param>
    public static CoverageReport Of(
        CoverageMap map, SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles) =>
        new(map, RuleCoverage.Of(map, capabilities, profiles),
            ErrnoCoverage.Of(map, capabilities, profiles),
            TransitionCoverage.Of(map, capabilities));

    /// <summary>Everything, one line each: how often, what; then what never happened, and what
    /// cannot, with the reason.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        Head(text, "rules", Rules.Fired, Rules.Total);
        foreach (Rule rule in RuleCatalogue.Rules.Where(rule => Map.Rules[rule.Ordinal] > 0))
        {
            Line(text, Map.Rules[rule.Ordinal], rule.Id);
        }

        Rest(text, Rules.NeverFired, Rules.CannotFire);
        Head(text, "calls with errnos", Errnos.Seen, Errnos.Total);
        foreach ((CallErrno outcome, long count) in
            Map.Errnos.OrderBy(o => o.Key.ToString(), StringComparer.Ordinal))
        {
            Line(text, count, outcome.ToString());
        }

        Rest(text, Errnos.NeverSeen.Select(o => o.ToString()),
            Errnos.CannotHappen.Select(o => (o.Outcome.ToString(), o.Reason)));
        Head(text, "page states", Transitions.Driven.Length,
            Transitions.Driven.Length + Transitions.NeverDriven.Length);
        foreach (PageTransition moved in Transitions.Driven)
        {
            Line(text, Map.Transitions[moved], Name(moved));
        }

        Rest(text, Transitions.NeverDriven.Select(Name),
            Transitions.CannotHappen.Select(t => (Name(t.Transition), t.Reason)));
        return text.ToString();
    }

    /// <summary>A change of a page's state as text.</summary>
    public static string Name(PageTransition transition) =>
        $"{transition.From}->{transition.To}";

    private static void Head(StringBuilder text, string what, int seen, int total) =>
        text.Append(CultureInfo.InvariantCulture,
            $"{(text.Length > 0 ? "\n" : "")}{what}: {seen} of {total}\n");

    private static void Line(StringBuilder text, long count, string what) =>
        text.Append(CultureInfo.InvariantCulture, $"{count,12} {what}\n");

    private static void Rest(
        StringBuilder text, IEnumerable<string> never,
        IEnumerable<(string What, string Reason)> cannot)
    {
        foreach (string what in never)
        {
            text.Append(CultureInfo.InvariantCulture, $"{"never",12} {what}\n");
        }

        foreach ((string what, string reason) in cannot)
        {
            text.Append(CultureInfo.InvariantCulture, $"{"cannot",12} {what}: {reason}\n");
        }
    }
}
