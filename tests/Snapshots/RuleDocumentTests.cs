using System.Runtime.CompilerServices;
using ShmCheck.Spec;

namespace ShmCheck.Snapshots;

/// <summary>The document about the rules is the catalogue. With UPDATE_SPEC_DOC=1 it is written
/// anew.</summary>
public class RuleDocumentTests
{
    private static string Document([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "docs", "spec.md");

    [Fact]
    public void The_document_about_the_rules_is_the_catalogue()
    {
        string catalogue = RuleCatalogue.ToMarkdown();
        if (Environment.GetEnvironmentVariable("UPDATE_SPEC_DOC") == "1")
        {
            File.WriteAllText(Document(), catalogue);
        }

        Assert.Equal(catalogue, File.ReadAllText(Document()).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void The_catalogue_has_every_rule_and_every_invariant_once()
    {
        string[] lines = RuleCatalogue.ToMarkdown().Split('\n');
        IEnumerable<string> names =
        [
            .. RuleCatalogue.Rules.Select(rule => rule.Id),
            .. RuleCatalogue.Invariants.Select(invariant => invariant.Id),
        ];
        Assert.All(names, name => Assert.Single(
            lines, line => line.StartsWith($"- **`{name}`**", StringComparison.Ordinal)));
    }
}
