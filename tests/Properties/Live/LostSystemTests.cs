using ShmCheck.Properties.CommandLine;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>How a check reports a system that is lost, or loses a process, within a call.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class LostSystemTests : IDisposable
{
    /// <summary>A shell script whose shmget does what its last command says.</summary>
    private const string UpToShmGet =
        ScriptedAgent.Greeting + "; while read task op rest; do case $task,$op in "
        + "0,caps) echo 'ok calls=get,kill figures=segment.nattch ids=free';; 0,start) echo ok 7;; "
        + "0,observe) echo 'ok n 0 0 0 0 0 0 g 0 0 0 0 0';; ";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_ends_at_its_greeting_ends_a_check_with_3()
    {
        using var system = new AgentFactory("mute", ["sh", "-c", "echo no >&2; exit 7"]);
        CommandRun run = CommandRun.On(system, "check", "--steps", "1", "--out", _folder.Path);

        Assert.Equal(
            (3, "shmcheck: mute: the agent has ended with exit code 7; it said: no\n"),
            (run.Code, run.Error));
    }

    [Theory]
    [InlineData("echo died sig 9", "no reply (died sig 9)")]
    [InlineData("echo hang", "no reply (hang)")]
    [InlineData("echo sig BUS 2", "SIGBUS")]
    [InlineData("echo sig SEGV 1", "SIGSEGV")]
    [InlineData("kill -KILL $$", "AgentDied")]
    [InlineData("echo what", "AgentProtocol")]
    public void What_becomes_of_a_call_is_reported_and_leaves_a_trace(string end, string shown)
    {
        using var system = new AgentFactory(
            "fragile", ["sh", "-c", $"{UpToShmGet} *,get) {end};; *) echo ok 0;; esac; done"],
            TimeSpan.FromMilliseconds(500));

        CommandRun run = CommandRun.On(
            system, "check", "--steps", "1", "--seed", "1", "--out", _folder.Path);

        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(shown, run.Out, StringComparison.Ordinal);
        string[] traces =
            [.. Directory.EnumerateFiles(_folder.Path, "*.shm").Select(File.ReadAllText)];
        Assert.NotEmpty(traces);
        Assert.All(traces, t => Assert.Contains("p1 shmget(", t, StringComparison.Ordinal));
        Assert.Contains(
            shown, string.Concat(Directory.EnumerateFiles(_folder.Path).Select(File.ReadAllText)),
            StringComparison.Ordinal);
    }
}
