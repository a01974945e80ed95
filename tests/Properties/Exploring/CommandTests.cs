using ShmCheck.Properties.CommandLine;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Exploring;

/// <summary>How the command <c>explore</c> ends, and what it says.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class CommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_system_that_conforms_gives_0()
    {
        CommandRun run = Explore("--depth", "4");
        Assert.Equal(0, run.Code);
        Assert.Contains("longer sequences were not asked for", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_that_lies_gives_1_and_a_trace()
    {
        CommandRun run = CommandRun.On(
            new LyingFactory(Lie.All[0]), "explore", "--depth", "4", "--out", _folder.Path);
        Assert.Equal(1, run.Code);
        Assert.NotEmpty(Directory.EnumerateFiles(_folder.Path, "*.shm"));
    }

    [Fact]
    public void Memory_that_does_not_suffice_gives_2_and_says_what_to_do()
    {
        CommandRun run = Explore("--memory", "452K", "--jobs", "1");
        Assert.Equal(2, run.Code);
        Assert.Contains("the memory bound is reached", run.Out, StringComparison.Ordinal);
        Assert.Contains("give more with --memory", run.Out, StringComparison.Ordinal);

        CommandRun more = Explore("--resume", "--depth", "7");
        Assert.Equal(0, more.Code);
    }

    [Theory]
    [InlineData("--scope: there is no scope 'x'; expected one of model, tiny", "--scope", "x")]
    [InlineData("--memory: '4' is no amount of memory", "--memory", "4")]
    [InlineData("--resume: nothing to go on with", "--resume")]
    [InlineData("spec cannot be explored", "--system", "spec")]
    public void Arguments_that_mean_nothing_give_2(string expected, params string[] arguments)
    {
        CommandRun run = Explore(arguments);
        Assert.Equal(2, run.Code);
        Assert.StartsWith($"shmcheck: {expected}", run.Error, StringComparison.Ordinal);
    }

    private CommandRun Explore(params string[] arguments) =>
        CommandRun.Of(["explore", .. arguments, "--out", _folder.Path]);
}
