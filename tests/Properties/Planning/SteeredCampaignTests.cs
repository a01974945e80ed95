using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Coverage;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Planning;

public sealed class SteeredCampaignTests
{
    private static readonly CampaignOptions Options = new() { Seed = 21, Steps = 12_000 };

    [Fact]
    public void Shards_add_up_to_what_one_process_does_with_plans_too()
    {
        CampaignReport[] shards = [.. Enumerable.Range(1, 2).Select(shard => Campaign.Run(
            new ImplFactory(), Options with { Shard = shard, Shards = 2, Steps = 1 }))];
        long blocks = shards.Sum(shard => shard.Blocks);
        CampaignReport whole = Campaign.Run(
            new ImplFactory(), Options with { Steps = shards[0].Steps + 1 });

        Assert.Equal((2, 2), (blocks, whole.Blocks));
        Assert.True(whole.Planned > 0);
        Assert.Equal(whole.Planned, shards.Sum(shard => shard.Planned));
        Assert.Equal(whole.Steps, shards.Sum(shard => shard.Steps));
        var sum = new CoverageMap();
        foreach (CampaignReport shard in shards)
        {
            sum.Add(shard.Coverage);
        }

        Assert.Equal(whole.Coverage.Rules, sum.Rules);
    }

    [Fact]
    public void Threads_do_not_change_what_a_campaign_does()
    {
        CampaignReport one = Campaign.Run(new ImplFactory(), Options);
        CampaignReport three = Campaign.Run(new ImplFactory(), Options with { Jobs = 3 });

        Assert.Equal((one.Steps, one.Planned), (three.Steps, three.Planned));
        Assert.Equal(one.Coverage.Rules, three.Coverage.Rules);
    }
}
