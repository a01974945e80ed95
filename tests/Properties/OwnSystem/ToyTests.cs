using ShmCheck.Harness.Campaigns;

namespace ShmCheck.Properties.OwnSystem;

/// <summary>The toy, checked.</summary>
public sealed class ToyTests
{
    private static readonly CampaignOptions Options = new() { Seed = 1, Steps = 10_000 };

    [Fact]
    public void The_toy_keeps_its_books() =>
        Assert.Empty(Campaign.Run(new ToyFactory(forgetful: false), Options).Findings);

    [Fact]
    public void What_the_forgetful_toy_forgets_is_found_and_shrunk()
    {
        Finding bug = Campaign.Run(new ToyFactory(forgetful: true), Options).Findings
            .MinBy(finding => finding.Calls.Length)!;
        Assert.Equal(4, bug.Calls.Length);
        Assert.Contains("s1 nattch: expected 0 mappings, the system says 1", bug.Text);
    }
}
