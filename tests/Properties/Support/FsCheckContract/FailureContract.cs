using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit.Abstractions;

namespace ShmCheck.Properties.Support.FsCheckContract;

/// <summary>What a property that does not hold tells, and how it is replayed: what this repository
/// expects of FsCheck.Xunit.</summary>
public sealed partial class FailureContract
{
    [Fact]
    public async Task The_message_has_the_counterexample_and_the_seeds_to_replay_it()
    {
        UndiscoveredTestOutcome outcome = await FailFrom(replay: "(123,457)");
        string[] lines = Lines(outcome);
        Assert.Equal("", lines[0]);
        Assert.Matches(@"^Falsifiable, after \d+ tests? \(\d+ shrinks?\) \(123,457\)", lines[1]);
        Assert.Matches(
            @"^Last step was invoked with size of \d+ and seed of \(\d+,\d+\)", lines[2]);
        Assert.Matches(@"^Replay directly at failing step with \(\d+,\d+,\d+\)", lines[3]);
        Assert.Equal("Original:", lines[4]);
        Assert.Equal("Shrunk:", lines[6]);
        Assert.Equal("21", lines[7]);
    }

    [Fact]
    public async Task The_type_of_the_failure_is_told_first_and_then_that_of_its_cause()
    {
        ITestFailed failed = Assert.Single((await FailFrom(replay: null)).Failed);
        Assert.Equal(
            ["FsCheck.Xunit.PropertyFailedException", "System.InvalidTimeZoneException"],
            failed.ExceptionTypes);
        Assert.Equal("too large", failed.Messages[1]);
    }

    [Fact]
    public async Task The_seed_of_a_run_replays_it_to_the_same_counterexample()
    {
        string[] first = Lines(await FailFrom(replay: null));
        string[] again = Lines(await FailFrom(RunSeed().Match(first[1]).Value));
        Assert.Equal(first, again);
    }

    [Fact]
    public async Task The_seed_and_size_of_a_step_replay_that_step_alone()
    {
        string[] first = Lines(await FailFrom(replay: null));
        string step = StepSeed().Match(first[3]).Value;
        string[] again = Lines(await FailFrom(step));
        string[] bare = Lines(await FailFrom(step.Trim('(', ')')));
        Assert.StartsWith("Falsifiable, after 1 test (", again[1], StringComparison.Ordinal);
        Assert.Equal(Counterexample(first), Counterexample(again));
        Assert.Equal(again, bare);
    }

    [Fact]
    public async Task A_step_that_holds_is_one_test()
    {
        Replayed.At.Value = "(123,457,5)";
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Failing), nameof(Failing.Above_20));
        Assert.StartsWith("Ok, passed 1 test.", outcome.OutputOfPassed);
    }

    [Fact]
    public async Task The_label_of_what_failed_is_told()
    {
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Failing), nameof(Failing.Labelled));
        Assert.Contains(
            "Label of failing property: small", outcome.MessageOfFailed, StringComparison.Ordinal);
    }

    private static Task<UndiscoveredTestOutcome> FailFrom(string? replay)
    {
        Replayed.At.Value = replay;
        return UndiscoveredTest.RunAsync(typeof(Failing), nameof(Failing.Above_20));
    }

    private static string[] Lines(UndiscoveredTestOutcome outcome) =>
        outcome.MessageOfFailed.ReplaceLineEndings("\n").Split('\n');

    private static IEnumerable<string> Counterexample(string[] lines) =>
        lines.SkipWhile(line => line != "Original:").Take(4);

    [GeneratedRegex(@"\(\d+,\d+\)")]
    private static partial Regex RunSeed();

    [GeneratedRegex(@"\(\d+,\d+,\d+\)")]
    private static partial Regex StepSeed();

    /// <summary>A property that is replayed from where its test says.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class Replayed : PropertyAttribute
    {
        public static readonly AsyncLocal<string?> At = new();

        public Replayed()
        {
            Replay = At.Value;
            MaxTest = 1000;
        }
    }

#pragma warning disable xUnit1000 // Not public, so that only UndiscoveredTest runs them.
    private sealed class Failing
    {
        // Never fails at the first test: an integer is no larger than the size.
        [Replayed]
        public void Above_20(int x)
        {
            if (x > 20)
            {
                throw new InvalidTimeZoneException("too large");
            }
        }

        [Property]
        public Property Labelled(int x) => (x < 3).Label("small").And((x == x + 0).Label("same"));
    }
#pragma warning restore xUnit1000
}
