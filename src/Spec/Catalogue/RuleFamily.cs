using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>A rule with its condition: one line of a table of errors. A table is tried from top
/// to bottom, so that its order is the precedence of the errors.</summary>
/// <typeparam name="T">What the condition looks at.</typeparam>
internal readonly record struct Guard<T>(Rule Rule, Func<T, bool> When);

/// <summary>The rules of one call or one part of the subsystem, in the order in which they are
/// written down.</summary>
internal sealed class RuleFamily(string name)
{
    private readonly List<Rule> _rules = [];

    /// <summary>Profiles that a rule holds for.</summary>
    public static ImmutableArray<KernelProfile> From(KernelProfile first) =>
        [.. SystemCapabilities.AllProfiles.Where(profile => profile >= first)];

    /// <summary>Profiles that a rule holds for.</summary>
    public static ImmutableArray<KernelProfile> UpTo(KernelProfile last) =>
        [.. SystemCapabilities.AllProfiles.Where(profile => profile <= last)];

    public IReadOnlyList<Rule> Rules => _rules;

    /// <summary>A rule about what a call does.</summary>
    public Rule Effect(
        string id, string statement, string source,
        ImmutableArray<KernelProfile> profiles = default) =>
        Add(id, Errno.None, Signal.None, statement, source, profiles);

    /// <summary>A rule about an error that is found while a call is under way.</summary>
    public Rule Error(
        Errno errno, string id, string statement, string source,
        ImmutableArray<KernelProfile> profiles = default) =>
        Add(id, errno, Signal.None, statement, source, profiles);

    /// <summary>A rule about an access that raises SIGBUS; where the kernel itself makes the
    /// access, the call answers EFAULT or what it makes of that.</summary>
    public Rule Fault(string id, string statement, string source) =>
        Add(id, Errno.EFAULT, Signal.SIGBUS, statement, source, default);

    /// <summary>A rule about an access that raises SIGSEGV.</summary>
    public Rule Violation(string id, string statement, string source) =>
        Add(id, Errno.None, Signal.SIGSEGV, statement, source, default);

    /// <summary>A line of a table of errors.</summary>
    public Guard<T> Fails<T>(
        Errno errno, string id, Func<T, bool> when, string statement, string source,
        ImmutableArray<KernelProfile> profiles = default) =>
        new(Error(errno, id, statement, source, profiles), when);

    private Rule Add(
        string id, Errno errno, Signal signal, string statement, string source,
        ImmutableArray<KernelProfile> profiles)
    {
        var rule = new Rule
        {
            Id = id,
            Family = name,
            Errno = errno,
            Signal = signal,
            Statement = statement,
            Source = source,
            Profiles = profiles.IsDefault ? SystemCapabilities.AllProfiles : profiles,
        };
        _rules.Add(rule);
        return rule;
    }
}
