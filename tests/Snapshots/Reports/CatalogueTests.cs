using System.Runtime.CompilerServices;
using ShmCheck.Spec;

namespace ShmCheck.Snapshots.Reports;

/// <summary><c>docs/spec.md</c> is the catalogue of the specification. UPDATE_SPEC_DOC=1 writes it
/// anew.</summary>
public sealed class CatalogueTests
{
    [Fact]
    public void The_rules_in_the_documentation_are_those_of_the_specification()
    {
        string path = PathOfDocument();
        if (Environment.GetEnvironmentVariable("UPDATE_SPEC_DOC") == "1")
        {
            File.WriteAllText(path, RuleCatalogue.ToMarkdown());
        }

        Assert.Equal(RuleCatalogue.ToMarkdown(), File.ReadAllText(path));
    }

    private static string PathOfDocument([CallerFilePath] string source = "") => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "docs", "spec.md"));
}
