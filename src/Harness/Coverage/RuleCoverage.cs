using System.Collections.Immutable;
using ShmCheck.Abi;
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
    private static readonly ImmutableDictionary<string, CallKind> Calls =
        new Dictionary<string, CallKind>
        {
            ["shmget"] = CallKind.ShmGet, ["shmat"] = CallKind.ShmAt, ["shmdt"] = CallKind.ShmDt,
            ["mmap"] = CallKind.MMap, ["munmap"] = CallKind.MUnmap,
            ["mprotect"] = CallKind.MProtect, ["mremap"] = CallKind.MRemap,
            ["mlock"] = CallKind.MLock, ["mlockall"] = CallKind.MLockAll,
            ["madvise"] = CallKind.MAdvise, ["mbind"] = CallKind.MBind,
            ["unshare"] = CallKind.Unshare, ["setns"] = CallKind.SetNs,
            ["swapon"] = CallKind.SwapOn, ["swapoff"] = CallKind.SwapOff,
            ["setuid"] = CallKind.SetUid, ["setgid"] = CallKind.SetGid,
            ["setresuid"] = CallKind.SetResUid, ["setresgid"] = CallKind.SetResGid,
            ["setgroups"] = CallKind.SetGroups, ["capset"] = CallKind.CapSet,
            ["setrlimit"] = CallKind.SetRLimit, ["sysctl"] = CallKind.SetSysctl,
            ["fork"] = CallKind.Fork, ["vfork"] = CallKind.VFork, ["clone"] = CallKind.Clone,
            ["exec"] = CallKind.Exec,
        }.ToImmutableDictionary();

    private static readonly ImmutableDictionary<string, AllocationKind> Injections =
        new Dictionary<string, AllocationKind>
        {
            ["fail.frame"] = AllocationKind.Frame, ["fail.slot"] = AllocationKind.Slot,
            ["fail.huge"] = AllocationKind.Huge, ["fail.huge-reservation"] = AllocationKind.Huge,
            ["fail.id"] = AllocationKind.Id, ["fail.bookkeeping"] = AllocationKind.Bookkeeping,
            ["fail.bookkeeping-madvise"] = AllocationKind.Bookkeeping,
        }.ToImmutableDictionary();

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

    private static string? ReasonAgainst(
        Rule rule, SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles)
    {
        if (!rule.Profiles.Any(profile => profiles.Contains(profile)))
        {
            return "of kernels that were not drawn";
        }

        if (Injections.TryGetValue(rule.Id, out AllocationKind kind)
            && !capabilities.Injections.Contains(kind))
        {
            return "the system injects no such failure";
        }

        string name = rule.Id[..rule.Id.IndexOf('.', StringComparison.Ordinal)];
        bool missing = Calls.TryGetValue(name, out CallKind call)
            && !capabilities.Calls.Contains(call);
        bool namespaces = rule.Id.EndsWith(".newipc", StringComparison.Ordinal)
            && !capabilities.Calls.Contains(CallKind.Unshare);
        return missing ? $"the system has no {name}"
            : namespaces ? "the system has one IPC namespace" : null;
    }
}
