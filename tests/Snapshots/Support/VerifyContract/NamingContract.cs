namespace ShmCheck.Snapshots.Support.VerifyContract;

/// <summary>Where Verify looks for a snapshot: what this repository expects of Verify.Xunit.
/// </summary>
public sealed class NamingContract
{
    [Fact]
    public async Task A_file_is_named_by_class_and_method()
    {
        using TemporarySource here = new();
        await here.Verify("x").AutoVerify();
        Assert.Equal(
            ["NamingContract.A_file_is_named_by_class_and_method.verified.txt"], here.Files);
    }

    [Fact]
    public async Task The_extension_is_that_of_the_text()
    {
        using TemporarySource here = new();
        await here.Verify("{}", "json").AutoVerify();
        Assert.Equal(
            ["NamingContract.The_extension_is_that_of_the_text.verified.json"], here.Files);
    }

    [Theory]
    [InlineData("dot")]
    [InlineData("bin")]
    [InlineData("snap")]
    public async Task A_binary_extension_is_refused(string extension)
    {
        using TemporarySource here = new();
        string message = await TemporarySource.FailAsync(here.Verify("x", extension));
        Assert.StartsWith("Don't pass text for a binary extension", message);
        Assert.Empty(here.Files);
    }

    [Theory]
    [InlineData("a/b", 1)]
    public async Task A_row_is_named_by_the_parameters_it_gives(string text, int number)
    {
        using TemporarySource here = new();
        await here.Verify("x").UseParameters(text, number).AutoVerify();
        Assert.Equal(
            [
                "NamingContract.A_row_is_named_by_the_parameters_it_gives"
                    + "_text=a-b_number=1.verified.txt",
            ],
            here.Files);
    }

    [Theory]
    [InlineData("a/b", 1)]
    public async Task A_row_may_leave_out_its_last_parameters(string text, int number)
    {
        using TemporarySource here = new();
        await here.Verify($"{number}").UseParameters(text).AutoVerify();
        Assert.Equal(
            [
                "NamingContract.A_row_may_leave_out_its_last_parameters"
                    + "_text=a-b.verified.txt",
            ],
            here.Files);
    }

    [Theory]
    [InlineData("a")]
    public async Task A_row_cannot_give_more_parameters_than_there_are(string text)
    {
        using TemporarySource here = new();
        string message = await TemporarySource.FailAsync(here.Verify("x").UseParameters(text, 1));
        Assert.Contains("must not exceed", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\\<>|:*?/\t", "----------")]
    [InlineData("a b.c#d=e_f(g)[h]", "a b.c#d=e_f(g)[h]")]
    [InlineData("", "")]
    [InlineData(null, "null")]
    [InlineData(true, "True")]
    [InlineData(-7, "-7")]
    [InlineData(1.5, "1.5")]
    [InlineData(ulong.MaxValue, "18446744073709551615")]
    [InlineData(DayOfWeek.Friday, "Friday")]
    [InlineData(new[] { 1, 2 }, "1,2")]
    [InlineData(new[] { "a/b", "c" }, "a-b,c")]
    [InlineData(new int[0], "[]")]
    public async Task A_value_has_a_text_that_a_file_name_can_have(object? value, string text)
    {
        using TemporarySource here = new();
        await here.Verify("x").UseParameters(value).AutoVerify();
        Assert.Equal(
            [
                "NamingContract.A_value_has_a_text_that_a_file_name_can_have"
                    + $"_value={text}.verified.txt",
            ],
            here.Files);
    }

    [Theory]
    [InlineData(1)]
    public async Task An_array_as_the_value_is_one_value(int number)
    {
        using TemporarySource here = new();
        VerifySettings settings = new();
        settings.UseParameters([number, 2]);
        await here.Verify("x", settings).AutoVerify();
        Assert.Equal(
            ["NamingContract.An_array_as_the_value_is_one_value_number=1,2.verified.txt"],
            here.Files);
    }

    [Fact]
    public async Task A_text_may_stand_for_the_parameters()
    {
        using TemporarySource here = new();
        await here.Verify("x").UseTextForParameters("some text").AutoVerify();
        Assert.Equal(
            ["NamingContract.A_text_may_stand_for_the_parameters_some text.verified.txt"],
            here.Files);
    }

    [Fact]
    public async Task Another_name_may_stand_for_the_method()
    {
        using TemporarySource here = new();
        await here.Verify("x").UseMethodName("Other").AutoVerify();
        Assert.Equal(["NamingContract.Other.verified.txt"], here.Files);
    }

    [Fact]
    public async Task Another_name_may_stand_for_the_whole()
    {
        using TemporarySource here = new();
        await here.Verify("x").UseFileName("A.B").AutoVerify();
        Assert.Equal(["A.B.verified.txt"], here.Files);
    }

    [Fact]
    public void Names_that_exclude_each_other_are_refused()
    {
        Refuse(s => s.UseFileName("a"), s => s.UseMethodName("b"));
        Refuse(s => s.UseMethodName("b"), s => s.UseFileName("a"));
        Refuse(s => s.UseFileName("a"), s => s.UseParameters(1));
        Refuse(s => s.UseParameters(1), s => s.UseTextForParameters("t"));
        Refuse(s => s.UseTextForParameters("t"), s => s.UseParameters(1));
        Refuse(_ => { }, s => s.UseFileName("a/b"));
        Refuse(_ => { }, s => s.UseMethodName("a/b"));
        Refuse(_ => { }, s => s.UseTextForParameters("a/b"));
    }

    [Fact]
    public async Task A_directory_may_be_given_from_that_of_the_source()
    {
        using TemporarySource here = new();
        await here.Verify("x").UseDirectory("Sub").UseFileName("A").AutoVerify();
        Assert.Equal(["Sub/A.verified.txt"], here.Files);
    }

    [Fact]
    public async Task A_directory_may_be_given_in_full()
    {
        using TemporarySource here = new();
        using TemporarySource there = new();
        await here.Verify("x").UseDirectory(there.Directory).UseFileName("A").AutoVerify();
        Assert.Empty(here.Files);
        Assert.Equal(["A.verified.txt"], there.Files);
    }

    [Fact]
    public async Task A_name_can_be_used_once()
    {
        using TemporarySource here = new();
        await here.Verify("x").AutoVerify();
        string message = await TemporarySource.FailAsync(here.Verify("x"));
        Assert.StartsWith("The prefix has already been used: ", message);
        await here.Verify("x").DisableRequireUniquePrefix();
        await here.Verify("x").UseMethodName("Other").AutoVerify();
    }

    private static void Refuse(Action<VerifySettings> first, Action<VerifySettings> second)
    {
        VerifySettings settings = new();
        first(settings);
        Assert.ThrowsAny<Exception>(() => second(settings));
    }

    public sealed class Nested
    {
        [Fact]
        public async Task A_nested_class_is_named_after_its_parent()
        {
            using TemporarySource here = new();
            await here.Verify("x").AutoVerify();
            Assert.Equal(
                ["NamingContract.Nested.A_nested_class_is_named_after_its_parent.verified.txt"],
                here.Files);
        }

        public sealed class Deeper
        {
            [Fact]
            public async Task A_class_is_named_after_one_parent_only()
            {
                using TemporarySource here = new();
                await here.Verify("x").AutoVerify();
                Assert.Equal(
                    ["Nested.Deeper.A_class_is_named_after_one_parent_only.verified.txt"],
                    here.Files);
            }
        }
    }

    public abstract class Base
    {
        [Fact]
        public async Task A_file_is_named_by_the_class_that_runs()
        {
            using TemporarySource here = new();
            await here.Verify("x").AutoVerify();
            Assert.Equal(
                ["NamingContract.Derived.A_file_is_named_by_the_class_that_runs.verified.txt"],
                here.Files);
        }
    }

    public sealed class Derived : Base;
}
