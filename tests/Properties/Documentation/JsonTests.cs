using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ShmCheck.PlantedFaults;
using ShmCheck.Properties.CommandLine;
using ShmCheck.Properties.Exploring;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Documentation;

/// <summary><c>docs/json.md</c> names the fields that there are, and no others.</summary>
[Collection(ConsoleCollection.Name)]
public sealed partial class JsonTests : IDisposable
{
    private const string Document = "json.md";

    /// <summary>Fields of things that the systems here do not have: ledgers and tolerances.
    /// </summary>
    private static readonly string[] OfLiveSystems =
        ["known[].", "tolerances[].", "notShown[]."];

    private static readonly string[] OfAllCommands = ["version"];

    private static readonly string Text =
        File.ReadAllText(Path.Combine(Repository.Root, "docs", Document));

    private readonly TemporaryFolder _folder = new();
    private readonly FaultyFactory _faulty = new(() => new StatSeesNoAttach());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_fields_of_check_are_documented() => Compare(
        "check",
        CommandRun.On(_faulty, "check", "--steps", "3000", "--seed", "1", "--out", _folder.Path,
            "--json"),
        CommandRun.Of("check", "--steps", "1000", "--seed", "1", "--profile", "6.1", "--out",
            _folder.Path, "--json"),
        CommandRun.Of("check", "--time", "0.1s", "--length", "5", "--out", _folder.Path, "--json"),
        CommandRun.Of("check", "--blocks", "1", "--length", "5", "--out", _folder.Path, "--json"));

    [Fact]
    public void The_fields_of_merge_are_those_of_check_and_documented()
    {
        CommandRun.Of("check", "--blocks", "2", "--length", "5", "--shard", "2/2", "--out",
            _folder.Path);
        HashSet<string> shown = [.. Paths(CommandRun.Of("merge", _folder.Path, "--json").Json, "")];
        Assert.Superset(Documented("merge"), shown);
        Assert.Subset(
            Documented("merge").Concat(Documented("check")).Concat(OfAllCommands).ToHashSet(),
            shown);
    }

    [Fact]
    public void The_fields_of_explore_are_documented() => Compare(
        "explore",
        CommandRun.On(new LyingFactory(Lie.All[0]), "explore", "--scope", "tiny", "--depth", "4",
            "--out", _folder.Path, "--json"));

    [Fact]
    public void The_fields_of_replay_are_documented() => Compare(
        "replay",
        CommandRun.On(_faulty, "replay", Diverging(), _folder.PathOf("none.shm"), "--json"));

    [Fact]
    public void The_fields_of_shrink_are_documented() => Compare(
        "shrink",
        CommandRun.On(_faulty, "shrink", Diverging(), "--json", "-o", _folder.PathOf("b.shm")));

    [Fact]
    public void The_fields_of_spec_are_documented() =>
        Compare("spec", CommandRun.Of("spec", "--json"));

    [Theory]
    [InlineData("check")]
    [InlineData("explore")]
    [InlineData("replay")]
    [InlineData("shrink")]
    [InlineData("spec")]
    public void An_example_has_documented_fields_only(string command)
    {
        JsonNode example = JsonNode.Parse(Example().Match(Section(command)).Groups[1].Value)!;
        Assert.Subset(
            Documented(command).Concat(OfAllCommands).ToHashSet(),
            Paths(example, "").ToHashSet());
    }

    private static void Compare(string command, params CommandRun[] runs)
    {
        var shown = runs.SelectMany(run => Paths(run.Json, "")).Except(OfAllCommands).ToHashSet();
        HashSet<string> documented = Documented(command);
        Assert.Empty(shown.Except(documented));
        documented.RemoveWhere(path => OfLiveSystems.Any(
            start => path.StartsWith(start, StringComparison.Ordinal)));
        Assert.Superset(documented, shown);
    }

    /// <summary>The leaves of an object: <c>a</c>, <c>a.b</c>, <c>a[].b</c>.</summary>
    private static IEnumerable<string> Paths(JsonNode? node, string path) => node switch
    {
        JsonObject members => members.SelectMany(member =>
            Paths(member.Value, path.Length == 0 ? member.Key : $"{path}.{member.Key}")),
        JsonArray items when items.Any(item => item is JsonObject) =>
            items.SelectMany(item => Paths(item, $"{path}[]")),
        JsonArray { Count: 0 } => [],
        _ => [path],
    };

    private static HashSet<string> Documented(string command) =>
        [.. Row().Matches(Section(command)).Select(row => row.Groups[1].Value)];

    private static string Section(string command) =>
        Text.Split("\n## ")
            .Single(part => part.StartsWith($"{command}\n", StringComparison.Ordinal));

    private string Diverging() => _folder.Write("a.shm", """
        # shmcheck trace 1
        machine profile=6.18 page=4096 frames=64
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 shmctl(s1, IPC_STAT) = 0 {nattch=2}

        """);

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^```json\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();
}
