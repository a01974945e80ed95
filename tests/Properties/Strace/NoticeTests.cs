using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Lines that are not calls.</summary>
public class NoticeTests
{
    private static T Read<T>(string body)
        where T : StraceEvent =>
        Assert.IsType<T>(Assert.Single(RecordedLogs.Parse("7     " + body).Events));

    [Theory]
    [InlineData("{si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x7f0000001000}", "SEGV_ACCERR")]
    [InlineData("{si_signo=11, si_code=0x2, si_addr=0x7f0000001000}", "0x2")]
    [InlineData("{si_signo=11 /* SIGSEGV */, si_code=0x2 /* SEGV_ACCERR */, "
        + "si_addr=0x7f0000001000}", "0x2 /* SEGV_ACCERR */")]
    public void A_fault_has_an_address(string info, string code)
    {
        SignalDelivered signal = Read<SignalDelivered>($"--- SIGSEGV {info} ---");

        Assert.Equal(("SIGSEGV", 11, 0x7f0000001000ul, code),
            (signal.Signal, signal.Number, signal.Address, signal.Code));
        Assert.Null(signal.Sender);
        Assert.Equal((7, new SourcePosition("test", 1, 7)), (signal.Task, signal.Position));
    }

    [Fact]
    public void A_signal_of_a_process_has_a_sender()
    {
        SignalDelivered signal = Read<SignalDelivered>(
            "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8103<book>, si_uid=-1, "
                + "si_status=0, si_utime=22 /* 0.22 s */, si_stime=0} ---");

        Assert.Equal((17, 8103, -1), (signal.Number, signal.Sender, signal.SenderUid));
        Assert.Null(signal.Address);
    }

    [Theory]
    [InlineData("--- SIGRT_2 {si_signo=SIGRT_2, si_code=SI_QUEUE} ---", "SIGRT_2", 34)]
    [InlineData("--- SIGUSR1 {} ---", "SIGUSR1", 10)]
    [InlineData("--- SIGNEW {si_signo=SIGNEW} ---", "SIGNEW", 0)]
    [InlineData("--- 9 {si_signo=9} ---", "9", 9)]
    public void Signals_have_numbers(string body, string name, int number)
    {
        SignalDelivered signal = Read<SignalDelivered>(body);

        Assert.Equal((name, number), (signal.Signal, signal.Number));
    }

    [Fact]
    public void A_stop_names_its_signal() =>
        Assert.Equal("SIGSTOP", Read<TaskStopped>("--- stopped by SIGSTOP ---").Signal);

    [Fact]
    public void The_end_of_a_task_is_read()
    {
        Assert.Equal(3, Read<TaskExited>("+++ exited with 3 +++").Status);
        Assert.Equal(("SIGKILL", false), Killed("+++ killed by SIGKILL +++"));
        Assert.Equal(("SIGABRT", true), Killed("+++ killed by SIGABRT (core dumped) +++"));
        Assert.Equal(9, Read<TaskSuperseded>("+++ superseded by execve in pid 9 +++").By);

        static (string, bool) Killed(string body)
        {
            TaskKilled killed = Read<TaskKilled>(body);
            return (killed.Signal, killed.CoreDumped);
        }
    }

    [Theory]
    [InlineData("[ Process PID=1234 runs in 32 bit mode. ]", true)]
    [InlineData("[ Process PID=1234 runs in 64 bit mode. ]", false)]
    [InlineData("[ Process PID=1234 runs in x32 mode. ]", false)]
    public void A_change_of_entry_points_is_read(string body, bool is32Bit)
    {
        Assert.Equal((is32Bit, 7), (Read<WordSizeChanged>(body).Is32Bit,
            Read<WordSizeChanged>(body).Task));
        StraceEvent unmarked = Assert.Single(RecordedLogs.Parse(body).Events);
        Assert.Equal(1234, unmarked.Task);
    }

    [Fact]
    public void Messages_of_strace_are_counted_and_those_on_tasks_are_events()
    {
        StraceLog log = RecordedLogs.Parse(
            "strace: Process 12 attached",
            "shmdt(NULL)                             = 0",
            "strace: Exit of unknown pid 3 ignored",
            "strace: Process 12 detached");

        Assert.Equal(3, log.Format.Messages);
        Assert.IsType<TaskAttached>(log.Events[0]);
        Assert.IsType<TaskDetached>(log.Events[2]);
        Assert.Equal(12, log.Calls[0].Task ?? 12);
    }

    [Fact]
    public void Messages_of_old_versions_are_known()
    {
        StraceLog log = RecordedLogs.Parse(
            "clone(child_stack=0, flags=SIGCHLDProcess 12 attached",
            ")                                       = 12",
            "Process 12 detached");

        Assert.Equal(12, log.Calls[0].Result.Value);
        Assert.Equal(["CallEntered", "TaskAttached", "CallReturned", "TaskDetached"],
            log.Events.Select(happened => happened.GetType().Name));
    }

    [Theory]
    [InlineData("+++ exited with many +++")]
    [InlineData("+++ killed +++")]
    [InlineData("+++ superseded by execve in pid x +++")]
    [InlineData("--- nothing ---")]
    [InlineData("[ Process PID=x runs in 32 bit mode. ]")]
    [InlineData("[ Process PID=5 mode. ]")]
    [InlineData("+++ +++")]
    public void What_is_no_notice_is_stray(string body)
    {
        StraceLog log = RecordedLogs.Parse("7     shmdt(NULL) = 0", "7     " + body);

        Assert.Single(log.Events);
        Assert.Equal((1, 2), (log.Format.StrayLines, log.Format.FirstStray?.Line));
    }
}
