using ShmCheck.Harness.Ledgers;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Documentation;

/// <summary><c>docs/other-systems.md</c> shows all ledgers side by side.</summary>
public sealed class KnownDivergencesTests
{
    [Fact]
    public void The_table_is_what_the_ledgers_say() => Assert.EndsWith(
        "\n\n" + LedgerComparison.ToMarkdown(
            [.. KnownLedgers.Systems.Select(KnownLedgers.OwnOf)]),
        File.ReadAllText(Path.Combine(Repository.Root, "docs", "other-systems.md")),
        StringComparison.Ordinal);
}
