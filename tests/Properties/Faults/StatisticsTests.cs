using System.Collections.Immutable;
using ShmCheck.Faults;
using ShmCheck.Faults.Building;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Faults.Statistics;
using ShmCheck.Harness.Campaigns;

namespace ShmCheck.Properties.Faults;

/// <summary>What several hunts of a fault say about the next one.</summary>
public sealed class StatisticsTests
{
    private const int Seeds = 12;
    private const long Within = 6_000;

    /// <summary>Figures of Brown, Cai and DasGupta 2001, Interval Estimation for a Binomial
    /// Proportion, by the formula.</summary>
    [Theory]
    [InlineData(10, 10, 0.722, 1.0)]
    [InlineData(0, 10, 0.0, 0.278)]
    [InlineData(5, 10, 0.237, 0.763)]
    public void The_interval_of_a_proportion_is_that_of_Wilson(
        int hits, int trials, double low, double high)
    {
        (double Low, double High) interval = new Proportion(hits, trials).Interval();

        Assert.Equal(low, interval.Low, 3);
        Assert.Equal(high, interval.High, 3);
    }

    [Theory]
    [InlineData(new long[] { 1, 2, 3 }, new long[] { 4, 5, 6 }, 0.05)]
    [InlineData(new long[] { 4, 5, 6 }, new long[] { 1, 2, 3 }, 1.0)]
    [InlineData(new long[] { 7, 7, 7 }, new long[] { 7, 7, 7 }, 1.0)]
    [InlineData(new long[] { 1, 2 }, new long[] { 2, 3 }, 2.0 / 6)]
    public void The_chance_of_the_ranks_counts_all_ways_to_divide_the_values(
        long[] before, long[] now, double chance) =>
        Assert.Equal(chance, RankSum.ChanceThatLarger(before, now), 9);

    [Fact]
    public void Five_pairs_of_five_that_went_up_have_a_chance_of_one_in_32() => Assert.Equal(
        1 / 32.0, SignTest.ChanceThatUp(Enumerable.Repeat((1.0, 2.0), 5).Append((3, 3))), 9);

    [Fact]
    public void A_worsened_generator_is_noticed_and_an_equal_one_is_not()
    {
        Fault fault = FaultCatalogue.All.Single(f => f.Id == "swap-in-forgets-rss");
        using FaultySystem system = FaultySystem.Of(fault);
        ImmutableArray<long> Hunt(ulong firstSeed, int length) =>
        [
            .. Enumerable.Range(0, Seeds).Select(i => Campaign.Run(system, new CampaignOptions
            {
                Seed = firstSeed + (ulong)i,
                Steps = Within,
                Length = length,
                MostShrunk = 0,
                Goal = fault.IsShownBy,
            }).Findings.FirstOrDefault(f => fault.IsShownBy(f.Fingerprint))?.FoundAfter
                ?? HuntResult.NotCaught),
        ];
        ImmutableArray<long> recorded = Hunt(1, CampaignOptions.DefaultLength);

        HuntComparison equal = HuntComparison.Of(
            [new(fault.Id, recorded, Hunt(101, CampaignOptions.DefaultLength))]);
        HuntComparison worse = HuntComparison.Of([new(fault.Id, recorded, Hunt(1, length: 3))]);

        Assert.Empty(equal.Slower);
        Assert.False(equal.AllAreSlower);
        Assert.Equal([fault.Id], worse.Slower);
    }

    [Fact]
    public void What_is_too_little_to_show_in_one_fault_shows_in_all_of_them()
    {
        StepsOfFault[] faults = [.. Enumerable.Range(0, 20).Select(
            i => new StepsOfFault($"f{i}", [100, 200, 300], [110, 210, 310]))];

        HuntComparison comparison = HuntComparison.Of(faults);

        Assert.Empty(comparison.Slower);
        Assert.True(comparison.AllAreSlower);
    }

    [Fact]
    public void A_matrix_reads_as_it_was_written()
    {
        KillRow[] rows =
            [new("a", "a.rule", 3, [12, HuntResult.NotCaught]), new("b", KillRow.Survived, 0, [])];

        ImmutableArray<KillRow> again = KillMatrix.Parse(KillMatrix.Print(rows));

        Assert.Equal(KillMatrix.Print(rows), KillMatrix.Print(again));
        Assert.Equal([12, HuntResult.NotCaught], again[0].Steps.AsEnumerable());
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a b three")]
    [InlineData("a b 3 many")]
    public void A_malformed_line_of_a_matrix_is_refused_with_its_number(string line)
    {
        var thrown = Assert.Throws<FaultException>(() => KillMatrix.Parse($"# head\n{line}\n"));

        Assert.Equal("matrix.txt:2: expected 'FAULT RULE CALLS STEPS...'", thrown.Message);
    }
}
