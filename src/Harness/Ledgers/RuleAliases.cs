using System.Collections.Immutable;
using System.Reflection;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Ledgers;

/// <summary>Rules and invariants that are called otherwise than they once were: fingerprints in
/// ledgers and snapshots that name them as they were called go on meaning the same.</summary>
public sealed class RuleAliases
{
    private readonly ImmutableDictionary<string, string> _names;

    private RuleAliases(ImmutableDictionary<string, string> names) => _names = names;

    /// <summary>The aliases of the catalogue (<c>ledgers/rules.aliases</c>).</summary>
    public static RuleAliases Known { get; } = Parse("rules.aliases", ReadKnown());

    /// <summary>The old names.</summary>
    public IEnumerable<string> OldNames => _names.Keys;

    /// <summary>Reads aliases: a line <c>OLD -> NEW</c> for each, comments behind <c>#</c>.
    /// </summary>
    /// <param name="file">The name that errors show.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="TraceFormatException">A line is none, an old name is given twice or is
    /// a name of the catalogue, or names lead back to themselves.</exception>
    public static RuleAliases Parse(string file, string text)
    {
        var names = ImmutableDictionary.CreateBuilder<string, string>();
        string[] lines = text.Split('\n');
        for (int at = 0; at < lines.Length; at++)
        {
            var line = new LineCursor(file, at + 1, lines[at].TrimEnd('\r'));
            line.SkipBlanks();
            if (line.AtEnd || line.Peek == '#')
            {
                continue;
            }

            int start = line.Position;
            string old = line.While(RuleNames.Belongs);
            line.Expect("->");
            line.SkipBlanks();
            string now = line.While(RuleNames.Belongs);
            if (old.Length == 0 || now.Length == 0 || names.ContainsKey(old)
                || RuleNames.Exists(old) || now == old || names.ContainsKey(now))
            {
                throw line.Error(start, "expected 'OLD -> NEW' with an old name that no rule has "
                    + "and that is given once, of two names in a chain the older one first");
            }

            names.Add(old, now);
        }

        return new RuleAliases(names.ToImmutable());
    }

    /// <summary>What a rule or invariant is called today.</summary>
    public string Resolve(string name)
    {
        string resolved = name;
        while (_names.TryGetValue(resolved, out string? next))
        {
            resolved = next;
        }

        return resolved;
    }

    private static string ReadKnown()
    {
        using Stream stream = Assembly.GetExecutingAssembly()
            .GetManifestResourceStream("ledgers/rules.aliases")
            ?? throw new InvalidOperationException("the aliases are not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>The names of rules and invariants.</summary>
internal static class RuleNames
{
    /// <summary>What fingerprints name where no rule decides.</summary>
    private static readonly ImmutableHashSet<string> Others =
    [
        "machine.start", Breakdown.Threw, Breakdown.Hung, "system.lost-once",
        "system.lost-after", Breakdown.SpecificationThrew,
    ];

    private static readonly ImmutableHashSet<string> Names =
    [
        .. Others, .. RuleCatalogue.Rules.Select(rule => rule.Id),
        .. RuleCatalogue.Invariants.Select(invariant => invariant.Id),
    ];

    public static bool Exists(string name) => Names.Contains(name);

    /// <summary>Whether a character may be part of a name.</summary>
    public static bool Belongs(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_';
}
