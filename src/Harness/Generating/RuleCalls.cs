using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Coverage;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Generating;

/// <summary>Which calls the name of a rule tells of: rules are called after the system call, or
/// the part of the subsystem, that they belong to.</summary>
internal static class RuleCalls
{
    private static readonly ImmutableDictionary<string, AllocationKind> Injections =
        new Dictionary<string, AllocationKind>
        {
            ["fail.frame"] = AllocationKind.Frame, ["fail.slot"] = AllocationKind.Slot,
            ["fail.huge"] = AllocationKind.Huge, ["fail.huge-reservation"] = AllocationKind.Huge,
            ["fail.id"] = AllocationKind.Id, ["fail.bookkeeping"] = AllocationKind.Bookkeeping,
            ["fail.bookkeeping-madvise"] = AllocationKind.Bookkeeping,
        }.ToImmutableDictionary();

    /// <summary>Rules that are called after two calls at once.</summary>
    private static readonly ImmutableDictionary<string, ImmutableHashSet<CallKind>> Several =
        new Dictionary<string, ImmutableHashSet<CallKind>>
        {
            ["swap"] = [CallKind.SwapOn, CallKind.SwapOff],
            ["setid"] = [CallKind.SetUid, CallKind.SetGid],
            ["exec"] = [CallKind.Exec],
            ["exit"] = [CallKind.Exit, CallKind.ExitGroup],
        }.ToImmutableDictionary();

    /// <summary>The first part of a rule's name.</summary>
    public static string PrefixOf(Rule rule) =>
        rule.Id[..rule.Id.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>The failure that a rule is about, if any.</summary>
    public static AllocationKind? InjectionOf(Rule rule) =>
        Injections.TryGetValue(rule.Id, out AllocationKind kind) ? kind : null;

    /// <summary>The calls of a name; none when it is that of a part of the subsystem.</summary>
    public static ImmutableHashSet<CallKind> Named(string prefix) =>
        Several.TryGetValue(prefix, out ImmutableHashSet<CallKind>? calls) ? calls
            : [.. Enum.GetValues<CallKind>().Where(kind => CallErrno.NameOf(kind) == prefix)];
}
