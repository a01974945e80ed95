using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>What becomes of a program that is to be a system under test and is not one.</summary>
public sealed class AgentFactoryTests
{
    /// <summary>A shell script that does what its last command says from the first call on.
    /// </summary>
    private const string UpToTheFirstCall =
        ScriptedAgent.Greeting + "; while read task op rest; do case $task,$op in "
        + "0,caps) echo 'ok calls=get,kill figures=segment.nattch ids=free';; 0,start) echo ok 7;; "
        + "0,reset) echo ok 0;; 0,observe) echo 'ok n 0 0 0 0 0 0 g 0 0 0 0 0';; ";

    private static readonly Trace OneCall = TraceParser.Parse("one-call", """
        # shmcheck trace 1
        machine profile=6.18 page=4096 frames=1048576 hugesizes=
        p1 shmget(IPC_PRIVATE, 4096, 0600) = s1

        """);

    [Theory]
    [InlineData("exit 3", "cannot", "has ended with exit code 3")]
    [InlineData("echo hello; cat", "cannot", "does not greet as an agent does: 'hello'")]
    [InlineData("echo shmcheck-agent 99 page 4096; cat", "cannot", "speaks version 99")]
    [InlineData("sleep 60", "cannot", "does not answer within 0.5 s")]
    [InlineData(
        ScriptedAgent.Greeting + "; read l; echo ok calls=nonsense; cat", "cannot",
        "'nonsense' is no operation")]
    [InlineData(
        ScriptedAgent.Greeting + "; read l; echo ok figures=segment.hue; cat", "cannot",
        "'segment' has no figure 'hue'")]
    [InlineData(
        ScriptedAgent.Greeting + "; read l; echo ok profile=1.0; cat", "cannot",
        "there is no profile '1.0'")]
    public void What_is_no_agent_is_unavailable_with_the_reason(
        string script, string name, string reason)
    {
        using AgentFactory factory = Factory(name, script);
        var problem = Assert.Throws<SystemUnavailableException>(() => factory.Capabilities);
        Assert.StartsWith($"{name}: ", problem.Message, StringComparison.Ordinal);
        Assert.Contains(reason, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_is_unavailable_with_its_name()
    {
        using var factory = new AgentFactory("absent", ["/nonexistent/agent"]);
        var problem = Assert.Throws<SystemUnavailableException>(() => factory.Capabilities);
        Assert.Contains("/nonexistent/agent cannot be started", problem.Message);
    }

    [Theory]
    [InlineData("exit 3", "AgentDiedException", "has ended with exit code 3")]
    [InlineData("kill -ABRT $$", "AgentDiedException", "has ended by signal 6")]
    [InlineData("sleep 60", "AgentHangsException", "does not answer within 0.5 s")]
    [InlineData("echo what", "AgentProtocolException", "breaks the protocol: unexpected 'what'")]
    [InlineData("echo ok zero", "AgentProtocolException", "'zero' is not a number")]
    public void How_a_program_is_lost_within_a_call_is_told_apart(
        string end, string kind, string reason)
    {
        using AgentFactory factory =
            Factory("fragile", $"{UpToTheFirstCall} *) {end};; esac; done");
        Divergence divergence = Replay(factory);
        Assert.Equal("system.threw", divergence.Fingerprint.Rule);
        Assert.Equal(kind, Assert.Single(divergence.Fingerprint.Fields));
        Assert.Contains(reason, Assert.Single(divergence.Differences).Actual);
    }

    /// <summary>A clock that is shown with the figures has gone on when those are not looked at.
    /// </summary>
    [Fact]
    public void Stamps_may_be_later_than_the_clock_that_was_shown()
    {
        string script = UpToTheFirstCall.Replace("g 0 0 0 0 0", "g 0 0 0 0 0 t 1000");
        using AgentFactory factory = Factory("late", $"{script} *) echo ok 7;; esac; done");
        using ISystemUnderTest system = factory.Start(OneCall.Machine);
        var bindings = new Bindings();
        bindings.Bind(ProcessHandle.First, system.FirstPid);
        system.Observe(new Observation());
        Assert.Equal((1000, 1000), (system.Clock, system.LatestClock));

        system.Execute(OneCall.Calls.First(), bindings);
        Assert.Equal(1000, system.Clock);
        Assert.InRange(system.LatestClock, 1001, 1010);

        system.Observe(new Observation());
        Assert.Equal((1000, 1000), (system.Clock, system.LatestClock));
    }

    [Fact]
    public void A_process_that_dies_or_hangs_within_a_call_is_a_reply()
    {
        foreach (string reply in new[] { "hang", "died sig 11", "died exit 1" })
        {
            using AgentFactory factory = Factory(
                "fragile", $"{UpToTheFirstCall} *,get) echo {reply};; *) echo ok 0;; esac; done");
            Divergence divergence = Replay(factory);
            Assert.Equal("shmget.ok.create", divergence.Fingerprint.Rule);
            Assert.Contains(reply, divergence.Differences[0].Actual);
        }
    }

    [Fact]
    public void A_program_that_was_lost_is_started_again()
    {
        using AgentFactory factory =
            Factory("fragile", $"{UpToTheFirstCall} *) exit 3;; esac; done");
        Assert.Equal(Replay(factory).Fingerprint, Replay(factory).Fingerprint);
    }

    [Fact]
    public void What_a_program_does_not_speak_of_it_has()
    {
        var said = Announcement.Parse("bad command"u8);
        Assert.Equal(SystemCapabilities.AllCalls, said.Calls);
        Assert.Null(said.Figures);
        Assert.Equal(KernelProfile.Linux6_18, said.Profile);
    }

    [Fact]
    public void What_a_program_says_of_itself_is_what_it_is_asked()
    {
        var said = Announcement.Parse(Encoding.UTF8.GetBytes(
            "ok calls=get,rmid,vfork,setresuid,mlockall,sysctl figures=process,segment.rss "
            + "release=6.1.0-50-cloud memory=131072 hugepages=2097152,1073741824 "
            + "sysctls=kernel.shmmni new=word"));
        SystemCapabilities capabilities = AgentCapabilities.Of(said, 65536);
        Assert.Equal(
            [
                CallKind.ShmGet, CallKind.ShmCtlRmid, CallKind.VFork, CallKind.SetResUid,
                CallKind.MLockAll, CallKind.SetSysctl,
            ],
            capabilities.Calls);
        Assert.Equal(KernelProfile.Linux6_1, Assert.Single(capabilities.Profiles));
        Assert.True(capabilities.Has(new SetSysctl(Sysctl.ShmMni, 1)));
        Assert.False(capabilities.Has(new SetSysctl(Sysctl.ShmMax, 1)));
        Assert.Equal(Precision.Exact, capabilities.PrecisionOf(SegmentField.rss));
        Assert.Equal(Precision.Exact, capabilities.PrecisionOf(ProcessField.VmLck));
        Assert.Equal(
            PrecisionKind.NotObservable, capabilities.PrecisionOf(SegmentField.swp).Kind);
        MachineConfig machine = capabilities.Adapt(new MachineConfig { ShmMni = 3, ShmMax = 5 });
        Assert.Equal(
            (65536ul, 131072ul, 3, MachineConfig.DefaultShmLimit),
            (machine.PageSize, machine.Frames, machine.ShmMni, machine.ShmMax));
    }

    [Theory]
    [InlineData("lowest=65536", 0x1000, true)]
    [InlineData("lowest=4096", 0x1000, false)]
    [InlineData("lowest=4096", 0x10000, true)]
    [InlineData("new=word", 0x1000, true)]
    public void Low_addresses_are_asked_for_only_where_they_take_a_right(
        string lowest, int address, bool asked)
    {
        var said = Announcement.Parse(Encoding.UTF8.GetBytes($"ok {lowest}"));
        SystemCapabilities capabilities = AgentCapabilities.Of(said, 4096);

        Assert.Equal(asked, capabilities.Has(new ShmAt(
            ProcessHandle.First, SegmentRef.Literal(0),
            AddressRef.Literal((ulong)address), default, new MappingHandle(1))));
    }

    private static Divergence Replay(AgentFactory factory) =>
        TraceReplay.Run(OneCall, factory).Record.Divergence!;

    private static AgentFactory Factory(string name, string script) =>
        new(name, ["sh", "-c", script], TimeSpan.FromMilliseconds(500));
}
