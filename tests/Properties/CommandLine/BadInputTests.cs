using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.CommandLine;

/// <summary>Arguments that a command cannot use: exit code 2, and one line that says what was
/// expected.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class BadInputTests
{
    [Theory]
    [InlineData("expected a command: one of check, ", "")]
    [InlineData("there is no command 'frob'; expected one of check, ", "frob")]
    [InlineData("--steps: expected a number from 1 to", "check --steps x")]
    [InlineData("--steps: expected a number from 1 to", "check --steps 0")]
    [InlineData("--steps: expected a number from 1 to", "check --steps -5")]
    [InlineData("--length: expected a number from 1 to 1000000, not '0'", "check --length 0")]
    [InlineData("--jobs: expected a number from 1 to 1024, not '9999'", "check --jobs 9999")]
    [InlineData("--seed: expected a number from 0 to 18446744073709551615", "check --seed -1")]
    [InlineData("--shard: '0/2' is no shard; expected K/N with K from 1", "check --shard 0/2")]
    [InlineData("--shard: '3/2' is no shard", "check --shard 3/2")]
    [InlineData("--shard: '1' is no shard", "check --shard 1")]
    [InlineData("expected either --blocks or --steps and --time", "check --blocks 1 --steps 9")]
    [InlineData("/none/result.json: there is no such file; expected the result", "merge /none")]
    [InlineData("--time: '5' is no time; expected for instance 40s or 10m", "check --time 5")]
    [InlineData("--time: '-5s' is no time", "check --time -5s")]
    [InlineData("--profile: there is no profile '7'; expected one of 5.14", "check --profile 7")]
    [InlineData("--system: there is no system 'x'; expected one of impl", "check --system x")]
    [InlineData("--system: there is no system 'x'; expected one of", "replay --system x a.shm")]
    [InlineData("--out: /dev/null/x: no directory can be made there", "check --out /dev/null/x")]
    [InlineData("Unrecognized command or argument '--frob'", "check --frob")]
    [InlineData("Required argument missing for command: 'replay'", "replay")]
    [InlineData("/none.shm: there is no such file; expected a trace", "shrink /none.shm")]
    [InlineData("/none.shm: there is no such file; expected a trace", "shrink --json /none.shm")]
    [InlineData("--record /none: expected the root of the repository", "faults --record /none")]
    [InlineData("there is no rule or invariant 'shmget.e'; expected a name", "spec shmget.e")]
    public void A_bad_argument_ends_with_2_and_says_what_was_expected(
        string expected, string commandLine)
    {
        CommandRun run = CommandRun.Of(Split(commandLine));
        Assert.Equal(2, run.Code);
        Assert.StartsWith($"shmcheck: {expected}", run.Error, StringComparison.Ordinal);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("check --steps x --json")]
    [InlineData("check --shard 9/2 --json")]
    [InlineData("shrink --json /none.shm")]
    [InlineData("spec nosuch --json")]
    [InlineData("frob --json")]
    public void With_JSON_a_bad_argument_is_one_object_with_an_error(string commandLine)
    {
        CommandRun run = CommandRun.Of(Split(commandLine));
        Assert.Equal(2, run.Code);
        Assert.Equal(["version", "error"], run.Json.Select(field => field.Key));
        Assert.Equal(run.Error, $"shmcheck: {(string?)run.Json["error"]}\n");
    }

    [Theory]
    [InlineData("check --shard 9/2")]
    [InlineData("shrink /none.shm")]
    public void Without_JSON_nothing_is_printed_for_a_bad_argument(string commandLine) =>
        Assert.Equal("", CommandRun.Of(Split(commandLine)).Out);

    [Fact]
    public void A_folder_is_no_trace()
    {
        using var folder = new TemporaryFolder();
        CommandRun run = CommandRun.Of("shrink", folder.Path);
        Assert.Equal(2, run.Code);
        Assert.StartsWith(
            $"shmcheck: {folder.Path}: cannot be read:", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_cannot_be_written_ends_with_2()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write(
            "a.shm", "# shmcheck trace 1\nmachine frames=64\np1 shmget(1, 0, IPC_CREAT|0600)\n");
        CommandRun run = CommandRun.On(
            new PlantedFaults.FaultyFactory(() => new PlantedFaults.NothingIsTooMuch()),
            "shrink", file, "-o", folder.PathOf("none/b.shm"));
        Assert.Equal(2, run.Code);
        Assert.Contains("none/b.shm: cannot be written", run.Error, StringComparison.Ordinal);
    }

    private static string[] Split(string commandLine) =>
        commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
