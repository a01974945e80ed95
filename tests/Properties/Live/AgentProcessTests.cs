using System.Text;
using ShmCheck.Abi;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>What becomes of agents that do not do as they should.</summary>
public sealed class AgentProcessTests
{
    [Fact]
    public void An_agent_that_greets_is_talked_to()
    {
        using AgentProcess agent = ScriptedAgent.Start(
            $"{ScriptedAgent.Greeting}; read line; echo \"ok $line\"");
        Assert.Equal(4096ul, agent.PageSize);
        agent.Send("17\n"u8);
        Assert.Equal("ok 17", Encoding.UTF8.GetString(agent.ReadLine()));
    }

    [Fact]
    public void An_agent_may_take_longer_to_come_up_than_to_answer()
    {
        using AgentProcess agent = AgentProcess.Start(
            ["sh", "-c", $"sleep 1; {ScriptedAgent.Greeting}; read line; sleep 20"],
            TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(20));
        agent.Send("17\n"u8);
        Assert.Throws<AgentHangsException>(() => agent.ReadLine().Length);
    }

    [Fact]
    public void An_agent_of_another_version_is_refused_by_its_version()
    {
        var lost = Assert.ThrowsAny<AgentLostException>(
            () => ScriptedAgent.Start("echo shmcheck-agent 99 page 4096; cat"));
        Assert.Contains("version 99", lost.Message);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("shmcheck-agent 1")]
    [InlineData("shmcheck-agent 1 page many")]
    public void What_does_not_greet_as_an_agent_is_none(string greeting)
    {
        var lost = Assert.ThrowsAny<AgentLostException>(
            () => ScriptedAgent.Start($"echo '{greeting}'; cat"));
        Assert.Contains("does not greet", lost.Message);
    }

    [Fact]
    public void A_program_that_is_not_there_is_reported_by_its_name()
    {
        var lost = Assert.ThrowsAny<AgentLostException>(
            () => AgentProcess.Start(["/nonexistent/agent"], TimeSpan.FromSeconds(1)));
        Assert.Contains("/nonexistent/agent", lost.Message);
    }

    [Fact]
    public void An_agent_that_ends_is_reported_with_its_last_words()
    {
        using AgentProcess agent = ScriptedAgent.Start(
            $"{ScriptedAgent.Greeting}; read line; echo 'out of luck' >&2; exit 1");
        agent.Send("1 load 0\n"u8);
        var lost = Assert.ThrowsAny<AgentLostException>(() => agent.ReadLine().Length);
        Assert.Contains("has ended", lost.Message);
        Assert.Contains("out of luck", lost.Message);
    }

    [Fact]
    public void What_a_kernel_says_of_its_end_is_kept_before_the_last_of_many_words()
    {
        using AgentProcess agent = ScriptedAgent.Start(
            $"{ScriptedAgent.Greeting}; read line; echo 'Kernel panic - not syncing: why' >&2; "
                + "seq 100 >&2; exit 1");
        agent.Send("1 load 0\n"u8);
        var lost = Assert.ThrowsAny<AgentLostException>(() => agent.ReadLine().Length);
        Assert.Contains(
            "it said: Kernel panic - not syncing: why\n81\n82\n", lost.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_agent_that_hangs_is_ended_and_reported_as_hanging()
    {
        using AgentProcess agent = ScriptedAgent.Start($"{ScriptedAgent.Greeting}; sleep 60", 300);
        agent.Send("1 load 0\n"u8);
        var lost = Assert.ThrowsAny<AgentLostException>(() => agent.ReadLine().Length);
        Assert.Contains("does not answer within 0.3 s", lost.Message);
    }

    [Fact]
    public void An_agent_may_take_its_time_between_commands()
    {
        using AgentProcess agent = ScriptedAgent.Start(
            $"{ScriptedAgent.Greeting}; while read line; do echo \"ok $line\"; done", 1000);
        Thread.Sleep(1500);
        agent.Send("1\n"u8);
        Assert.Equal("ok 1", Encoding.UTF8.GetString(agent.ReadLine()));
    }

    [Fact]
    public void Lines_come_in_order_whatever_pieces_they_come_in()
    {
        using AgentProcess agent = ScriptedAgent.Start(
            $"{ScriptedAgent.Greeting}; printf 'ok'; sleep 0.1; printf ' 1\\nok 2\\no'; "
            + "sleep 0.1; printf 'k 3\\n'; seq 20000 | sed 's/^/ok /'");
        for (int expected = 1; expected <= 3; expected++)
        {
            Assert.Equal($"ok {expected}", Encoding.UTF8.GetString(agent.ReadLine()));
        }

        for (int expected = 1; expected <= 20000; expected++)
        {
            Assert.Equal(expected, AgentReply.ReadControl(agent.ReadLine()));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ok")]
    [InlineData("ok x")]
    [InlineData("ok 1 2")]
    [InlineData("ok 99999999999999999999")]
    [InlineData("err")]
    [InlineData("err None")]
    [InlineData("err ENONSENSE")]
    [InlineData("sig TERM 1")]
    [InlineData("bad line")]
    [InlineData("hello")]
    public void A_malformed_reply_is_none(string line) => Assert.Throws<FormatException>(
        () => AgentReply.Read(Encoding.UTF8.GetBytes(line), new Fork(new(1), new(2))));

    [Fact]
    public void Replies_are_told_apart()
    {
        var call = new ShmDt(new(1), AddressRef.Null);
        Assert.Equal(Reply.Zero, AgentReply.Read("ok 0"u8, call));
        Assert.Equal(new Reply.Value(-1), AgentReply.Read("ok -1"u8, call));
        Assert.Equal(new Reply.Value(-1), AgentReply.Read("ok 18446744073709551615"u8, call));
        Assert.Equal(Reply.Of(Errno.EINVAL), AgentReply.Read("err EINVAL"u8, call));
        Assert.Equal(Reply.Raised.Sigbus, AgentReply.Read("sig BUS 2"u8, call));
        Assert.Equal(Reply.Raised.Sigsegv, AgentReply.Read("sig SEGV 1"u8, call));
        Assert.Equal(new Reply.Lost("died sig 9"), AgentReply.Read("died sig 9"u8, call));
        Assert.Equal(new Reply.Lost("hang"), AgentReply.Read("hang"u8, call));
        Assert.Throws<CallNotPossibleException>(() => AgentReply.Read("skip"u8, call));
        Assert.Equal(
            new Reply.Value(3, new ShmTotals(1, 2, 3, 4)),
            AgentReply.Read("ok 3 1 2 3 4"u8, new ShmCtlShmInfo(new(1))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("err EPERM")]
    [InlineData("ok")]
    [InlineData("ok g 0 0 0 0")]
    [InlineData("ok x 1 g 0 0 0 0 0")]
    [InlineData("ok n 0 1 1 g 0 0 0 0 0")]
    [InlineData("ok g 0 0 0 0 0 g 0 0 0 0 0")]
    public void A_malformed_observation_is_none(string line) => Assert.Throws<FormatException>(
        () => ObservationReader.Read(Encoding.UTF8.GetBytes(line), new Observation()));

    [Fact]
    public void An_observation_has_the_rows_that_the_agent_sends()
    {
        var observation = new Observation();
        Shown shown = ObservationReader.Read(
            "ok n 0 1 2 3 4 0 p 5 16 0 8 0 0 f 5 9 4 3 2 1 0 g 6 5 4 3 2 i 7 8 9 t 10 c 11"u8,
            observation);
        Assert.Equal([0ul, 1, 2, 3, 4, 0], observation.Namespaces[0].ToArray());
        Assert.Equal([5ul, 16, 0, 8, 0, 0], observation.Processes[0].ToArray());
        Assert.Equal([5ul, 9, 4, 3, 2, 1, 0], observation.Frames[0].ToArray());
        Assert.Equal([6ul, 5, 4, 3, 2], observation.Global[0][..5].ToArray());
        Assert.Equal(new Shown(new MemoryFigures(7, 8, 9), 10), shown);
        Assert.Equal(TimeSpan.FromMicroseconds(11), observation.Cost);
        Assert.Equal(0, observation.Segments.Count + observation.Mappings.Count);
    }
}
