using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>What stands before the call of a line: task, time, number, pointer.</summary>
public class PrefixTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData("6779  shmdt(NULL)                 = 0", 6779)]
    [InlineData("21231 shmdt(NULL)                 = 0", 21231)]
    [InlineData("4194304 shmdt(NULL)               = 0", 4194304)]
    [InlineData("7040<shm) = 3> shmdt(NULL)        = 0", 7040)]
    [InlineData("7040 [system_u:system_r:kernel_t:s0] shmdt(NULL) = 0", 7040)]
    [InlineData("7040 [user_u:user_r:user_t:s0] 01:02:03 shmdt(NULL) = 0", 7040)]
    public void A_leading_number_is_the_task(string line, int task)
    {
        StraceLog log = RecordedLogs.Parse(line);

        Assert.Equal((task, "shmdt"), (log.Calls[0].Task, log.Calls[0].Name));
        Assert.Equal(TaskIdStyle.Leading, log.Format.TaskIds);
    }

    [Theory]
    [InlineData("[pid  8101] shmdt(NULL)                 = 0", false)]
    [InlineData("[pid 18101] shmdt(NULL)                 = 0", false)]
    [InlineData("[pid  8101<book>] shmdt(NULL)           = 0", true)]
    public void A_number_in_brackets_is_the_task(string line, bool hasName)
    {
        StraceLog log = RecordedLogs.Parse(line);

        Assert.True(log.Calls[0].Task is 8101 or 18101);
        Assert.Equal(TaskIdStyle.Bracketed, log.Format.TaskIds);
        Assert.Equal(hasName, log.Format.HasCommandNames);
    }

    [Fact]
    public void Without_a_number_there_is_no_task()
    {
        StraceLog log = RecordedLogs.Parse("shmdt(NULL)                             = 0");

        Assert.Null(log.Calls[0].Task);
        Assert.Equal(TaskIdStyle.None, log.Format.TaskIds);
    }

    [Theory]
    [InlineData("01:12:18 ", StampKind.TimeOfDay, 4338 * Second)]
    [InlineData("01:12:18.655672 ", StampKind.TimeOfDay, 4338 * Second + 655_672_000)]
    [InlineData("23:59:60.000000001 ", StampKind.TimeOfDay, 86400 * Second + 1)]
    [InlineData("1795223538 ", StampKind.Epoch, 1_795_223_538 * Second)]
    [InlineData("1795223538.950956 ", StampKind.Epoch, 1_795_223_538 * Second + 950_956_000)]
    [InlineData("     0.000123 ", StampKind.Relative, 123_000)]
    [InlineData("     7 ", StampKind.Relative, 7 * Second)]
    [InlineData("01:12:18 (+     0.000123) ", StampKind.TimeOfDay, 4338 * Second)]
    [InlineData("1795223538 (+     0) ", StampKind.Epoch, 1_795_223_538 * Second)]
    public void A_stamp_is_read_in_each_format(string stamp, StampKind kind, long time)
    {
        foreach (string task in (ReadOnlySpan<string>)["", "77    ", "77<a b> "])
        {
            StraceLog log = RecordedLogs.Parse($"{task}{stamp}shmdt(NULL)    = 0");

            Assert.Equal((kind, time), (log.Format.Stamps, log.Calls[0].EntryTime));
            bool isRelative = stamp.Contains('+') || kind == StampKind.Relative;
            Assert.Equal(isRelative, log.Format.HasRelativeStamps);
        }
    }

    [Fact]
    public void Numbers_that_a_program_prints_are_no_tasks()
    {
        StraceLog log = RecordedLogs.Parse(
            "5 lines", "4 lines", "3 more(lines", "exit_group(0)                           = ?");

        Assert.Equal("exit_group", Assert.Single(log.Calls).Name);
        Assert.Equal((TaskIdStyle.None, 3), (log.Format.TaskIds, log.Format.StrayLines));
    }

    [Fact]
    public void Number_and_instruction_pointer_are_skipped()
    {
        StraceLog log = RecordedLogs.Parse(
            "8674  [  31] [00007faf40d4f697] shmctl(0, IPC_RMID, NULL) = 0",
            "8674  [ 117] [556970ee250a] shmctl(0, IPC_RMID, NULL) = 0",
            "8674  [f7fa2549] shmctl(0, IPC_RMID, NULL) = 0",
            "8674  [ 231] [????????????????] +++ exited with 3 +++");

        Assert.Equal(3, log.Calls.Count);
        Assert.True(log.Format.HasSyscallNumbers && log.Format.HasInstructionPointers);
        Assert.Equal(3, Assert.IsType<TaskExited>(log.Events[3]).Status);
        Assert.Equal(new SourcePosition("test", 1, 33), log.Calls[0].Entry);
    }

    [Fact]
    public void Time_of_the_day_goes_on_over_midnight()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     23:59:59 shmdt(NULL) = 0",
            "7     00:00:01 shmdt(NULL) = 0");

        Assert.Equal(2 * Second, log.Calls[1].EntryTime - log.Calls[0].EntryTime);
    }

    [Fact]
    public void Relative_stamps_add_up()
    {
        StraceLog log = RecordedLogs.Parse(
            "7          0.000000 shmdt(NULL) = 0",
            "7          0.000200 shmdt(NULL <unfinished ...>",
            "7          1.000300 <... shmdt resumed>) = 0");

        Assert.Equal([0L, 200_000L], log.Calls.Select(call => call.EntryTime ?? -1));
        Assert.Equal(Second + 500_000, log.Calls[1].ExitTime);
    }

    [Theory]
    [InlineData("1795223538.1234567890 shmdt(NULL) = 0")]
    [InlineData("25:00:00 shmdt(NULL) = 0")]
    [InlineData("99999999999999999999 shmdt(NULL) = 0")]
    [InlineData("[pid x] shmdt(NULL) = 0")]
    [InlineData("4194305 shmdt(NULL) = 0 ")]
    public void A_line_with_a_bad_prefix_is_no_call(string line)
    {
        StraceLog log = RecordedLogs.Parse(
            line, "shmat(0, NULL, 0)                       = 0x7f0000000000");

        // A number too large for a task is a time, relative to 1970.
        Assert.Equal(line.StartsWith("4194305", StringComparison.Ordinal) ? 2 : 1,
            log.Calls.Count);
    }

    [Fact]
    public void Tasks_without_a_number_are_found_by_what_else_the_log_says()
    {
        StraceLog log = RecordedLogs.Parse(
            "shmget(IPC_PRIVATE, 4096, 0600)         = 0",
            "fork(strace: Process 21 attached",
            ")                                       = 21",
            "[pid    20] wait4(-1,  <unfinished ...>",
            "[pid    21] fork(strace: Process 22 attached",
            " <unfinished ...>",
            "[pid    22] shmdt(0x7f0000000000)       = 0",
            "[pid    21] <... fork resumed>)         = 22",
            "[pid    21] exit_group(0)               = ?",
            "[pid    21] +++ exited with 0 +++",
            "[pid    20] <... wait4 resumed>NULL, 0, NULL) = 21",
            "[pid    20] exit_group(0)               = ?",
            "[pid    20] +++ exited with 0 +++",
            "shmdt(0x7f0000001000)                   = -1 EINVAL (Invalid argument)",
            "+++ exited with 0 +++");

        Assert.Equal(
            ["shmget 20", "fork 20", "wait4 20", "fork 21", "shmdt 22", "exit_group 21",
                "exit_group 20", "shmdt 22"],
            log.Calls.Select(call => $"{call.Name} {call.Task}"));
        Assert.Equal(22, log.Events[^1].Task);
        Assert.Equal(0, log.Format.StrayLines);
    }

    [Fact]
    public void The_first_process_has_no_id_when_the_log_never_names_it()
    {
        StraceLog log = RecordedLogs.Parse(
            "fork()                                  = 21",
            "wait4(-1, strace: Process 21 attached",
            " <unfinished ...>",
            "[pid    21] exit_group(0)               = ?",
            "[pid    21] +++ exited with 0 +++",
            "<... wait4 resumed>NULL, 0, NULL)       = 21",
            "exit_group(0)                           = ?");

        Assert.Equal([null, null, 21, null], log.Calls.Select(call => call.Task));
        Assert.Equal(CallCompletion.Returned, log.Calls[1].Completion);
    }
}
