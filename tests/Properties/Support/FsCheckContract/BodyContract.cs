using System.Reflection;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit.Sdk;

namespace ShmCheck.Properties.Support.FsCheckContract;

/// <summary>What the body of a property may be, and what runs around it: what this repository
/// expects of FsCheck.Xunit.</summary>
public sealed class BodyContract
{
    [Theory]
    [InlineData(nameof(Samples.Void_holds))]
    [InlineData(nameof(Samples.Bool_holds))]
    [InlineData(nameof(Samples.Property_holds))]
    [InlineData(nameof(Samples.Task_holds))]
    [InlineData(nameof(Samples.Task_of_bool_holds))]
    public async Task A_property_that_holds_tells_how_often_it_ran(string method)
    {
        UndiscoveredTestOutcome outcome = await Run(method);
        Assert.StartsWith("Ok, passed 100 tests.", outcome.OutputOfPassed);
    }

    [Theory]
    [InlineData(nameof(Samples.Void_fails))]
    [InlineData(nameof(Samples.Bool_fails))]
    [InlineData(nameof(Samples.Property_fails))]
    [InlineData(nameof(Samples.Task_fails))]
    [InlineData(nameof(Samples.Task_of_bool_fails))]
    public async Task A_property_that_does_not_hold_fails(string method)
    {
        UndiscoveredTestOutcome outcome = await Run(method);
        Assert.Contains("Falsifiable, after ", outcome.MessageOfFailed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(Samples.Number))]
    [InlineData(nameof(Samples.Of_what_cannot_be_generated))]
    public async Task A_property_that_FsCheck_cannot_run_fails(string method)
    {
        UndiscoveredTestOutcome outcome = await Run(method);
        Assert.Single(outcome.Failed);
        Assert.Empty(outcome.Passed);
    }

    [Fact]
    public async Task A_static_property_without_parameters_runs_as_often_as_any_other()
    {
        List<int> calls = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Static_without_parameters));
        Assert.StartsWith("Ok, passed 9 tests.", outcome.OutputOfPassed);
        Assert.Equal(9, calls.Count);
    }

    [Fact]
    public async Task All_runs_of_a_property_share_one_object_which_is_disposed()
    {
        List<string> calls = Calls.Of<string>();
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Lifetime), nameof(Lifetime.Holds));
        Assert.StartsWith("Ok, passed 3 tests.", outcome.OutputOfPassed);
        Assert.Equal(["new", "run 1", "run 2", "run 3", "dispose"], calls);
    }

    [Fact]
    public async Task A_skipped_property_is_told_as_skipped_and_never_runs()
    {
        List<int> calls = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Skipped));
        Assert.Equal("for a reason", Assert.Single(outcome.Skipped).Reason);
        Assert.Empty(outcome.Passed);
        Assert.Empty(outcome.Failed);
        Assert.Empty(calls);
    }

    [Fact]
    public async Task A_quiet_property_that_holds_tells_nothing()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Quiet));
        Assert.Equal("", outcome.OutputOfPassed.Trim());
    }

    [Fact]
    public async Task A_verbose_property_tells_the_arguments_of_every_run()
    {
        List<int> calls = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Verbose));
        string[] lines = outcome.OutputOfPassed.ReplaceLineEndings("\n").Split('\n');
        int first = Array.IndexOf(lines, "0:");
        int second = Array.IndexOf(lines, "1:");
        Assert.Equal([$"{calls[0]}", $"{calls[1]}"], [lines[first + 1], lines[second + 1]]);
    }

    [Fact]
    public async Task What_xunit_runs_before_a_test_it_does_not_run_before_a_property()
    {
        List<int> calls = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Has_a_before_attribute));
        Assert.StartsWith("Ok, passed 100 tests.", outcome.OutputOfPassed);
        Assert.Empty(calls);
    }

    private static Task<UndiscoveredTestOutcome> Run(string method) =>
        UndiscoveredTest.RunAsync(typeof(Samples), method);

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TellingAttribute : BeforeAfterTestAttribute
    {
        public override void Before(MethodInfo methodUnderTest) => Calls.Add(-1);
    }

#pragma warning disable xUnit1000 // Not public, so that only UndiscoveredTest runs them.
    private sealed class Samples
    {
        [Property]
        public void Void_holds(int x) => Assert.Equal(x, x + 0);

        [Property]
        public bool Bool_holds(int x) => x == x + 0;

        [Property]
        public Property Property_holds(int x) => (x == x + 0).ToProperty();

        [Property]
        public async Task Task_holds(int x)
        {
            await Task.Yield();
            Assert.Equal(x, x + 0);
        }

        [Property]
        public async Task<bool> Task_of_bool_holds(int x)
        {
            await Task.Yield();
            return x == x + 0;
        }

        [Property]
        public void Void_fails(int x) => Assert.Equal(x, x + 1);

        [Property]
        public bool Bool_fails(int x) => x == x + 1;

        [Property]
        public Property Property_fails(int x) => (x == x + 1).ToProperty();

        [Property]
        public async Task Task_fails(int x)
        {
            await Task.Yield();
            Assert.Equal(x, x + 1);
        }

        [Property]
        public async Task<bool> Task_of_bool_fails(int x)
        {
            await Task.Yield();
            return x == x + 1;
        }

        [Property]
        public int Number(int x) => x;

        [Property]
        public bool Of_what_cannot_be_generated(IDisposable x) => x is not null;

        [Property(MaxTest = 9)]
        public static void Static_without_parameters() => Calls.Add(0);

        [Property(Skip = "for a reason")]
        public void Skipped(int x) => Calls.Add(x);

        [Property(QuietOnSuccess = true)]
        public bool Quiet(int x) => x == x + 0;

        [Property(Verbose = true, MaxTest = 2)]
        public void Verbose(int x) => Calls.Add(x);

        [Property]
        [Telling]
        public bool Has_a_before_attribute(int x) => x == x + 0;
    }

    private sealed class Lifetime : IDisposable
    {
        private int _runs;

        public Lifetime() => Calls.Add("new");

        [Property(MaxTest = 3)]
        public void Holds() => Calls.Add($"run {++_runs}");

        public void Dispose() => Calls.Add("dispose");
    }
#pragma warning restore xUnit1000
}
