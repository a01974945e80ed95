using System.Reflection;
using System.Reflection.Emit;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ShmCheck.Properties.Support.FsCheckContract;

/// <summary>How the settings of a property come together: what this repository expects of
/// FsCheck.Xunit.</summary>
public sealed class SettingsContract
{
    [Theory]
    [InlineData(typeof(Unset), nameof(Unset.Nothing_is_set), 100)]
    [InlineData(typeof(Unset), nameof(Unset.Method_is_set), 3)]
    [InlineData(typeof(Sevens), nameof(Sevens.Nothing_is_set), 7)]
    [InlineData(typeof(Sevens), nameof(Sevens.Method_is_set), 3)]
    [InlineData(typeof(Sevens.Nested), nameof(Sevens.Nested.Nothing_is_set), 7)]
    [InlineData(typeof(Sevens.Fives), nameof(Sevens.Fives.Nothing_is_set), 5)]
    [InlineData(typeof(DerivedFromSevens), nameof(Sevens.Nothing_is_set), 7)]
    public async Task The_innermost_setting_counts(Type type, string method, int tests)
    {
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(type, method);
        Assert.StartsWith($"Ok, passed {tests} tests.", outcome.OutputOfPassed);
    }

    [Theory]
    [InlineData(nameof(UnsetBase.Nothing_is_set), 11)]
    [InlineData(nameof(UnsetBase.Method_is_set), 3)]
    public async Task The_settings_of_the_assembly_are_the_outermost(string method, int tests)
    {
        Type elevens = InAssemblyWithMaxTest(11, typeof(UnsetBase));
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(elevens, method);
        Assert.StartsWith($"Ok, passed {tests} tests.", outcome.OutputOfPassed);
    }

    [Fact]
    public void What_is_not_set_reads_as_unset()
    {
        PropertyAttribute attribute = new();
        Assert.Equal(
            [-1, -1, -1, -1],
            [attribute.MaxTest, attribute.MaxRejected, attribute.StartSize, attribute.EndSize]);
        Assert.Null(attribute.Replay);
        Assert.False(attribute.Verbose);
        Assert.False(attribute.QuietOnSuccess);
        Assert.Empty(attribute.Arbitrary);
    }

    [Fact]
    public async Task Sizes_go_from_the_first_to_the_last()
    {
        List<int> sizes = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Sizes), nameof(Sizes.From_4_to_6));
        Assert.StartsWith("Ok, passed 50 tests.", outcome.OutputOfPassed);
        Assert.Equal(4, sizes[0]);
        Assert.Equal([4, 5, 6], sizes.Distinct().Order());
    }

    [Fact]
    public async Task A_run_that_rejects_too_many_cases_fails_as_exhausted()
    {
        List<int> cases = Calls.Of<int>();
        UndiscoveredTestOutcome outcome = await UndiscoveredTest.RunAsync(
            typeof(Rejecting), nameof(Rejecting.Everything));
        Assert.Contains(
            "Arguments exhausted after 0 tests", outcome.MessageOfFailed, StringComparison.Ordinal);
        Assert.InRange(cases.Count, 20, 22);
    }

    private static Type InAssemblyWithMaxTest(int maxTest, Type parent)
    {
        AssemblyBuilder assembly = AssemblyBuilder.DefineDynamicAssembly(
            new AssemblyName($"MaxTest{maxTest}"), AssemblyBuilderAccess.Run);
        assembly.SetCustomAttribute(new CustomAttributeBuilder(
            typeof(PropertiesAttribute).GetConstructor([])!,
            constructorArgs: [],
            [typeof(PropertiesAttribute).GetProperty(nameof(PropertyAttribute.MaxTest))!],
            [maxTest]));
        return assembly.DefineDynamicModule("Module")
            .DefineType("Elevens", TypeAttributes.Public, parent)
            .CreateType();
    }

    // Abstract: no runner takes it for a class of tests. Public: another assembly derives from it.
    public abstract class UnsetBase
    {
        [Property]
        public bool Nothing_is_set(int x) => x == x + 0;

        [Property(MaxTest = 3)]
        public bool Method_is_set(int x) => x == x + 0;
    }

#pragma warning disable xUnit1000 // Not public, so that only UndiscoveredTest runs them.
    private sealed class Unset : UnsetBase;

    [Properties(MaxTest = 7)]
    private class Sevens : UnsetBase
    {
        public sealed class Nested : UnsetBase;

        [Properties(MaxTest = 5)]
        public sealed class Fives : UnsetBase;
    }

    private sealed class DerivedFromSevens : Sevens;

    private sealed class Sizes
    {
        [Property(StartSize = 4, EndSize = 6, MaxTest = 50, Arbitrary = [typeof(ArbitrarySize)])]
        public void From_4_to_6(Size size) => Calls.Add(size.Value);
    }

    private sealed class Rejecting
    {
        [Property(MaxRejected = 20)]
        public Property Everything(int x)
        {
            Calls.Add(x);
            return true.When(false);
        }
    }
#pragma warning restore xUnit1000

    /// <summary>The size that a case was generated at.</summary>
    private readonly record struct Size(int Value);

    private static class ArbitrarySize
    {
        public static Arbitrary<Size> Size() =>
            Gen.Sized(size => Gen.Constant(new Size(size))).ToArbitrary();
    }
}
