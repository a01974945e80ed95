using ShmCheck.Abi;
using ShmCheck.Harness.Traces;
using ShmCheck.Properties.Support;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>Claims about the catalogue of rules and invariants.</summary>
public class CatalogueTests
{
    private const string Word = "[a-z0-9]+(-[a-z0-9]+)*";

    private static readonly string RuleTraces = Path.Combine(Repository.Root, "traces", "rules");

    public static TheoryData<string> TracesOfRules =>
    [
        .. Directory.EnumerateFiles(RuleTraces, "*.shm")
            .Select(file => Path.GetFileNameWithoutExtension(file)).Order(),
    ];

    [Fact]
    public void Names_say_the_call_and_what_it_is_about() => Assert.All(
        RuleCatalogue.Rules,
        rule => Assert.Matches($"^{Word}(\\.{Word}){{1,2}}$", rule.Id));

    [Fact]
    public void Names_of_rules_and_invariants_are_unique()
    {
        string[] names =
        [
            .. RuleCatalogue.Rules.Select(rule => rule.Id),
            .. RuleCatalogue.Invariants.Select(invariant => invariant.Id),
        ];
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void The_name_of_a_rule_about_an_error_says_which() => Assert.All(
        RuleCatalogue.Rules.Where(rule => !rule.Id.StartsWith("fail.", StringComparison.Ordinal)
            && !rule.Id.StartsWith("machine.", StringComparison.Ordinal)),
        rule =>
        {
            string answer = rule.Signal != Signal.None ? rule.Signal.ToString()
                : rule.Errno != Errno.None ? rule.Errno.ToString() : "";
            string[] parts = rule.Id.Split('.');
            Assert.Equal(
                answer.ToLowerInvariant(),
                parts.FirstOrDefault(IsAnswer) ?? "");
        });

    [Fact]
    public void Statements_are_sentences_and_sources_name_files_or_manual_pages()
    {
        IEnumerable<(string Id, string Statement, string Source)> entries =
        [
            .. RuleCatalogue.Rules.Select(r => (r.Id, r.Statement, r.Source)),
            .. RuleCatalogue.Invariants.Select(i => (i.Id, i.Statement, i.Source)),
        ];
        Assert.All(entries, entry =>
        {
            Assert.Matches("^[^ ].*[^ ]\\.$", entry.Statement);
            Assert.DoesNotContain("  ", entry.Statement);
            Assert.Matches("[a-z0-9_]/[a-z0-9_/-]+|[a-z_]+\\([278]\\)", entry.Source);
        });
    }

    [Fact]
    public void Every_profile_has_rules_and_every_rule_a_profile()
    {
        Assert.All(RuleCatalogue.Rules, rule => Assert.NotEmpty(rule.Profiles));
        Assert.All(
            SystemCapabilities.AllProfiles,
            profile => Assert.Contains(
                RuleCatalogue.Rules,
                rule => rule.Profiles.Contains(profile) && rule.Profiles.Length < 4));
    }

    [Theory]
    [MemberData(nameof(TracesOfRules))]
    public void A_trace_of_a_rule_fires_it(string rule)
    {
        Trace trace = TraceParser.ParseFile(Path.Combine(RuleTraces, $"{rule}.shm"));
        Scene scene = Scene.OfFailures(trace.Machine);
        var fired = new HashSet<string>();
        foreach (Call call in trace.Calls)
        {
            scene.Do(call);
            fired.UnionWith(scene.Log.Rules.Select(found => found.Id));
        }

        Assert.Contains(rule, fired);
    }

    private static bool IsAnswer(string part) =>
        Enum.TryParse(part, ignoreCase: true, out Errno errno) && errno != Errno.None
        || Enum.TryParse(part, ignoreCase: true, out Signal signal) && signal != Signal.None;
}
