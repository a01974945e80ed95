using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Calls from entry to return, on one line or on two.</summary>
public class CallTests
{
    [Fact]
    public void A_call_on_one_line_is_one_event()
    {
        StraceLog log = RecordedLogs.Parse("7     shmdt(0x7f0000000000)             = 0 <0.1>");

        CallMade made = Assert.IsType<CallMade>(Assert.Single(log.Events));
        Assert.Equal(CallCompletion.Returned, made.Call.Completion);
        Assert.Equal(made.Call.Entry, made.Call.Exit);
        Assert.False(made.Call.IsSplit);
    }

    [Fact]
    public void An_interrupted_call_is_two_events_of_one_call()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     shmctl(2, IPC_STAT,  <unfinished ...>",
            "8     shmdt(0x7f0000000000)             = 0",
            "7     <... shmctl resumed>0x7f0000000000) = -1 EFAULT (Bad address)");

        StraceCall call = Assert.IsType<CallEntered>(log.Events[0]).Call;
        Assert.IsType<CallMade>(log.Events[1]);
        CallReturned returned = Assert.IsType<CallReturned>(log.Events[2]);
        Assert.Same(call, returned.Call);
        Assert.Equal("2, IPC_STAT, 0x7f0000000000", call.ArgumentText);
        Assert.Equal((1, 3), (call.Entry.Line, call.Exit?.Line));
        Assert.Equal((7, 7), (call.Entry.Column, call.Exit?.Column));
        Assert.True(call.IsSplit);
        Assert.Equal([call, Assert.IsType<CallMade>(log.Events[1]).Call], log.Calls);
    }

    [Theory]
    [InlineData("<... select resumed> )      = 1 (in [3])")]
    [InlineData("<... select resumed>)                    = 1 (in [3])")]
    public void Old_and_new_forms_of_the_second_half_are_read(string second)
    {
        StraceLog log = RecordedLogs.Parse(
            "[pid 28772] select(4, [3], NULL, NULL, NULL <unfinished ...>",
            "[pid 28779] getpid()                    = 28779",
            $"[pid 28772] {second}");

        Assert.Equal(1, log.Calls[0].Result.Value);
        Assert.Equal("4, [3], NULL, NULL, NULL", log.Calls[0].ArgumentText.TrimEnd());
    }

    [Fact]
    public void A_call_inside_which_the_task_dies_stays_open()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     pause( <unfinished ...>",
            "7     +++ killed by SIGKILL +++",
            "8     pause( <unfinished ...>");

        Assert.All(log.Calls, call => Assert.Equal(CallCompletion.Open, call.Completion));
        Assert.Equal(2, log.Format.OpenCalls);
        Assert.Equal(0, log.Format.BrokenPairs);
    }

    [Theory]
    [InlineData("7     <... read resumed> <unfinished ...>) = ?")]
    [InlineData("7     <... read resumed>)              = ?")]
    public void A_call_killed_inside_can_still_show_an_end(string second)
    {
        StraceLog log = RecordedLogs.Parse(
            "7     read(3,  <unfinished ...>", second, "7     +++ killed by SIGKILL +++");

        Assert.Equal(CallCompletion.Returned, log.Calls[0].Completion);
        Assert.Equal(ResultKind.NoReturn, log.Calls[0].Result.Kind);
        Assert.Equal("3, ", log.Calls[0].ArgumentText);
    }

    [Fact]
    public void An_unavailable_call_is_read()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     ????( <unfinished ...>",
            "7     <... ???? resumed>)              = ? <unavailable>",
            "7     syscall_0x7d0(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Not implemented)");

        Assert.Equal(["????", "syscall_0x7d0"], log.Calls.Select(call => call.Name));
        Assert.Equal(ResultKind.Unavailable, log.Calls[0].Result.Kind);
    }

    [Fact]
    public void The_child_can_come_before_the_result_of_its_creator()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     vfork( <unfinished ...>",
            "8     execve(\"/bin/true\", [\"true\"], 0x7f0000000000 /* 6 vars */) = 0",
            "7     <... vfork resumed>)              = 8");

        CallEntered creation = Assert.IsType<CallEntered>(log.Events[0]);
        Assert.Equal(8, creation.Call.Result.Value);
        Assert.IsType<VForkArguments>(creation.Call.Arguments);
    }

    [Fact]
    public void An_id_can_be_used_again()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     pause( <unfinished ...>",
            "7     +++ killed by SIGKILL +++",
            "7     shmdt(NULL)                       = -1 EINVAL (Invalid argument)");

        Assert.Equal(0, log.Format.BrokenPairs);
        Assert.Equal(CallCompletion.Open, log.Calls[0].Completion);
    }

    [Fact]
    public void The_notice_tells_which_thread_made_the_execve()
    {
        StraceLog log = RecordedLogs.Parse(
            "5     execve(\"/bin/false\", [], NULL <unfinished ...>",
            "9     execve(\"/bin/true\", [], NULL <unfinished ...>",
            "7     +++ superseded by execve in pid 9 +++",
            "7     <... execve resumed>)             = 0");

        Assert.Equal([CallCompletion.Open, CallCompletion.Returned],
            log.Calls.Select(call => call.Completion));
    }

    [Fact]
    public void A_call_that_strace_lets_go_of_is_detached()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     poll(NULL, 0, 700 <detached ...>");

        Assert.Equal(CallCompletion.Detached, log.Calls[0].Completion);
        Assert.Equal("NULL, 0, 700", log.Calls[0].ArgumentText);
        Assert.IsType<CallEntered>(Assert.Single(log.Events));
    }

    [Fact]
    public void A_detachment_in_the_middle_of_a_line_is_read()
    {
        StraceLog log = RecordedLogs.Parse(
            "strace: Process 9506 attached with 2 threads",
            "[pid  9508] restart_syscall(<... resuming interrupted read ...> <unfinished ...>",
            "[pid  9506] restart_syscall(<... resuming interrupted read ...>) = 0",
            "[pid  9506] poll(NULL, 0, 700strace: Process 9506 detached",
            " <detached ...>",
            "strace: Process 9508 detached");

        Assert.Equal(2, Assert.IsType<TaskAttached>(log.Events[0]).Threads);
        Assert.Equal(CallCompletion.Detached, log.Calls[2].Completion);
        Assert.Equal("NULL, 0, 700", log.Calls[2].ArgumentText);
        Assert.Equal(CallCompletion.Open, log.Calls[0].Completion);
        Assert.Equal([9506, 9508],
            log.Events.OfType<TaskDetached>().Select(detached => detached.Task));
        Assert.Equal(0, log.Format.StrayLines);
    }

    [Fact]
    public void A_second_half_without_a_first_is_kept_as_such()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     <... shmdt resumed>)              = 0",
            "7     shmdt(0x7f0000000000)             = 0");

        Assert.Equal(CallCompletion.EntryMissing, log.Calls[0].Completion);
        Assert.Equal(1, log.Format.CallsWithoutEntry);
        UndecodedArguments undecoded =
            Assert.IsType<UndecodedArguments>(log.Calls[0].Arguments);
        Assert.Equal(new SourcePosition("test", 1, 7), undecoded.Position);
    }

    [Fact]
    public void A_missing_line_is_noted_and_not_fatal()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     shmdt(0x7f0000000000 <unfinished ...>",
            "7     shmat(0, NULL, 0)                 = -1 EINVAL (Invalid argument)",
            "7     <... shmdt resumed>)              = 0");

        Assert.Equal(CallCompletion.Open, log.Calls[0].Completion);
        Assert.Equal(CallCompletion.EntryMissing, log.Calls[2].Completion);
        Assert.Equal((1, 1), (log.Format.BrokenPairs, log.Format.FirstBrokenPair?.Line));
    }

    [Theory]
    [InlineData("+++ superseded by execve in pid 9 +++", " <unfinished ...>")]
    [InlineData("+++ superseded by execve in pid 9 +++", " <pid changed to 7 ...>")]
    [InlineData("", " <unfinished ...>")]
    public void An_execve_of_a_thread_returns_under_the_id_of_its_leader(
        string notice, string tail)
    {
        StraceLog log = RecordedLogs.Parse(
            "7     clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0, stack=0x1, "
                + "stack_size=0x2}, 88) = 9",
            "5     execve(\"/bin/false\", [], NULL <unfinished ...>",
            "7     futex(0x7f0000000000, FUTEX_WAIT, 9, NULL <unfinished ...>",
            $"9     execve(\"/bin/true\", [\"true\"], NULL{tail}",
            "7     <... futex resumed>)              = ?",
            notice.Length == 0 ? "" : $"7     {notice}",
            "7     <... execve resumed>)             = 0",
            "5     <... execve resumed>)             = 0");

        StraceCall execve = log.Calls[3];
        Assert.Equal((9, "/bin/true"),
            (execve.Task, Assert.IsType<ExecArguments>(execve.Arguments).Path?.Text));
        Assert.Equal(7, execve.Exit?.Line);
        CallReturned returned = Assert.Single(
            log.Events.OfType<CallReturned>(), made => made.Call == execve);
        Assert.Equal(7, returned.Task);
        Assert.Equal(0, log.Format.BrokenPairs);
        Assert.Equal(8, log.Calls[1].Exit?.Line);
    }

    [Fact]
    public void Output_of_the_program_within_a_call_is_cut_out()
    {
        StraceLog log = RecordedLogs.Parse(
            "write(2, \"shmget(IPC_PRIVATE, 4096, 0600) \"..., 36shmget(IPC_PRIVATE, 4096, 0600)"
                + " = 0",
            ") = 36",
            "write(2, \"bye\", 3bye)                      = 3",
            "shmget(IPC_PRIVATE, 4096, 0600hello",
            "two lines",
            ")         = 7",
            "exit_group(0)                           = ?");

        Assert.Equal([36L, 3, 7, 0], log.Calls.Select(call => call.Result.Value));
        Assert.Equal([36ul, 3], log.Calls.Take(2)
            .Select(call => Assert.IsType<WriteArguments>(call.Arguments).Count));
        Assert.Equal(4096ul, Assert.IsType<ShmGetArguments>(log.Calls[2].Arguments).Size);
        Assert.Equal(1, log.Format.StrayLines);
    }

    [Fact]
    public void What_a_program_prints_is_no_call()
    {
        StraceLog log = RecordedLogs.Parse(
            "shmget(IPC_PRIVATE, 4096, 0600)         = 0",
            "shmat(0, NULL, 0) = 0x1234",
            "my_shmat(0, NULL, 0)                    = 0x1234",
            "stress-ng: info:  [8098] dispatching hogs: 2 shm-sysv",
            "open(2) failed",
            "error: read(3 of 5",
            "wait4(-1,  <unfinished ...>",
            "x) = 5",
            "<... wait4 resumed>NULL, 0, NULL)       = 9",
            "==> x",
            "\u001b[1;32mTPASS: \u001b[0mshmat() = 5",
            "shmdt(0x7f0000000000)                   = 0");

        Assert.Equal(["shmget", "wait4", "shmdt"], log.Calls.Select(call => call.Name));
        Assert.Equal(9, log.Calls[1].Result.Value);
        Assert.Equal((8, 2), (log.Format.StrayLines, log.Format.FirstStray?.Line));
    }

    [Fact]
    public void A_call_behind_output_without_a_line_end_is_found()
    {
        StraceLog log = RecordedLogs.Parse(
            "prompt: shmget(IPC_PRIVATE, 4096, 0600)         = 0",
            "no newlineclone(child_stack=NULL, flags=SIGCHLDstrace: Process 12 attached",
            ") = 12",
            "[pid    11] wait4(-1,  <unfinished ...>",
            "[pid    12] exit_group(0)               = ?",
            "[pid    11] <... wait4 resumed>NULL, 0, NULL) = 12",
            "dots...[pid    11] shmat(0, NULL, 0)           = 0x7f0000000000",
            "bye--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---",
            "byeexit_group(0)                           = ?",
            "bye+++ exited with 0 +++");

        Assert.Equal(["shmget 9", "clone 11", "shmat 20", "exit_group 4"],
            log.Calls.Where(call => call.Name != "wait4" && call.Task != 12)
                .Select(call => $"{call.Name} {call.Entry.Column}"));
        Assert.IsType<TaskExited>(log.Events[^1]);
        Assert.Single(log.Events.OfType<SignalDelivered>());
    }

    [Fact]
    public void Lines_of_other_kinds_are_counted()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     shmdt(0x7f0000000000)             = 0",
            " > /usr/lib/libc.so.6(shmdt+0xa) [0x10b66a]",
            " > /srv/book(main+0x80) [0x1249]",
            "7     write(2, \"shm\", 3)                = 3",
            " | 00000  73 68 6d                                          shm              |",
            "% time     seconds  usecs/call     calls    errors syscall",
            "------ ----------- ----------- --------- --------- ----------------",
            " 59.40    0.000831         831         1           shmdt",
            "------ ----------- ----------- --------- --------- ----------------",
            "100.00    0.001399         174         8           total",
            "System call usage summary for 32 bit mode:",
            "% time     seconds  usecs/call     calls    errors syscall");

        StraceFormat format = log.Format;
        Assert.Equal((2, 1, 7, 0), (format.StackTraceLines, format.DumpLines,
            format.SummaryLines, format.StrayLines));
        Assert.Equal(2, log.Calls.Count);
    }

    [Theory]
    [InlineData("7     shmget(IPC_PRI", 1)]
    [InlineData("7     shmat(0, NULL, 0)                 = 0x7f12", 1)]
    [InlineData("7     shmdt(0x7f0000000000 <unfin", 1)]
    [InlineData("7     +++ exi", 0)]
    [InlineData("7", 0)]
    public void The_last_line_may_be_cut_and_is_then_not_believed(string last, int calls)
    {
        StraceLog log = StraceLog.Read(new StringReader(
            "7     shmdt(0x7f0000000000)             = 0\n" + last), "test");

        Assert.True(log.Format.IsTruncated);
        Assert.Equal(1 + calls, log.Calls.Count);
        Assert.All(log.Calls.Skip(1), call => Assert.Equal(
            (CallCompletion.Open, ResultKind.None), (call.Completion, call.Result.Kind)));
    }

    [Fact]
    public void Line_ends_of_other_systems_and_a_byte_order_mark_do_no_harm()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     shmdt(0x7f0000000000)             = 0\r",
            "7     +++ exited with 0 +++\r");
        Assert.Equal(2, log.Events.Count);

        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "7     shmdt(NULL) = 0\n", System.Text.Encoding.Unicode);
            Assert.Single(StraceLog.Load(path).Calls);
            File.WriteAllText(path, "7     shmdt(NULL) = 0\n", new System.Text.UTF8Encoding(true));
            Assert.Single(StraceLog.Load(path).Calls);
            File.WriteAllBytes(path, [0xe4, 0x0a, .. "shmdt(NULL) = 0\n"u8]);
            Assert.Equal(1, StraceLog.Load(path).Format.StrayLines);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
