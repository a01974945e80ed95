using System.Text.RegularExpressions;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Properties.OwnSystem;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Documentation;

/// <summary><c>docs/own-implementation.md</c> shows what is there.</summary>
public sealed partial class OwnImplementationTests
{
    private const int MostLines = 150;

    private static readonly string Document =
        File.ReadAllText(Path.Combine(Repository.Root, "docs", "own-implementation.md"));

    private static readonly string[] Names = ["ToyFactory.cs", "ToyShm.cs", "ToyTests.cs"];

    public static TheoryData<string> Files => [.. Names];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_listing_is_the_file(string file)
    {
        string path = $"tests/Properties/OwnSystem/{file}";
        string listing = Listing().Matches(Document)
            .Single(match => match.Groups["path"].Value == path).Groups["text"].Value;
        Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, path)), listing);
    }

    [Fact]
    public void The_listings_are_all_that_the_example_has() =>
        Assert.Equal(
            Names,
            Directory.EnumerateFiles(
                    Path.Combine(Repository.Root, "tests", "Properties", "OwnSystem"))
                .Select(Path.GetFileName).Order());

    [Fact]
    public void The_whole_example_is_short() =>
        Assert.InRange(
            Listing().Matches(Document)
                .Sum(match => match.Groups["text"].Value.Count(c => c == '\n')),
            1, MostLines);

    [Fact]
    public void The_trace_is_what_is_found()
    {
        Finding bug = Campaign.Run(
            new ToyFactory(forgetful: true), new CampaignOptions { Seed = 1, Steps = 10_000 })
            .Findings.MinBy(finding => finding.Calls.Length)!;
        Assert.Contains($"```\n{bug.Text}```\n", Document, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^`(?<path>tests/[^`]+)`:\n\n```csharp\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Listing();
}
