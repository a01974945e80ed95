using System.Diagnostics;
using System.Globalization;
using System.Text;
using ShmCheck.LiveTests;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>The agent's own side of its protocol.</summary>
public sealed class AgentProgramTests
{
    private static readonly string[] Compilers = ["gcc", "clang"];

    [LiveTheory(LiveNeed.CCompiler)]
    [InlineData("x", "bad line")]
    [InlineData("", "bad line")]
    [InlineData("0", "bad line")]
    [InlineData("0 nonsense", "bad command")]
    [InlineData("0 observe", "bad command")]
    [InlineData("0 observe many", "bad command")]
    [InlineData("0 limit 0", "bad command")]
    [InlineData("0 kill 7", "bad no such task")]
    [InlineData("7 load 0", "bad no such task")]
    [InlineData("0 sysctl kernel.shmmax 1 7", "bad no such namespace")]
    [InlineData("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 "
        + "31 32 33 34 35 36 37 38 39 40 41 42 43", "bad line")]
    public void A_malformed_command_is_refused_and_the_next_one_served(string line, string answer)
    {
        using AgentProcess agent = StartBare();
        Assert.Equal(answer, Ask(agent, line));
        Assert.Equal("ok 0", Ask(agent, "0 limit 1000"));
    }

    [LiveTheory(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    [InlineData("nonsense", "bad command")]
    [InlineData("load", "bad command")]
    [InlineData("load 1 2", "bad command")]
    [InlineData("load x", "bad number")]
    [InlineData("load 1x", "bad number")]
    [InlineData("load 99999999999999999999", "bad number")]
    [InlineData("setns 99", "bad no such task")]
    public void A_malformed_call_is_refused_and_the_next_one_served(string call, string answer)
    {
        using AgentProcess agent = AgentProcess.Start([Binary], TimeSpan.FromSeconds(20));
        string task = Ask(agent, "0 start").Split(' ')[1];
        Assert.Equal(answer, Ask(agent, $"{task} {call}"));
        Assert.Equal("sig SEGV 1", Ask(agent, $"{task} load 16"));
        Assert.Equal("err EINVAL", Ask(agent, $"{task} dt 1"));
        Assert.Equal("bad not reset", Ask(agent, "0 start"));
    }

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void Many_lines_in_one_piece_are_answered_in_order()
    {
        using AgentProcess agent = AgentProcess.Start([Binary], TimeSpan.FromSeconds(20));
        string task = Ask(agent, "0 start").Split(' ')[1];
        Assert.Equal("ok 0", Ask(agent, $"{task} get 0 4096 {0x380}"));
        Assert.Equal("ok 137438953472", Ask(agent, $"{task} at 0 137438953472 0"));
        var lines = new StringBuilder();
        for (int value = 0; value < 500; value++)
        {
            lines.Append($"{task} store 137438953472 {value & 0xff}\n{task} load 137438953472\n");
        }

        agent.Send(Encoding.UTF8.GetBytes(lines.ToString()));
        for (int value = 0; value < 500; value++)
        {
            Assert.Equal("ok 0", Encoding.UTF8.GetString(agent.ReadLine()));
            Assert.Equal($"ok {value & 0xff}", Encoding.UTF8.GetString(agent.ReadLine()));
        }
    }

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void Calls_sent_ahead_use_what_earlier_ones_return()
    {
        using AgentProcess agent = AgentProcess.Start([Binary], TimeSpan.FromSeconds(20));
        string[] dialogue =
        [
            "p1=0 start|ok 2", $"s1=$p1 get 0 8192 {0x380}|ok 0",
            "a1=$p1 at $s1 137438953472 0|ok 137438953472", "$p1 store $a1+4096 7|ok 0",
            "$p1 load $a1+4096|ok 7", "p2=$p1 spawn 0|ok 3", "$p2 load $a1+4096|ok 7",
            "s1=$p2 get 5 0 0|err ENOENT", "$p2 dt $a1|ok 0", "0 kill $p2|ok 0",
            "$p2 load 0|bad no such task", "$p1 rmid $s1^1073741824|err EINVAL",
            "$p1 rmid $s1&0|ok 0", "$p1 load $a2|bad unset register", "0 reset|ok 0",
            "$p1 load $a1|bad unset register",
        ];
        AssertAnswers(agent, dialogue);
    }

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void A_register_keeps_what_it_has_when_a_call_in_the_same_piece_fails()
    {
        using AgentProcess agent = AgentProcess.Start([Binary], TimeSpan.FromSeconds(20));
        string[] dialogue =
        [
            "p1=0 start|ok 2", $"s1=$p1 get 0 4096 {0x380}|ok 0", "s1=$p1 get 77 0 0|err ENOENT",
            "a1=$p1 at $s1 137438953472 0|ok 137438953472", "a1=$p1 at 5 0 0|err EINVAL",
            "a1=$p1 at $s1 137438957568 0|ok 137438957568", "$p1 store $a1 3|ok 0",
            "$p1 dt $a1-4096|ok 0", "s2=$p1 get 77 0 0|err ENOENT",
            "$p1 rmid $s2|bad unset register", "$p1 rmid $s1*1|bad number",
            "$p1 load $a1&274877902848|ok 3", $"s2=$p1 get 0 4096 {0x380}|ok 1",
            "s2=$p1 rmid $s1|ok 0", "$p1 rmid $s2+1|ok 0", "0 reset|ok 0",
        ];
        AssertAnswers(agent, dialogue);
    }

    [LiveFact(LiveNeed.CCompiler, LiveNeed.Root, LiveNeed.IpcNamespaces)]
    public void When_a_process_is_lost_every_line_is_answered_and_the_next_run_starts()
    {
        using AgentProcess agent = AgentProcess.Start([Binary], TimeSpan.FromSeconds(20));
        Assert.Equal("ok 2", Ask(agent, "p1=0 start"));
        int worker = ChildOf(ChildOf(agent.Pid));
        Process.GetProcessById(worker).Kill();
        string[] dialogue =
        [
            "a1=$p1 load 16|died sig 9", "$p1 load 16|bad no such task",
            "$p1 load $a1|bad no such task", "0 reset|ok 0", "p1=0 start|ok 3",
            "$p1 load 16|sig SEGV 1",
        ];
        AssertAnswers(agent, dialogue);
    }

    [LiveTheory(LiveNeed.CCompiler)]
    [InlineData("x1=", "bad line")]
    [InlineData("X1=0 limit 5", "bad register")]
    [InlineData("x=0 limit 5", "bad register")]
    [InlineData("x1000=0 limit 5", "bad register")]
    [InlineData("$x1 load 0", "bad unset register")]
    [InlineData("0 kill $", "bad register")]
    [InlineData("0 kill $x1*2", "bad unset register")]
    public void A_malformed_register_is_refused(string line, string answer) =>
        A_malformed_command_is_refused_and_the_next_one_served(line, answer);

    [LiveFact(LiveNeed.CCompiler)]
    public void The_agent_compiles_without_a_warning_wherever_there_is_a_compiler()
    {
        foreach (string compiler in Compilers.Where(IsThere))
        {
            DirectoryInfo cache = Directory.CreateTempSubdirectory("shmcheck-agent-");
            string first = AgentBinary.Get(cache.FullName, Using(compiler));
            DateTime compiled = File.GetLastWriteTimeUtc(first);
            Assert.Equal(first, AgentBinary.Get(cache.FullName, Using(compiler)));
            Assert.Equal(compiled, File.GetLastWriteTimeUtc(first));
            cache.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_compiler_that_is_not_there_is_missed_with_the_command_that_mends_it()
    {
        DirectoryInfo cache = Directory.CreateTempSubdirectory("shmcheck-agent-");
        var problem = Assert.Throws<SystemUnavailableException>(
            () => AgentBinary.Get(cache.FullName, Using("no-such-compiler")));
        Assert.Contains("no-such-compiler", problem.Message);
        Assert.Contains("apt-get install", problem.Message);
        cache.Delete(recursive: true);
    }

    [Fact]
    public void A_compiler_that_fails_is_reported_with_what_it_says()
    {
        DirectoryInfo cache = Directory.CreateTempSubdirectory("shmcheck-agent-");
        string compiler = Path.Combine(cache.FullName, "failing");
        File.WriteAllText(compiler, "#!/bin/sh\necho it is all wrong >&2\nexit 1\n");
        Process.Start("chmod", ["+x", compiler]).WaitForExit();
        var problem = Assert.Throws<SystemUnavailableException>(
            () => AgentBinary.Get(cache.FullName, Using(compiler)));
        Assert.Contains("it is all wrong", problem.Message);
        cache.Delete(recursive: true);
    }

    private static string Binary => AgentBinary.Get(AgentBinary.DefaultCache, AgentBuild.Usual);

    private static AgentBuild Using(string compiler) =>
        AgentBuild.Usual with { Compiler = compiler };

    private static AgentProcess StartBare() =>
        AgentProcess.Start([Binary, "bare"], TimeSpan.FromSeconds(20));

    private static string Ask(AgentProcess agent, string line)
    {
        agent.Send(Encoding.UTF8.GetBytes(line + "\n"));
        return Encoding.UTF8.GetString(agent.ReadLine());
    }

    /// <summary>Sends lines in one piece, and compares the answers.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="dialogue">Lines, each with its answer behind a bar.</param>
    private static void AssertAnswers(AgentProcess agent, string[] dialogue)
    {
        agent.Send(Encoding.UTF8.GetBytes(
            string.Concat(dialogue.Select(line => line.Split('|')[0] + "\n"))));
        foreach (string line in dialogue)
        {
            Assert.Equal(line.Split('|')[1], Encoding.UTF8.GetString(agent.ReadLine()));
        }
    }

    private static int ChildOf(int pid) => int.Parse(
        File.ReadAllText($"/proc/{pid}/task/{pid}/children"), CultureInfo.InvariantCulture);

    private static bool IsThere(string command)
    {
        using var which = Process.Start(new ProcessStartInfo("sh", ["-c", $"command -v {command}"])
        {
            RedirectStandardOutput = true,
        });
        which!.WaitForExit();
        return which.ExitCode == 0;
    }
}
