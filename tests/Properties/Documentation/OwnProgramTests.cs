using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Documentation;

/// <summary><c>docs/own-program.md</c> shows what is there.</summary>
public sealed class OwnProgramTests
{
    private const string Path = "tests/Properties/OwnProgram/toy.pl";

    private static readonly string Program =
        File.ReadAllText(System.IO.Path.Combine(Repository.Root, Path));

    [Fact]
    public void The_listing_is_the_program() => Assert.Contains(
        $"`{Path}`:\n\n```perl\n{Program}```\n",
        File.ReadAllText(System.IO.Path.Combine(Repository.Root, "docs", "own-program.md")),
        StringComparison.Ordinal);

    [Fact]
    public void The_program_is_short() => Assert.InRange(Program.Count(c => c == '\n'), 1, 99);
}
