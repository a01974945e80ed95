using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Planning;
using ShmCheck.Harness.Traces;
using ShmCheck.Impl;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Planning;

public sealed class PlannerTests
{
    private static readonly SystemCapabilities Impl = new ImplFactory().Capabilities;

    private static ImmutableArray<KernelProfile> Profiles => SystemCapabilities.AllProfiles;

    [Theory]
    [InlineData("shmget.ok.create", 3)]
    [InlineData("swapoff.enomem.commit", 8)]
    [InlineData("mremap.ok.move", 8)]
    [InlineData("fail.huge", 8)]
    [InlineData("destroy.last-detach", 12)]
    [InlineData("fork.enomem.commit", 8)]
    public void A_plan_fires_its_rule_where_the_system_chooses_as_the_planner_does(
        string rule, int longest)
    {
        Plan? plan = Planner.Search(Of(rule), Impl, Profiles, 11, 40_000);

        Assert.NotNull(plan);
        Assert.InRange(plan.Calls.Length, 1, longest);
        var seen = new CoverageMap();
        var record = new RunRecord();
        new SequenceRunner(SpecSystem.Factory, seen).Run(
            plan.Machine, new CallList(plan.Calls), record, endProcesses: false);
        Assert.Null(record.Divergence);
        Assert.True(plan.Target.IsIn(seen));
    }

    /// <summary>As on a live machine.</summary>
    [Fact]
    public void A_copy_that_is_refused_is_planned_for_where_there_is_much_memory()
    {
        SystemCapabilities large = Impl with
        {
            Calls = Impl.Calls.Remove(CallKind.SwapOff),
            Injections = [],
            Adapt = machine => machine with
            {
                Frames = 6_000_000,
                OvercommitRatio = 100_000_000,
            },
        };

        int found = Enumerable.Range(1, 4).Count(seed => Planner.Search(
            Of("fork.enomem.commit"), large, Profiles, (ulong)seed, 48_000) is not null);

        Assert.InRange(found, 2, 4);
    }

    /// <summary>As on a live machine with zram: nothing but MADV_WILLNEED brings it there.
    /// </summary>
    [Fact]
    public void A_page_that_is_taken_back_from_the_swap_cache_is_planned_for_without_reclaim()
    {
        SystemCapabilities live = Impl with
        {
            Calls = Impl.Calls.Remove(CallKind.Reclaim),
            Injections = [],
            Adapt = machine => machine with { SwapKind = SwapKind.Synchronous, Frames = 6_000_000 },
        };

        int found = Enumerable.Range(1, 4).Count(seed => Planner.Search(
            Of("fault.swap-cache"), live, Profiles, (ulong)seed, 24_000) is not null);

        Assert.InRange(found, 3, 4);
    }

    [Fact]
    public void No_call_of_a_plan_can_be_left_out()
    {
        Plan plan = Planner.Search(Of("destroy.last-detach"), Impl, Profiles, 3, 40_000)!;

        for (int at = 0; at < plan.Calls.Length - 1; at++)
        {
            Assert.False(Hits(plan, plan.Calls.RemoveAt(at)), $"call {at} is not needed");
        }

        Assert.True(Hits(plan, plan.Calls));
    }

    [Fact]
    public void A_search_depends_on_its_seed_alone()
    {
        string First(ulong seed) => Print(
            Planner.Search(Of("mremap.ok.move"), Impl, Profiles, seed, 40_000)!);

        Assert.Equal(First(5), First(5));
        Assert.NotEqual(First(5), First(6));
    }

    [Fact]
    public void A_plan_asks_a_system_for_nothing_that_it_lacks()
    {
        SystemCapabilities poor = Impl with
        {
            Calls = Impl.Calls.Remove(CallKind.Reclaim).Remove(CallKind.SetSysctl),
            Injections = [],
        };

        Plan plan = Planner.Search(Of("fault.swap-in"), poor, Profiles, 1, 100_000)!;

        Assert.All(plan.Calls, call => Assert.True(poor.Has(call) && call.Injection is null));
    }

    [Fact]
    public void A_search_goes_on_from_a_run_that_is_given()
    {
        Plan swapped = Planner.Search(Of("reclaim.write-out"), Impl, Profiles, 1, 40_000)!;

        Plan? plan = Planner.Search(
            Of("reclaim.write-out"), Impl, Profiles, 2, 1, (swapped.Machine, swapped.Calls));

        Assert.NotNull(plan);
        Assert.Equal(Print(swapped), Print(plan));
    }

    [Fact]
    public void A_search_that_finds_nothing_ends_with_its_budget()
    {
        SystemCapabilities mute = Impl with { Calls = [CallKind.ShmGet, CallKind.ShmAt] };

        Assert.Null(Planner.Search(Of("fork.ok.fork"), mute, Profiles, 1, 500));
    }

    [Fact]
    public void Blocks_that_follow_each_other_plan_for_different_targets()
    {
        var steering = new Steering(Impl, Profiles, 1);
        var none = new CoverageMap();
        var targets = new HashSet<string>();
        for (int block = 0; block < 4; block++)
        {
            targets.Add(steering.Next(block, none, [])?.ToString() ?? "");
        }

        Assert.True(targets.Count >= 3, string.Join(", ", targets));
        Target target = steering.Next(2, none, [])!;
        Assert.Equal(
            steering.PlanFor(2, target), new Steering(Impl, Profiles, 1).PlanFor(2, target),
            (one, other) => one is not null && Print(one) == Print(other!));
    }

    [Fact]
    public void What_a_block_has_seen_or_tried_is_not_planned_for()
    {
        var steering = new Steering(Impl, Profiles, 1);
        var tried = new HashSet<Target>();
        Target first = steering.Next(0, new CoverageMap(), tried)!;
        var seen = new CoverageMap();
        Plan plan = Planner.Search(first, Impl, Profiles, 1, 10_000)!;
        new SequenceRunner(new ImplFactory(), seen).Run(
            plan.Machine, new CallList(plan.Calls), new RunRecord());

        Assert.NotEqual(first, steering.Next(0, new CoverageMap(), tried));
        Assert.NotEqual(first, steering.Next(0, seen, []));
    }

    private static Target.OfRule Of(string rule) =>
        new(RuleCatalogue.Rules.Single(r => r.Id == rule));

    private static string Print(Plan plan) =>
        TracePrinter.Print(Trace.Of(plan.Machine, plan.Calls));

    private static bool Hits(Plan plan, ImmutableArray<Call> calls)
    {
        var seen = new CoverageMap();
        new SequenceRunner(SpecSystem.Factory, seen).Run(
            plan.Machine, new CallList(calls), new RunRecord(), endProcesses: false);
        return plan.Target.IsIn(seen);
    }
}
