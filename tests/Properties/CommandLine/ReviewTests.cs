using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.CommandLine;

/// <summary><c>review</c>, without a terminal.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ReviewTests : IDisposable
{
    private const string Fingerprint = "fork.ok.fork | nattch | Fork";

    private readonly TemporaryFolder _folder = new();

    public ReviewTests()
    {
        _folder.Write("SomeTests.cs", """
            public sealed class SomeTests
            {
                public void Forks() { }
                public void Attaches_twice(string how) { }
            }
            """);
        _folder.Write("SomeTests.Forks.verified.txt", $"# diverges: {Fingerprint}\nold\n");
        _folder.Write("SomeTests.Attaches_twice_by-key.verified.txt", "same\n");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_is_pending_where_every_snapshot_has_a_test_and_nothing_was_received()
    {
        CommandRun run = Review();
        Assert.Equal((0, "nothing to review\n"), (run.Code, run.Out));
    }

    [Fact]
    public void A_changed_snapshot_is_listed_under_its_fingerprint_with_what_changes()
    {
        Receive("SomeTests.Forks", $"# diverges: {Fingerprint}\nnew\n");
        CommandRun run = Review("--list");
        Assert.Equal(1, run.Code);
        Assert.Equal(
            $"{Fingerprint} (1)\nchanged SomeTests.Forks\n  # diverges: {Fingerprint}\n"
            + "- old\n+ new\n\n1 to review\n",
            run.Out.Replace("  \n", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Accepting_a_fingerprint_takes_all_that_has_it_and_nothing_else()
    {
        Receive("SomeTests.Forks", $"# diverges: {Fingerprint}\nnew\n");
        Receive("SomeTests.Attaches_twice_by-id", $"# diverges: {Fingerprint}\n");
        Receive("SomeTests.Attaches_twice_by-key", "other\n");
        CommandRun run = Review("--accept", Fingerprint);
        Assert.Equal((1, "1 to review\n"), (run.Code, run.Out));
        Assert.Contains("new", Text("SomeTests.Forks.verified.txt"), StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.PathOf("SomeTests.Attaches_twice_by-id.verified.txt")));
        Assert.Equal("same\n", Text("SomeTests.Attaches_twice_by-key.verified.txt"));
    }

    [Fact]
    public void Rejecting_by_name_forgets_what_was_received()
    {
        Receive("SomeTests.Forks", "new\n");
        Assert.Equal(0, Review("--reject", "SomeTests.Forks").Code);
        Assert.Contains("old", Text("SomeTests.Forks.verified.txt"), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.PathOf("SomeTests.Forks.received.txt")));
    }

    [Theory]
    [InlineData("SomeTests.Waits")]
    [InlineData("OtherTests.Forks")]
    public void A_snapshot_without_a_test_dangles_until_it_is_accepted_that_it_goes(string test)
    {
        _folder.Write($"{test}.verified.txt", "left over\n");
        CommandRun run = Review("--json");
        Assert.Equal(1, run.Code);
        Assert.Equal("dangling", (string?)run.Json["pending"]![0]!["matter"]);
        Assert.Equal(0, Review("--accept", "all").Code);
        Assert.False(File.Exists(_folder.PathOf($"{test}.verified.txt")));
    }

    [Fact]
    public void A_seeded_fault_without_a_snapshot_is_noticed()
    {
        const string test = "FaultReportTests.The_report_of_a_fault_is_that_of_its_recorded_trace";
        string folder = Path.Combine(Repository.Root, "tests/Snapshots");
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "Faults")))
        {
            if (!file.EndsWith("fork-forgets-the-attach.verified.txt", StringComparison.Ordinal))
            {
                File.Copy(file, _folder.PathOf(Path.GetFileName(file)));
            }
        }

        CommandRun run = Review("--json");
        Assert.Equal("vanished", (string?)run.Json["pending"]![0]!["matter"]);
        Assert.Equal(
            $"{test}_fork-forgets-the-attach", (string?)run.Json["pending"]![0]!["test"]);
        Assert.Single(run.Json["pending"]!.AsArray());
    }

    [Fact]
    public void A_fingerprint_that_nothing_has_is_refused()
    {
        CommandRun run = Review("--accept", "nothing");
        Assert.Equal(2, run.Code);
        Assert.StartsWith(
            "shmcheck: --accept: nothing is to be reviewed under 'nothing'", run.Error,
            StringComparison.Ordinal);
    }

    private CommandRun Review(params string[] options) =>
        CommandRun.Of(["review", _folder.Path, .. options]);

    private void Receive(string test, string text) =>
        _folder.Write($"{test}.received.txt", text);

    private string Text(string name) => File.ReadAllText(_folder.PathOf(name));
}
