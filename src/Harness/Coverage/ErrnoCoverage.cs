using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Generating;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Coverage;

/// <summary>A call that can fail with an errno, and a rule that makes it.</summary>
/// <param name="Outcome">The call and the errno.</param>
/// <param name="Rule">The rule.</param>
public readonly record struct PossibleErrno(CallErrno Outcome, Rule Rule);

/// <summary>Calls with each errno that the specification can give them: those seen, and those
/// not.</summary>
/// <param name="Seen">How many were seen.</param>
/// <param name="NeverSeen">Those that the system can show and that were not seen.</param>
/// <param name="CannotHappen">Those that the system cannot show, with the reason.</param>
public sealed record ErrnoCoverage(
    int Seen, ImmutableArray<CallErrno> NeverSeen,
    ImmutableArray<(CallErrno Outcome, string Reason)> CannotHappen)
{
    /// <summary>Errors of calls that have the rule of another call, or of a part of the
    /// subsystem.</summary>
    private static readonly ImmutableArray<(string Call, string Rule)> Shared =
    [
        ("shmat", "mmap.eagain.memlock"), ("shmat", "mmap.enomem.no-room"),
        ("shmat", "mmap.eperm.low-address"), ("mremap", "mmap.eagain.memlock"),
        ("mremap", "mmap.enomem.rlimit-as"), ("mremap", "mmap.eperm.low-address"),
        ("mmap", "fail.bookkeeping"), ("munlock", "mlock.einval.overflow"),
        ("munlock", "mlock.enomem.hole"), ("mlockall", "mlock.eperm.memlock-zero"),
        ("mlock", "fail.bookkeeping"), ("munmap", "fail.bookkeeping"),
        ("mprotect", "fail.bookkeeping"), ("madvise", "touch.sigbus.beyond-object"),
        ("madvise", "fail.bookkeeping-madvise"), ("mbind", "fail.bookkeeping"),
        ("shmget", "fail.id"), ("shmctl", "fail.bookkeeping"),
        ("fork", "fork.enomem.commit"), ("clone", "fork.enomem.commit"),
        ("vfork", "fail.bookkeeping"), ("execve", "fail.bookkeeping"),
        ("unshare", "fail.bookkeeping"), ("setns", "fail.bookkeeping"),
        ("setns", "unshare.eperm"), ("unshare", "unshare.eperm"),
        ("mremap", "mapping.einval.huge-boundary"), ("munmap", "mapping.einval.huge-boundary"),
        ("mprotect", "mapping.einval.huge-boundary"),
    ];

    /// <summary>Every call with every errno that some rule gives it: rules that have the name of
    /// the call, and those that several calls share.</summary>
    public static ImmutableArray<PossibleErrno> Possible { get; } = Collect();

    /// <summary>Calls with errnos that the system can show.</summary>
    public int Total => Seen + NeverSeen.Length;

    /// <summary>Compares a map with the catalogue.</summary>
    public static ErrnoCoverage Of(
        CoverageMap map, SystemCapabilities capabilities, ImmutableArray<KernelProfile> profiles)
    {
        var never = ImmutableArray.CreateBuilder<CallErrno>();
        var cannot = ImmutableArray.CreateBuilder<(CallErrno, string)>();
        int seen = 0;
        foreach (PossibleErrno possible in Possible)
        {
            if (map.Errnos.ContainsKey(possible.Outcome))
            {
                seen++;
            }
            else if (ReasonAgainst(possible, capabilities, profiles) is { } reason)
            {
                cannot.Add((possible.Outcome, reason));
            }
            else
            {
                never.Add(possible.Outcome);
            }
        }

        return new ErrnoCoverage(seen, never.ToImmutable(), cannot.ToImmutable());
    }

    /// <summary>Why a system cannot show it; null when it can.</summary>
    internal static string? ReasonAgainst(
        PossibleErrno possible, SystemCapabilities capabilities,
        ImmutableArray<KernelProfile> profiles) =>
        RuleCalls.Named(possible.Outcome.Call).Overlaps(capabilities.Calls)
            ? RuleCoverage.ReasonAgainst(possible.Rule, capabilities, profiles)
            : $"the system has no {possible.Outcome.Call}";

    private static ImmutableArray<PossibleErrno> Collect()
    {
        IEnumerable<PossibleErrno> own =
            from rule in RuleCatalogue.Rules
            where rule.Errno != Errno.None && rule.Signal == Signal.None
            from kind in RuleCalls.Named(RuleCalls.PrefixOf(rule))
            select new PossibleErrno(new CallErrno(CallErrno.NameOf(kind), rule.Errno), rule);
        IEnumerable<PossibleErrno> shared =
            from pair in Shared
            let rule = RuleCatalogue.Rules.Single(rule => rule.Id == pair.Rule)
            select new PossibleErrno(new CallErrno(pair.Call, rule.Errno), rule);
        return
        [
            .. own.Concat(shared).DistinctBy(possible => possible.Outcome)
                .OrderBy(possible => possible.Outcome.ToString(), StringComparer.Ordinal),
        ];
    }
}
