using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Planning;
using ShmCheck.Impl;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Coverage;

public sealed class CoverageTests
{
    private static readonly SystemCapabilities Impl = new ImplFactory().Capabilities;

    public static TheoryData<string> Transitions =>
        [.. TransitionCoverage.Possible.Select(CoverageReport.Name)];

    [Theory]
    [MemberData(nameof(Transitions))]
    public void Every_change_of_a_page_that_is_called_possible_can_be_planned(string name)
    {
        var target = new Target.OfPage(
            TransitionCoverage.Possible.Single(t => CoverageReport.Name(t) == name));

        Assert.NotNull(Planner.Search(
            target, Impl, SystemCapabilities.AllProfiles, 4, 200_000));
    }

    [Fact]
    public void Every_change_between_states_of_one_kind_is_possible_or_has_a_reason()
    {
        PageState[] normal = [.. Enum.GetValues<PageState>().Where(s => s < PageState.HugeNone)];
        var all = from one in normal
                  from other in normal
                  where one != other
                  select new PageTransition(one, other);

        Assert.Equal(
            all.ToHashSet(),
            TransitionCoverage.Possible.Concat(TransitionCoverage.Impossible
                .Select(t => t.Transition)).Where(t => t.From < PageState.HugeNone).ToHashSet());
        Assert.Equal(22, TransitionCoverage.Possible.Length + TransitionCoverage.Impossible.Length);
    }

    [Fact]
    public void A_campaign_sees_nothing_that_is_not_called_possible()
    {
        CampaignReport report = Campaign.Run(
            SpecSystem.Factory, new CampaignOptions { Seed = 3, Steps = 25_000 });

        Assert.Empty(report.Coverage.Transitions.Keys.Except(TransitionCoverage.Possible));
        Assert.Empty(report.Coverage.Errnos.Keys.Except(
            ErrnoCoverage.Possible.Select(possible => possible.Outcome)));
    }

    [Fact]
    public void What_a_system_cannot_show_is_listed_with_the_reason_and_not_counted()
    {
        SystemCapabilities poor = Impl with
        {
            Calls = Impl.Calls.Remove(CallKind.Unshare).Remove(CallKind.SwapOn),
            Injections = [],
            Adapt = machine => machine with { SwapKind = SwapKind.Synchronous, HugePages = 0 },
        };

        CoverageReport report = CoverageReport.Of(
            new CoverageMap(), poor, [KernelProfile.Linux6_18]);

        Assert.Contains(("fail.frame", "the system injects no such failure"),
            report.Rules.CannotFire);
        Assert.Contains(report.Errnos.CannotHappen, o => o.Outcome.Call == "swapon");
        Assert.DoesNotContain(report.Errnos.NeverSeen, o => o.Call == "swapon");
        Assert.Contains(report.Transitions.CannotHappen,
            t => t.Transition.To == PageState.SwapCached);
        Assert.Contains(report.Transitions.CannotHappen,
            t => t.Transition.To == PageState.HugeResident);
        Assert.Equal(ErrnoCoverage.Possible.Length,
            report.Errnos.Total + report.Errnos.CannotHappen.Length);
    }

    [Fact]
    public void A_real_kernel_is_not_asked_for_rules_of_simulated_machines()
    {
        RuleCoverage Rules(string? release) => RuleCoverage.Of(
            new CoverageMap(), Impl with { KernelRelease = release }, [KernelProfile.Linux6_18]);

        Assert.Contains("machine.frames", Rules(null).NeverFired);
        Assert.Contains(
            ("machine.frames", "of simulated machines alone"), Rules("6.18.44").CannotFire);
    }

    [Fact]
    public void The_report_names_everything_once()
    {
        CampaignReport campaign = Campaign.Run(
            SpecSystem.Factory, new CampaignOptions { Seed = 3, Steps = 3_000 });
        string text = CoverageReport.Of(
            campaign.Coverage, Impl, SystemCapabilities.AllProfiles).ToText();

        string[] names =
        [
            .. RuleCatalogue.Rules.Select(rule => rule.Id),
            .. ErrnoCoverage.Possible.Select(possible => possible.Outcome.ToString()),
            .. TransitionCoverage.Possible.Select(CoverageReport.Name),
        ];
        string[] lines = [.. text.Split('\n')
            .Where(line => line.StartsWith(' '))
            .Select(line => line.Trim().Split(' ', 2)[1].Split(':')[0])];
        Assert.All(names, name => Assert.Single(lines, line => line == name));
    }
}
