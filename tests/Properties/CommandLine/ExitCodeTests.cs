using ShmCheck.Abi;
using ShmCheck.PlantedFaults;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.CommandLine;

/// <summary>How commands end: 0 conforms, 1 diverges, 2 unusable input, 3 the system is lost,
/// 130 interrupted.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ExitCodeTests : IDisposable
{
    private const string Conforming = """
        # shmcheck trace 1
        machine profile=6.18 page=4096 frames=64
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1
        p1 shmat(s1, NULL, 0) = a1
        p1 shmctl(s1, IPC_STAT) = 0 {nattch=1}

        """;

    private static readonly FaultyFactory Faulty = new(() => new StatSeesNoAttach());

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Check_of_a_system_that_conforms_ends_with_0()
    {
        CommandRun run = CommandRun.Of(
            "check", "--system", "spec", "--steps", "2000", "--seed", "1", "--out", _folder.Path);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("conforms: no divergence", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_of_a_system_that_diverges_ends_with_1_and_shows_the_trace()
    {
        CommandRun run = CommandRun.On(
            Faulty, "check", "--steps", "5000", "--seed", "1", "--out", _folder.Path);
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains("diverges: 1 distinct bug", run.Out, StringComparison.Ordinal);
        Assert.Contains("p1 shmctl(s1, IPC_STAT) = 0", run.Out, StringComparison.Ordinal);
        Assert.Equal(3, _folder.Contents().Count);
    }

    [Fact]
    public void Check_of_a_system_that_cannot_be_started_ends_with_3()
    {
        CommandRun run = CommandRun.On(
            new Dead(), "check", "--steps", "5000", "--out", _folder.Path);
        Assert.Equal(3, run.Code);
        Assert.Equal("shmcheck: dead could not be started: no kernel\n", run.Error);
    }

    [Fact]
    public void Check_of_a_system_that_cannot_be_started_is_one_JSON_object_with_an_error()
    {
        CommandRun run = CommandRun.On(
            new Dead(), "check", "--steps", "5000", "--out", _folder.Path, "--json");
        Assert.Equal(3, run.Code);
        Assert.Equal("dead could not be started: no kernel", (string?)run.Json["error"]);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void Check_that_is_interrupted_ends_with_130_and_keeps_what_it_has(string signal)
    {
        // Preparing its output directory is what it does last before it begins.
        string output = _folder.PathOf("out");
        CommandRun run = CommandRun.Interrupt(
            signal, () => Directory.Exists(output) && Waited(),
            "check", "--system", "spec", "--time", "60s", "--out", output, "--json");
        Assert.Equal((130, ""), (run.Code, run.Error));
        Assert.True((bool?)run.Json["interrupted"]);
        Assert.InRange((double)run.Json["seconds"]!, 0, 59);
    }

    [Fact]
    public void Replay_of_a_trace_that_says_what_happens_ends_with_0()
    {
        CommandRun run = CommandRun.Of("replay", _folder.Write("a.shm", Conforming));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.EndsWith("a.shm: conforms (3 calls)\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_of_a_trace_that_says_otherwise_ends_with_1_and_names_the_line()
    {
        string file = _folder.Write(
            "a.shm", Conforming.Replace("nattch=1", "nattch=2", StringComparison.Ordinal));
        CommandRun run = CommandRun.Of("replay", file);
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(
            $"{file}:5: p1 shmctl(s1, IPC_STAT) = 0 {{nattch=2}}: the reply is 0 {{key=0",
            run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_on_a_system_that_diverges_ends_with_1_and_names_the_rule()
    {
        CommandRun run = CommandRun.On(Faulty, "replay", _folder.Write("a.shm", Conforming));
        Assert.Equal(1, run.Code);
        Assert.Contains("rule shmctl.ok.stat", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_judges_all_files_before_it_ends_with_2_for_one_that_is_no_trace()
    {
        string bad = _folder.Write("bad.shm", "# shmcheck trace 1\nmachine frames=x\n");
        CommandRun run = CommandRun.Of(
            "replay", bad, _folder.Write("a.shm", Conforming), _folder.PathOf("none.shm"));
        Assert.Equal(2, run.Code);
        Assert.Contains($"{bad}:2:16: expected frames", run.Out, StringComparison.Ordinal);
        Assert.Contains("a.shm: conforms", run.Out, StringComparison.Ordinal);
        Assert.Contains("none.shm: there is no such file", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Replay_on_a_system_that_cannot_be_started_ends_with_3() =>
        Assert.Equal(
            3, CommandRun.On(new Dead(), "replay", _folder.Write("a.shm", Conforming)).Code);

    [Fact]
    public void Shrink_of_a_trace_that_diverges_ends_with_1_and_prints_the_shortest()
    {
        string file = _folder.Write("a.shm", Conforming.Replace(
            "p1 shmctl", "p1 fork() = p2\np2 store(a1, page 0, 9)\np1 shmctl",
            StringComparison.Ordinal));
        CommandRun run = CommandRun.On(Faulty, "shrink", file);
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Equal(
            ["p1 shmget(IPC_PRIVATE, 4096, 0600) = s1", "p1 shmat(s1, NULL, 0) = a1"],
            run.Out.Split('\n')[2..4]);
        Assert.StartsWith(
            "p1 shmctl(s1, IPC_STAT) = 0 {", run.Out.Split('\n')[4], StringComparison.Ordinal);
    }

    [Fact]
    public void Shrink_writes_to_the_file_that_it_is_given()
    {
        string file = _folder.Write("a.shm", Conforming);
        string output = _folder.PathOf("b.shm");
        CommandRun run = CommandRun.On(Faulty, "shrink", file, "-o", output);
        Assert.Equal((1, "", ""), (run.Code, run.Out, run.Error));
        Assert.StartsWith(
            "# shmcheck trace 1\n", File.ReadAllText(output), StringComparison.Ordinal);
    }

    [Fact]
    public void Shrink_of_a_trace_that_conforms_ends_with_0_and_says_so()
    {
        CommandRun run = CommandRun.Of("shrink", _folder.Write("a.shm", Conforming));
        Assert.Equal((0, ""), (run.Code, run.Out));
        Assert.EndsWith("nothing to shrink\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Shrink_on_a_system_that_cannot_be_started_ends_with_3() =>
        Assert.Equal(
            3, CommandRun.On(new Dead(), "shrink", _folder.Write("a.shm", Conforming)).Code);

    [Fact]
    public void Spec_of_a_rule_ends_with_0_and_tells_its_source()
    {
        CommandRun run = CommandRun.Of("spec", "shmget.einval.size-below-shmmin");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith(
            "shmget.einval.size-below-shmmin (EINVAL)\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("  source: ipc/shm.c:newseg", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Spec_lists_every_rule_and_invariant()
    {
        CommandRun run = CommandRun.Of("spec");
        Assert.Equal(0, run.Code);
        Assert.Equal(
            Spec.RuleCatalogue.Rules.Length + Spec.RuleCatalogue.Invariants.Length,
            run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    /// <summary>Long enough that blocks have been run.</summary>
    private static bool Waited()
    {
        Thread.Sleep(1000);
        return true;
    }

    private sealed class Dead : ISystemFactory
    {
        public string Name => "dead";

        public SystemCapabilities Capabilities => Faulty.Capabilities;

        public ISystemUnderTest Start(MachineConfig config) => throw new IOException("no kernel");
    }
}
