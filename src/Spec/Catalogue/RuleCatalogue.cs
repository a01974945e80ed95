using System.Collections.Immutable;
using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>All rules and invariants, in the order of the documentation.</summary>
public static class RuleCatalogue
{
    /// <summary>All rules: by call, within a call in the order in which they are tried.</summary>
    public static ImmutableArray<Rule> Rules { get; } = Collect();

    /// <summary>All invariants.</summary>
    public static ImmutableArray<Invariant> Invariants { get; } = [.. Spec.Invariants.All];

    /// <summary>The catalogue as Markdown.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder(
            """
            # The rules of the specification

            Generated from `src/Spec` by the tests: run them with `UPDATE_SPEC_DOC=1` to write this
            file anew. Within a call the errors stand in the order in which they are found: of
            two that apply, the upper one is answered. (mremap: in the order of Linux 6.18. Older
            kernels test flags before addresses, 6.1 and 6.12 then the mapping, and the target
            last; 5.14 tests the target before the mapping.) Profiles are named where a rule does
            not hold for all.


            """.ReplaceLineEndings("\n"));
        string family = "";
        foreach (Rule rule in Rules)
        {
            if (rule.Family != family)
            {
                family = rule.Family;
                text.Append($"## {family}\n\n");
            }

            text.Append($"- **`{rule.Id}`**{Answer(rule)}{ProfilesOf(rule)}: {rule.Statement}\n");
            text.Append($"  *{rule.Source}*\n");
            if (rule.Ordinal == Rules.Length - 1 || Rules[rule.Ordinal + 1].Family != family)
            {
                text.Append('\n');
            }
        }

        text.Append("## Invariants\n\n");
        foreach (Invariant invariant in Invariants)
        {
            text.Append($"- **`{invariant.Id}`**: {invariant.Statement}\n");
            text.Append($"  *{invariant.Source}*\n");
        }

        return text.ToString();
    }

    private static ImmutableArray<Rule> Collect()
    {
        RuleFamily[] families =
        [
            ShmGet.Family, Identifiers.Family, ShmAt.Family, ShmCtl.Family, Lifetime.Family,
            MMap.Family, Mappings.Family, Populate.Family, Attributes.Family, MRemap.Family,
            MAdvise.Family, Faults.Family, SwapOut.Family, Swap.Family, Pool.Family,
            Commit.Family, Processes.Family, Namespaces.Family, Capabilities.Family,
            Sysctls.Family, Machine.Family,
        ];
        ImmutableArray<Rule> rules = [.. families.SelectMany(family => family.Rules)];
        var ids = new HashSet<string>();
        for (int ordinal = 0; ordinal < rules.Length; ordinal++)
        {
            rules[ordinal].Ordinal = ordinal;
            if (!ids.Add(rules[ordinal].Id))
            {
                throw new InvalidOperationException($"two rules are called {rules[ordinal].Id}");
            }
        }

        return rules;
    }

    private static string Answer(Rule rule) => rule.Signal != Signal.None
        ? $" {rule.Signal}" : rule.Errno != Errno.None ? $" {rule.Errno}" : "";

    private static string ProfilesOf(Rule rule) =>
        rule.Profiles.Length == SystemCapabilities.AllProfiles.Length ? ""
            : $" ({string.Join(", ", rule.Profiles.Select(KernelProfileText.Of))})";
}
