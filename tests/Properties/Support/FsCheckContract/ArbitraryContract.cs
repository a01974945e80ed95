using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ShmCheck.Properties.Support.FsCheckContract;

/// <summary>Which generator a property gets its arguments from: what this repository expects of
/// FsCheck.Xunit.</summary>
public sealed class ArbitraryContract
{
    [Theory]
    [InlineData(nameof(Samples.Of_the_class), 7)]
    [InlineData(nameof(Samples.Of_the_method), 9)]
    [InlineData(nameof(Samples.Front_of_two), 9)]
    [InlineData(nameof(Samples.Back_of_two_swapped), 7)]
    [InlineData(nameof(Samples.Method_not_public), 5)]
    [InlineData(nameof(Samples.Property_getter), 4)]
    public async Task The_innermost_and_then_the_first_generator_counts(string method, int value)
    {
        List<int> calls = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(typeof(Samples), method);
        Assert.StartsWith("Ok, passed 100 tests.", outcome.OutputOfPassed);
        Assert.Equal([value], calls.Distinct());
    }

    [Fact]
    public async Task A_generator_for_another_type_leaves_the_class_its_own()
    {
        List<(int, string)> calls = Calls.Of<(int, string)>();
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Samples), nameof(Samples.Both));
        Assert.StartsWith("Ok, passed 100 tests.", outcome.OutputOfPassed);
        Assert.Equal([(7, "x")], calls.Distinct());
    }

    [Fact]
    public async Task A_generator_is_given_the_generators_it_asks_for()
    {
        List<string> calls = Calls.Of<string>();
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Samples), nameof(Samples.Made_of_another));
        Assert.StartsWith("Ok, passed 100 tests.", outcome.OutputOfPassed);
        Assert.Equal(["<7>"], calls.Distinct());
    }

    private static Arbitrary<T> Only<T>(T value) => Gen.Constant(value).ToArbitrary();

    private static class Sevens
    {
        public static Arbitrary<int> Seven() => Only(7);
    }

    private static class Nines
    {
        public static Arbitrary<int> Nine() => Only(9);
    }

    // Not static: FsCheck looks at the static members of ordinary classes too.
    private sealed class Fives
    {
        internal static Arbitrary<int> Five() => Only(5);
    }

    private static class Fours
    {
        public static Arbitrary<int> Four => Only(4);
    }

    private static class Strings
    {
        public static Arbitrary<string> X() => Only("x");
    }

    private static class Numerals
    {
        public static Arbitrary<string> InBrackets(Arbitrary<int> number) =>
            number.Generator.Select(n => $"<{n}>").ToArbitrary();
    }

#pragma warning disable xUnit1000 // Not public, so that only UndiscoveredTest runs them.
    [Properties(Arbitrary = [typeof(Sevens)])]
    private sealed class Samples
    {
        [Property]
        public void Of_the_class(int x) => Calls.Add(x);

        [Property(Arbitrary = [typeof(Nines)])]
        public void Of_the_method(int x) => Calls.Add(x);

        [Property(Arbitrary = [typeof(Nines), typeof(Fives)])]
        public void Front_of_two(int x) => Calls.Add(x);

        [Property(Arbitrary = [typeof(Sevens), typeof(Nines)])]
        public void Back_of_two_swapped(int x) => Calls.Add(x);

        [Property(Arbitrary = [typeof(Fives)])]
        public void Method_not_public(int x) => Calls.Add(x);

        [Property(Arbitrary = [typeof(Fours)])]
        public void Property_getter(int x) => Calls.Add(x);

        [Property(Arbitrary = [typeof(Strings)])]
        public void Both(int x, string y) => Calls.Add((x, y));

        [Property(Arbitrary = [typeof(Numerals)])]
        public void Made_of_another(string x) => Calls.Add(x);
    }
#pragma warning restore xUnit1000
}
