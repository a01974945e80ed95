using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Generating;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Coverage;

/// <summary>The rules of the catalogue against what was exercised: those that fired, those that
/// did not, and those that the system cannot show, with the reason. A rule that never fired was
/// not checked.</summary>
/// <param name="Fired">Rules that fired.</param>
/// <param name="NeverFired">Rules that the system can show and that did not fire.</param>
/// <param name="CannotFire">Rules that the system cannot show.</param>
public sealed record RuleCoverage(
    int Fired, ImmutableArray<string> NeverFired,
    ImmutableArray<(string Rule, string Reason)> CannotFire)
{
    /// <summary>A real kernel reclaims memory, or kills, before it is out of frames
    /// (docs/machine.md).</summary>
    private static readonly ImmutableHashSet<string> OfSimulatedMachines =
        ["machine.frames", "swapoff.enomem.frames"];

    /// <summary>Rules that the system can show.</summary>
    public int Total => Fired + NeverFired.Length;

    /// <summary>Compares a map with the catalogue.</summary>
    /// <param name="map">What was exercised.</param>
    /// <param name="capabilities">What the system can show.</param>
    /// <param name="profiles">The profiles drawn: rules of others do not count.</param>
    public static RuleCoverage Of(
        CoverageMap map, SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles)
    {
        var never = ImmutableArray.CreateBuilder<string>();
        var cannot = ImmutableArray.CreateBuilder<(string, string)>();
        int fired = 0;
        foreach (Rule rule in RuleCatalogue.Rules)
        {
            if (map.Rules[rule.Ordinal] > 0)
            {
                fired++;
            }
            else if (ReasonAgainst(rule, capabilities, profiles) is { } reason)
            {
                cannot.Add((rule.Id, reason));
            }
            else
            {
                never.Add(rule.Id);
            }
        }

        return new RuleCoverage(fired, never.ToImmutable(), cannot.ToImmutable());
    }

    /// <summary>Why a rule cannot fire on a system; null when it can.</summary>
    internal static string? ReasonAgainst(
        Rule rule, SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles)
    {
        if (!rule.Profiles.Any(profile => profiles.Contains(profile)))
        {
            return "of kernels that were not drawn";
        }

        if (RuleCalls.InjectionOf(rule) is { } kind && !capabilities.Injections.Contains(kind))
        {
            return "the system injects no such failure";
        }

        if (capabilities.CannotShow.TryGetValue(rule.Id, out string? reason))
        {
            return reason;
        }

        if (capabilities.KernelRelease is not null && OfSimulatedMachines.Contains(rule.Id))
        {
            return "of simulated machines alone";
        }

        string prefix = RuleCalls.PrefixOf(rule);
        ImmutableHashSet<CallKind> named = RuleCalls.Named(prefix);
        return !named.IsEmpty && !named.Overlaps(capabilities.Calls)
                ? $"the system has no {prefix}"
            : rule.Id.EndsWith(".newipc", StringComparison.Ordinal)
                && !capabilities.Calls.Contains(CallKind.Unshare)
                ? "the system has one IPC namespace" : null;
    }
}
