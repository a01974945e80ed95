using System.Diagnostics;
using System.Text.Json.Nodes;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.CommandLine;

/// <summary><c>check --shard</c> and <c>merge</c>.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class MergeTests : IDisposable
{
    private const int Shards = 3;

    private static readonly string[] Campaign =
    [
        "--fault", "fork-forgets-the-attach", "--fault", "swap-in-keeps-the-slot",
        "--blocks", "5", "--seed", "5", "--length", "60",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_merge_in_any_order_to_what_one_process_finds_even_when_one_was_killed()
    {
        Wait(Start("one", "1/1"));
        Process[] shards =
            [.. Enumerable.Range(1, Shards).Select(k => Start($"s{k}", $"{k}/{Shards}"))];
        Kill(shards[1]);
        Wait(shards[0]);
        Wait(shards[2]);
        CommandRun without = Merge("s1", "s2", "s3");
        Assert.Equal(2, without.Code);
        Assert.Contains(
            $"{_folder.PathOf("s2/result.json")}: there is no such file; expected the result",
            without.Error, StringComparison.Ordinal);
        Assert.EndsWith(
            "shmcheck: shard 2/3 is missing\n", without.Error, StringComparison.Ordinal);
        Wait(Start("s2", "2/3"));

        string whole = Timeless(File.ReadAllText(_folder.PathOf("one/result.json")));
        foreach (string[] order in new string[][] { ["s1", "s2", "s3"], ["s3", "s1", "s2"] })
        {
            CommandRun run = Merge([.. order, "--out", "all"]);
            Assert.Equal((1, ""), (run.Code, run.Error));
            Assert.Equal(whole, Timeless(File.ReadAllText(_folder.PathOf("all/result.json"))));
            foreach (string trace in
                run.Json["divergences"]!.AsArray().Select(found => (string)found!["trace"]!))
            {
                Assert.Equal(
                    File.ReadAllText(_folder.PathOf($"one/{Path.GetFileName(trace)}")),
                    File.ReadAllText(trace));
            }
        }

        Assert.InRange(JsonNode.Parse(whole)!["divergences"]!.AsArray().Count, 2, 64);
    }

    [Theory]
    [InlineData("seed: expected 1 as in", "--seed", "2", "--shard", "2/2")]
    [InlineData("length: expected 20 as in", "--length", "21", "--shard", "2/2")]
    [InlineData("profiles: expected 5.14, 6.1", "--profile", "6.1", "--shard", "2/2")]
    [InlineData("limit: expected LimitResult { Blocks = 2", "--blocks", "3", "--shard", "2/2")]
    [InlineData("number of shards: expected 2 as in", "--shard", "2/3")]
    [InlineData("shard 1/2 is in", "--shard", "1/2")]
    public void Shards_that_are_not_of_one_campaign_are_refused(
        string problem, params string[] options)
    {
        Check("a", "--shard", "1/2");
        Check("b", options);
        CommandRun run = Merge("a", "b");
        Assert.Equal((2, ""), (run.Code, run.Json["system"]?.ToString() ?? ""));
        Assert.StartsWith(
            $"shmcheck: {_folder.PathOf("b/result.json")}: {problem}", run.Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "expected the result of a check, version 1: ")]
    [InlineData("[]", "expected the result of a check, version 1: there is no version")]
    [InlineData("""{"version":2}""", "expected the result of a check, version 1: its version is 2")]
    [InlineData("""{"version":1}""", "expected the result of a check, version 1: JSON deser")]
    public void A_result_that_cannot_be_used_is_named_and_the_others_are_merged(
        string text, string problem)
    {
        Check("a", "--shard", "1/1");
        Directory.CreateDirectory(_folder.PathOf("b"));
        string file = _folder.Write("b/result.json", text);
        CommandRun run = Merge("b", "a");
        Assert.Equal(2, run.Code);
        Assert.StartsWith($"shmcheck: {file}: {problem}", run.Error, StringComparison.Ordinal);
        Assert.Equal("spec", (string?)run.Json["system"]);
        Assert.StartsWith($"{file}: {problem}", (string?)run.Json["problems"]![0]);
    }

    [Fact]
    public void A_result_whose_trace_is_gone_cannot_be_used()
    {
        Check("a", "--shard", "1/1");
        string file = _folder.PathOf("a/result.json");
        JsonObject result = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        result["divergences"] = new JsonArray(JsonNode.Parse("""
            {"fingerprint": "f", "rule": "r", "trace": "f.shm", "steps": 1, "block": 0,
             "certificate": "shortest", "lowerBound": 1}
            """));
        File.WriteAllText(file, result.ToJsonString());
        CommandRun run = Merge("a");
        Assert.Equal(2, run.Code);
        Assert.Contains("a/f.shm is not there", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_check_that_is_interrupted_leaves_a_result_that_merge_does_not_take_for_whole()
    {
        string output = _folder.PathOf("out");
        CommandRun check = CommandRun.Interrupt(
            "INT", () => Directory.Exists(output) && Waited(),
            "check", "--system", "spec", "--blocks", "100000", "--out", output);
        Assert.Equal(130, check.Code);
        CommandRun run = Merge("out");
        Assert.Equal(2, run.Code);
        Assert.EndsWith(
            "out/result.json: shard 1/1 did not come to its end: it was interrupted\n", run.Error,
            StringComparison.Ordinal);
        Assert.True((bool?)run.Json["interrupted"]);
    }

    [Fact]
    public void A_shard_is_not_joined_into_itself()
    {
        Check("a", "--shard", "1/1");
        CommandRun run = Merge("a", "--out", "a");
        Assert.Equal(2, run.Code);
        Assert.EndsWith(
            "is one of the shards; expected another directory\n", run.Error,
            StringComparison.Ordinal);
    }

    private static bool Waited()
    {
        Thread.Sleep(1000);
        return true;
    }

    private void Check(string folder, params string[] options)
    {
        string[] defaults = ["--seed", "1", "--length", "20", "--blocks", "2"];
        IEnumerable<string> others = defaults.Chunk(2)
            .Where(option => !options.Contains(option[0])).SelectMany(option => option);
        Assert.Equal(0, CommandRun.Of(
            ["check", "--system", "spec", .. others, .. options, "--out", _folder.PathOf(folder)])
            .Code);
    }

    private CommandRun Merge(params string[] arguments) => CommandRun.Of(
        ["merge", "--json", .. arguments.Select(a => a[0] == '-' ? a : _folder.PathOf(a))]);

    private Process Start(string folder, string shard) => Process.Start(
        new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "shmcheck.dll"), "check", .. Campaign,
            "--shard", shard, "--out", _folder.PathOf(folder),
        ])
        {
            RedirectStandardOutput = true,
        })!;

    private static void Wait(Process process)
    {
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.InRange(process.ExitCode, 0, 1);
        process.Dispose();
    }

    /// <summary>With SIGKILL, as soon as it has begun.</summary>
    private void Kill(Process process)
    {
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(_folder.PathOf("s2")), 60_000));
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private static string Timeless(string text)
    {
        JsonObject result = JsonNode.Parse(text)!.AsObject();
        result.Remove("seconds");
        result.Remove("observationSeconds");
        result.Remove("stepsPerSecond");
        return result.ToJsonString();
    }
}
