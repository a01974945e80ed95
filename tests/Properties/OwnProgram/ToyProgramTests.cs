using System.Collections.Immutable;
using ShmCheck.Harness.Campaigns;
using ShmCheck.LiveTests;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.OwnProgram;

/// <summary>The toy that is a program, checked.</summary>
public sealed class ToyProgramTests
{
    [LiveFact(LiveNeed.Perl)]
    public void The_toy_keeps_its_books()
    {
        using AgentFactory toy = Toy();
        CampaignReport report = Check(toy);
        Assert.Empty(report.Findings);
        Assert.InRange(report.Steps, 5000, long.MaxValue);
        Assert.InRange(report.Coverage.RulesFired, 15, int.MaxValue);
    }

    [LiveFact(LiveNeed.Perl)]
    public void What_the_forgetful_toy_forgets_is_found_and_shrunk()
    {
        using AgentFactory toy = Toy("--forgetful");
        Finding bug = Check(toy).Findings.Single(f => f.Fingerprint.Fields.Contains("nattch")
            && f.Fingerprint.Call == Abi.CallKind.Kill);
        Assert.Equal(4, bug.Calls.Length);
        Assert.Contains(
            $"```\n{bug.Text}```\n",
            File.ReadAllText(Path.Combine(Repository.Root, "docs", "own-program.md")),
            StringComparison.Ordinal);
    }

    private static CampaignReport Check(AgentFactory toy) =>
        Campaign.Run(toy, new CampaignOptions { Seed = 1, Steps = 5000 });

    private static AgentFactory Toy(params ImmutableArray<string> switches) => new(
        "toy",
        [
            "perl", Path.Combine(Repository.Root, "tests", "Properties", "OwnProgram", "toy.pl"),
            .. switches,
        ]);
}
