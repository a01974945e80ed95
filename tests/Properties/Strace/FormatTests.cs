using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>The logs of <c>traces/strace/formats</c>: small programs, recorded with options that
/// the other logs do not have.</summary>
public class FormatTests
{
    private static StraceLog Load(string log) =>
        StraceLog.Load(RecordedLogs.PathOf($"formats/{log}.strace"));

    [Theory]
    [InlineData("book-r")]
    [InlineData("book-tt-r-T")]
    [InlineData("book-ns")]
    [InlineData("book-s-a1")]
    [InlineData("book-t-xx-k")]
    [InlineData("book-C-write")]
    [InlineData("book-pipe")]
    [InlineData("book-stderr")]
    [InlineData("book-stderr-q")]
    [InlineData("book-stderr-write")]
    [InlineData("book-D")]
    public void Each_format_tells_the_same_story(string name)
    {
        StraceLog log = Load(name);
        int? child = (int)Assert.Single(log.Calls, call => call.Name == "clone").Result.Value;

        Assert.Equal(
            [
                "execve p", "munmap p", "shmget p", "shmat p", "clone p", "wait4 p", "shmctl c",
                "shmdt c", "exit_group c", "shmctl p", "shmdt p", "shmctl p", "exit_group p",
            ],
            log.Calls.Where(call => call.Name != "write")
                .OrderBy(Order)
                .Select(call => $"{call.Name} {(call.Task == child ? 'c' : 'p')}"));
        Assert.Equal([2ul, 1ul], log.Calls.Select(call => call.Arguments)
            .OfType<ShmCtlArguments>().Select(control => control.Data).OfType<SegmentStat>()
            .Select(stat => stat.Attaches));
        Assert.Equal(0, log.Format.UndecodedCalls + log.Format.BrokenPairs + log.Format.OpenCalls);
        Assert.Single(log.Events.OfType<TaskExited>(), ended => ended.Task == child);

        // The parent waits before or after the child's first call, as it happens.
        int Order(StraceCall call) => call.Name == "wait4" ? 0
            : call.Task == child ? 1 : call.Index < log.Calls.Single(
                other => other.Name == "wait4").Index ? -1 : 2;
    }

    [Fact]
    public void What_a_log_looks_like_is_known()
    {
        Assert.Equal((StampKind.Relative, true), Stamps("book-r"));
        Assert.Equal((StampKind.TimeOfDay, true), Stamps("book-tt-r-T"));
        Assert.Equal((StampKind.Epoch, false), Stamps("book-ns"));
        Assert.Equal((StampKind.Epoch, true), Stamps("book-s-a1"));
        Assert.Equal((StampKind.TimeOfDay, false), Stamps("book-t-xx-k"));
        Assert.Equal((StampKind.None, false), Stamps("book-pipe"));
        Assert.True(Load("book-ns").Format.HasDurations);
        Assert.True(Load("book-s-a1").Format.HasDurations);
        Assert.True(Load("book-t-xx-k").Format.StackTraceLines > 0);
        Assert.True(Load("book-C-write").Format is { DumpLines: > 0, SummaryLines: > 0 });
        Assert.Equal(5, Load("book-inject").Format.TamperedCalls);
        Assert.True(Load("tour-yy-Y").Format is
        {
            HasCommandNames: true, HasDescriptorPaths: true, Constants: ConstantStyle.Abbrev
        });
        Assert.Equal(ConstantStyle.Raw, Load("tour-Xraw").Format.Constants);
        Assert.Equal(ConstantStyle.Verbose, Load("tour-Xverbose").Format.Constants);

        static (StampKind, bool) Stamps(string log) =>
            (Load(log).Format.Stamps, Load(log).Format.HasRelativeStamps);
    }

    [Fact]
    public void Hexadecimal_strings_are_decoded()
    {
        StraceCall execve = Load("book-t-xx-k").Calls[0];

        Assert.Equal("./book", Assert.IsType<ExecArguments>(execve.Arguments).Path?.Text);
    }

    [Fact]
    public void Without_following_the_children_are_not_seen()
    {
        StraceLog log = Load("book-stderr-nofollow");

        Assert.Equal(TaskIdStyle.None, log.Format.TaskIds);
        Assert.All(log.Calls, call => Assert.Null(call.Task));
        Assert.Equal(10, log.Calls.Count);
        Assert.Equal(0, log.Format.BrokenPairs + log.Format.OpenCalls);
    }

    [Fact]
    public void What_strace_injected_is_marked()
    {
        StraceCall[] tampered = [.. Load("book-inject").Calls
            .Where(call => call.Result.Tampering != Tampering.None)];

        Assert.Equal((Errno.ENOMEM, Tampering.ResultInjected),
            (tampered[0].Result.Errno, tampered[0].Result.Tampering));
        Assert.Contains(tampered, call => call.Result.Tampering == Tampering.Delayed);
    }

    [Theory]
    [InlineData("thread-exec")]
    [InlineData("thread-exec-qqq")]
    [InlineData("thread-exec-stderr")]
    public void An_execve_of_a_thread_replaces_the_leader(string name)
    {
        StraceLog log = Load(name);
        StraceCall clone = Assert.Single(log.Calls, call => call.Name == "clone3");
        StraceCall execve = Assert.Single(log.Calls, call => call.Name == "execve"
            && call.Task == clone.Result.Value);

        Assert.Equal(CallCompletion.Returned, execve.Completion);
        Assert.Equal(clone.Task, Assert.Single(log.Events.OfType<CallReturned>(),
            returned => returned.Call == execve).Task);
        Assert.Equal(clone.Task, log.Calls[^1].Task);
        Assert.Equal(name.EndsWith("qqq", StringComparison.Ordinal) ? 0 : 1,
            log.Events.OfType<TaskSuperseded>().Count());
    }

    [Fact]
    public void A_program_that_ran_before_is_joined_in_the_middle()
    {
        StraceLog log = Load("attach-stderr");

        Assert.Equal(2, Assert.IsType<TaskAttached>(log.Events[0]).Threads);
        Assert.Equal(2, log.Events.OfType<TaskDetached>().Count());
        Assert.Contains(log.Calls, call => call.Completion == CallCompletion.Detached);
        Assert.Equal("restart_syscall", Load("attach").Calls[0].Name);
        Assert.Equal(2, Load("attach").Events.OfType<TaskExited>().Count());
    }

    [Fact]
    public void Programs_that_die_are_followed_to_the_end()
    {
        StraceLog log = Load("killed");

        Assert.Equal(["SIGKILL", "SIGABRT", "SIGKILL", "SIGTERM"],
            log.Events.OfType<TaskKilled>().Select(killed => killed.Signal));
        Assert.Contains(log.Calls, call => call.Result.ErrorName == "ERESTARTNOHAND");
        Assert.Equal(2, log.Calls.Count(call => call.Name is "pause" or "read"
            && call.Result.Kind == ResultKind.NoReturn));
    }

    [Fact]
    public void Children_that_strace_lets_go_of_at_their_execve_stay_open()
    {
        StraceLog log = Load("book-b");

        Assert.Single(log.Calls, call => call is
        {
            Name: "execve", Completion: not CallCompletion.Returned
        });
    }

    [Fact]
    public void Entry_points_of_32_bit_are_announced_or_inferred()
    {
        StraceLog announced = Load("tour-n-i");
        StraceLog inferred = Load("tour-Xraw");

        Assert.Equal(2, announced.Events.OfType<WordSizeChanged>().Count());
        Assert.Equal(18, announced.Calls.Count(call => call.Is32Bit));
        Assert.Contains(inferred.Calls, call => call is { Name: "mmap2", Is32Bit: true });
        Assert.False(inferred.Calls[^2].Is32Bit);
        Assert.False(inferred.Calls[0].Is32Bit);
    }
}
