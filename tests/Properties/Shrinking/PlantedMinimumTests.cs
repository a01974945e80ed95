using System.Collections.Concurrent;
using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;
using Xunit.Abstractions;

namespace ShmCheck.Properties.Shrinking;

/// <summary>The shrinker finds minima that were planted.</summary>
public sealed class PlantedMinimumTests(ITestOutputHelper output)
{
    private const int CallsPerSequence = 400;
    private const int Sequences = 50;

    /// <summary>Runs that a shrink may take in the median, by the length of the minimum.</summary>
    private static readonly ImmutableArray<int> MostExecutions = [0, 40, 40, 40, 40, 60];

    /// <summary>Drawing them takes longer than shrinking them.</summary>
    private static readonly ConcurrentDictionary<string, IReadOnlyList<RunRecord>> AllStrewn =
        new();

    public static TheoryData<string> Bugs => [.. PlantedBug.All.Keys.Order()];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void The_minimum_is_found_in_a_long_sequence(string name)
    {
        PlantedBug bug = PlantedBug.All[name];
        var executions = new List<int>();
        foreach (RunRecord found in Strewn(bug))
        {
            ShrinkResult result = Shrink(bug, found);
            executions.Add(result.Executions);
            Assert.Equal(found.Divergence!.Fingerprint, result.Record.Divergence!.Fingerprint);
            Assert.True(result.Minimal);
            Assert.True(
                result.Calls.Length == bug.Calls.Length, DivergenceText.Trace(result.Record));
            AssertOneMinimal(bug.System, result);
        }

        executions.Sort();
        int median = executions[executions.Count / 2];
        output.WriteLine(
            $"{name}: {bug.Calls.Length} calls, executions {executions[0]} to {executions[^1]}, "
            + $"median {median}");
        Assert.InRange(median, 1, MostExecutions[bug.Calls.Length]);
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void What_was_shrunk_cannot_be_shrunk_further(string name)
    {
        PlantedBug bug = PlantedBug.All[name];
        foreach (RunRecord found in Strewn(bug).Take(10))
        {
            ShrinkResult once = Shrink(bug, found);
            ShrinkResult twice = Shrink(bug, once.Record);
            Assert.Equal(DivergenceText.Trace(once.Record), DivergenceText.Trace(twice.Record));
        }
    }

    [Fact]
    public void Other_sequences_shrink_to_the_same_text()
    {
        PlantedBug bug = PlantedBug.All["fork forgets attaches"];
        Assert.Single(Strewn(bug).Take(10).Select(found =>
            DivergenceText.Trace(Shrink(bug, found).Record)).Distinct());
    }

    /// <summary>Looked at without the shrinker: every shorter sequence has another outcome.
    /// </summary>
    private static void AssertOneMinimal(ISystemFactory system, ShrinkResult result)
    {
        var record = new RunRecord();
        for (int removed = 0; removed < result.Calls.Length; removed++)
        {
            new SequenceRunner(system).Run(
                result.Machine, new CallList(result.Calls.RemoveAt(removed)), record,
                endProcesses: false);
            Assert.NotEqual(
                result.Record.Divergence!.Fingerprint, record.Divergence?.Fingerprint);
        }
    }

    private static ShrinkResult Shrink(PlantedBug bug, RunRecord found) =>
        Shrinker.Shrink(new SequenceRunner(bug.System), found)!;

    private static IReadOnlyList<RunRecord> Strewn(PlantedBug bug) =>
        AllStrewn.GetOrAdd(bug.Name, _ => [.. Strew(bug)]);

    private static IEnumerable<RunRecord> Strew(PlantedBug bug)
    {
        int found = 0;
        for (ulong seed = 1; found < Sequences; seed++)
        {
            Assert.InRange(seed, 1ul, 10ul * Sequences);
            if (bug.StrewOver(seed, CallsPerSequence) is { } record)
            {
                found++;
                yield return record;
            }
        }
    }
}
