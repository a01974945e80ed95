using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Logs of one file for each task.</summary>
public class MergeTests
{
    private static string Events(StraceLog log) => string.Join(' ', log.Events.Select(happened =>
        happened switch
        {
            CallMade made => made.Call.Name,
            CallEntered entered => entered.Call.Name + "(",
            CallReturned returned => ")" + returned.Call.Name,
            _ => happened.GetType().Name,
        } + happened.Task));

    [Fact]
    public void Sections_are_joined_by_time_and_returns_come_as_late_as_they_can()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "1795223544.100000 fork()                = 8",
            "1795223544.300000 shmdt(0x7f0000000000) = 0",
            "1795223544.900000 +++ exited with 0 +++",
            "",
            "==> log.8 <==",
            "1795223544.200000 shmat(0, NULL, 0)     = 0x7f0000000000",
            "1795223544.400000 exit_group(0)         = ?",
            "1795223544.500000 +++ exited with 0 +++");

        Assert.Equal("fork(7 shmat(8 )fork7 shmdt(7 )shmat8 exit_group8 TaskExited8 )shmdt7 "
            + "TaskExited7", Events(log));
        Assert.Equal((TaskIdStyle.PerFile, 2, 0),
            (log.Format.TaskIds, log.Format.MergedSections, log.Format.StampTies));
        Assert.Null(log.Calls[0].ExitTime);
        Assert.Equal(2, log.Calls[0].Entry.Line);
    }

    [Fact]
    public void A_duration_tells_when_a_call_returned()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "1795223544.100000 fork()                = 8 <0.010000>",
            "1795223544.300000 shmdt(0x7f0000000000) = 0 <0.150000>",
            "==> log.8 <==",
            "1795223544.200000 shmat(0, NULL, 0)     = 0x7f0000000000 <0.000001>",
            "1795223544.400000 exit_group(0)         = ?");

        Assert.Equal("fork7 shmat8 shmdt(7 exit_group8 )shmdt7", Events(log));
        Assert.Equal(1_795_223_544_450_000_000, log.Calls[2].ExitTime);
    }

    [Fact]
    public void Equal_stamps_are_reported()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "00:00:01 shmdt(NULL)                    = 0",
            "==> log.8 <==",
            "00:00:01 shmdt(NULL)                    = 0");

        Assert.Equal((1, 4), (log.Format.StampTies, log.Format.FirstTie?.Line));
    }

    [Fact]
    public void Midnight_between_sections_is_seen()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "00:00:01 shmdt(NULL)                    = 0",
            "==> log.8 <==",
            "23:59:58 shmat(0, NULL, 0)              = 0x7f0000000000",
            "00:00:03 +++ exited with 0 +++");

        Assert.Equal("shmat(8 shmdt7 )shmat8 TaskExited8", Events(log));
    }

    [Fact]
    public void Without_stamps_the_order_is_unknown()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "shmdt(NULL)                             = 0",
            "==> log.8 <==",
            "shmat(0, NULL, 0)                       = 0x7f0000000000");

        Assert.True(log.Format.OrderUnknown);
        Assert.Equal("shmdt7 shmat8", Events(log));
    }

    [Fact]
    public void Relative_stamps_do_not_order_files()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "     0.000000 shmdt(NULL)               = 0",
            "==> log.8 <==",
            "     0.000100 shmat(0, NULL, 0)         = 0x7f0000000000");

        Assert.True(log.Format.OrderUnknown);
    }

    [Fact]
    public void A_file_that_tail_shows_twice_is_one_section()
    {
        StraceLog log = RecordedLogs.Parse(
            "==> log.7 <==",
            "00:00:01 shmdt(NULL <unfinished ...>",
            "==> log.8 <==",
            "00:00:02 shmdt(NULL)                    = 0",
            "==> log.7 <==",
            "00:00:03 <... shmdt resumed>)           = -1 EINVAL (Invalid argument)");

        Assert.Equal(2, log.Format.MergedSections);
        Assert.Equal("shmdt(7 shmdt8 )shmdt7", Events(log));
    }

    [Fact]
    public void An_execve_of_a_thread_is_followed_from_file_to_file()
    {
        StraceLog log = StraceLog.Load(
            [
                RecordedLogs.PathOf("formats/thread-exec-ff.23764"),
                RecordedLogs.PathOf("formats/thread-exec-ff.23765"),
            ], null);

        StraceCall execve = Assert.Single(log.Calls, call => call.Name == "execve"
            && call.Task == 23765);
        Assert.Equal(CallCompletion.Returned, execve.Completion);
        Assert.EndsWith("thread-exec-ff.23764", execve.Exit?.File, StringComparison.Ordinal);
        Assert.EndsWith("thread-exec-ff.23765", execve.Entry.File, StringComparison.Ordinal);
        Assert.Single(log.Events.OfType<TaskSuperseded>());
        Assert.True(log.Format.HasDurations);
        Assert.Equal((0, 0), (log.Format.BrokenPairs, log.Format.CallsWithoutEntry));
    }

    [Fact]
    public void One_recorded_log_is_joined_of_seven_tasks()
    {
        StraceLog log = RecordedLogs.Load("format-variants/stress-ng_ff-ttt.strace");

        Assert.Equal(7, log.Format.MergedSections);
        Assert.True(log.Events.Zip(log.Events.Skip(1)).All(pair =>
            pair.First.Time is null || pair.Second.Time is null
                || pair.First.Time <= pair.Second.Time));
        foreach (StraceCall spawn in log.Calls.Where(call => call.Name == "clone"))
        {
            StraceEvent first = log.Events.First(happened => happened.Task == spawn.Result.Value);
            Assert.True(first.Time >= spawn.EntryTime);
        }
    }
}
