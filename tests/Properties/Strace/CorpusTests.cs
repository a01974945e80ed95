using System.Text.Json;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Every recorded log, against what its sidecar says was counted by other means.
/// </summary>
public class CorpusTests
{
    /// <summary>Recorded with <c>-z</c>: to be refused.</summary>
    private const string Filtered = "format-variants/stress-ng_f-z.strace";

    private static readonly string[] _shmCalls = ["shmget", "shmat", "shmdt", "shmctl"];

    public static TheoryData<string> Logs() =>
        [.. RecordedLogs.WithSidecar.Where(log => log != Filtered)];

    [Fact]
    public void All_recorded_logs_are_there() => Assert.Equal(132, RecordedLogs.WithSidecar.Count);

    [Theory]
    [MemberData(nameof(Logs))]
    public void Every_call_is_found(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        foreach ((string name, int count) in Counts(log, "shm_calls"))
        {
            Assert.Equal((name, count), (name, read.Calls.Count(call => call.Name == name)));
        }

        foreach (string name in _shmCalls)
        {
            int expected = read.Sidecar?.ShmCalls.GetValueOrDefault(name) ?? -1;
            Assert.Equal((name, expected), (name, read.Calls.Count(call => call.Name == name)));
        }

        // The sidecar of the log on standard error counts no call that a message interrupts.
        bool isInterrupted = read.Format.Messages > 0;
        foreach ((string name, int count) in Counts(log, "related_calls"))
        {
            int found = read.Calls.Count(call => call.Name == name);
            Assert.True(isInterrupted ? found >= count : found == count, $"{name}: {found}");
        }
    }

    [Fact]
    public void Calls_that_a_message_interrupts_are_put_together()
    {
        StraceLog log = RecordedLogs.Load("format-variants/stress-ng_stderr-style.strace");

        Assert.Equal([8099, 8100, 8101, 8102, 8103, 8104], log.Calls
            .Where(call => call.Name == "clone").Select(call => (int)call.Result.Value).Order());
        Assert.All(log.Calls, call => Assert.NotNull(call.Task));
        StraceCall last = log.Calls[^1];
        Assert.Equal(("exit_group", 8098), (last.Name, last.Task));
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void Every_error_is_found(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        foreach ((string callAndError, int count) in Counts(log, "errnos"))
        {
            string[] words = callAndError.Split(' ');
            int found = read.Calls.Count(call => call.Name == words[0]
                && call.Result.ErrorName == words[1]);
            Assert.Equal((callAndError, count), (callAndError, found));
        }
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void Every_call_that_concerns_the_model_is_decoded(string log)
    {
        StraceLog read = RecordedLogs.Load(log);

        Assert.DoesNotContain(read.Calls, call => call.Arguments is UndecodedArguments);
        Assert.Equal(0, read.Format.UndecodedCalls);
        Assert.All(read.Calls.Where(call => _shmCalls.Contains(call.Name)), call =>
            Assert.IsNotType<OtherArguments>(call.Arguments));
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void The_two_halves_of_calls_belong_together(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        string[] lines = File.ReadAllLines(RecordedLogs.PathOf(log));
        int unfinished = lines.Count(line =>
            line.EndsWith("<unfinished ...>", StringComparison.Ordinal));
        int resumed = lines.Count(line => line.Contains(" resumed>", StringComparison.Ordinal));

        Assert.Equal(resumed, read.Format.ResumedCalls);
        Assert.Equal(unfinished - resumed, read.Format.OpenCalls);
        Assert.Equal(0, read.Format.CallsWithoutEntry);
        Assert.Equal(0, read.Format.BrokenPairs);
        foreach (StraceCall call in read.Calls.Where(call =>
            call.Completion == CallCompletion.Open))
        {
            Assert.Contains(read.Events, ended => ended is TaskKilled or TaskExited
                && ended.Task == call.Task && ended.Position.Line > call.Entry.Line);
        }
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void Nothing_but_output_of_the_program_is_left_out(string log)
    {
        StraceFormat format = RecordedLogs.Load(log).Format;

        Assert.False(format.IsTruncated);
        Assert.False(format.OrderUnknown);
        Assert.Equal(log.Contains("stderr", StringComparison.Ordinal) ? 3 : 0, format.StrayLines);
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void What_the_sidecar_points_out_is_there(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        List<string> points = Points(log);
        Assert.Equal(points.Contains("32-bit process"), read.Calls.Any(call => call.Is32Bit));
        foreach (string point in points)
        {
            string[] words = point.Split(' ');
            switch (point)
            {
                case "process killed by signal":
                    Assert.Contains(read.Events, killed => killed is TaskKilled);
                    break;
                case "threads":
                    Assert.Contains(read.Calls, call => call.Arguments is CloneArguments clone
                        && clone.Flags.Has(CloneArguments.CLONE_THREAD));
                    break;
                case "SHM_LOCK":
                    Assert.Contains(read.Calls, call => call.Arguments is ShmCtlArguments
                    {
                        Command: ShmCommand.SHM_LOCK
                    });
                    break;
                case "SHM_INFO":
                    Assert.Contains(read.Calls, call => call.Arguments is ShmCtlArguments
                    {
                        Command: ShmCommand.SHM_INFO
                    });
                    break;
                case "SHM_RDONLY":
                    Assert.Contains(read.Calls, call => call.Arguments is ShmAtArguments
                    {
                        Flags.ReadOnly: true
                    });
                    break;
                case "MAP_HUGETLB":
                    Assert.Contains(read.Calls, call => call.Arguments is MMapArguments map
                        && map.Flags.Has(MMapArguments.MAP_HUGETLB));
                    break;
                case var _ when point.StartsWith("max shm_nattch", StringComparison.Ordinal):
                    Assert.Equal(words[2], $"{MostAttaches(read)}");
                    break;
                case var _ when point.EndsWith("unfinished/resumed", StringComparison.Ordinal):
                    Assert.Equal(words[0], $"{read.Format.ResumedCalls}");
                    break;
                default:
                    break;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void Every_event_stands_where_it_says(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        string[] lines = File.ReadAllLines(RecordedLogs.PathOf(log));
        foreach (StraceEvent happened in read.Events)
        {
            string rest = lines[happened.Position.Line - 1][(happened.Position.Column - 1)..];
            string start = happened switch
            {
                CallMade made => made.Call.Name + "(",
                CallEntered entered => entered.Call.Name + "(",
                CallReturned returned => rest.StartsWith("<... ", StringComparison.Ordinal)
                    ? $"<... {returned.Call.Name} resumed>" : "",
                SignalDelivered signal => $"--- {signal.Signal} ",
                TaskExited exited => $"+++ exited with {exited.Status} +++",
                TaskKilled killed => $"+++ killed by {killed.Signal}",
                TaskAttached => $"strace: Process {happened.Task} attached",
                _ => "an event that no recorded log has",
            };
            Assert.StartsWith(start, rest, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void A_call_returns_after_its_entry_in_the_same_task(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        var entered = new HashSet<StraceCall>();
        foreach (CallEvent happened in read.Events.OfType<CallEvent>())
        {
            Assert.Equal(happened.Call.Task, happened.Task);
            bool isNew = happened is CallReturned
                ? entered.Contains(happened.Call) : entered.Add(happened.Call);
            Assert.True(isNew, happened.Call.ToString());
        }

        Assert.Equal(read.Calls.Count, entered.Count);
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void The_start_state_is_read(string log)
    {
        StraceSidecar? sidecar = RecordedLogs.Load(log).Sidecar;

        Assert.NotNull(sidecar);
        Assert.Equal("fresh", sidecar.IpcNamespace);
        Assert.Equal(4096ul, sidecar.PageSize);
        Assert.Equal(8192ul * 1024, sidecar.MemlockLimit);
        Assert.Equal(ulong.MaxValue, sidecar.Sysctl(Sysctl.ShmNextId));
        Assert.Equal([2048ul * 1024, 1048576ul * 1024],
            sidecar.Pools.Select(pool => pool.Size.Value));
        Assert.All(Enum.GetValues<Sysctl>(), name => Assert.NotNull(sidecar.Sysctl(name)));
        Assert.False(sidecar.SegmentsBefore.IsDefault);
        Assert.Equal(sidecar.Strace?.Trace is not null, !sidecar.Strace?.Text
            .Contains("strace -f -o log", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Logs))]
    public void Whatever_a_log_shows_its_command_line_traces(string log)
    {
        StraceLog read = RecordedLogs.Load(log);
        var command = new HashSet<string>(read.Sidecar?.Strace?.Trace?.Split(',') ?? []);

        Assert.All(read.Traced.Seen, name => Assert.True(command.Count == 0
            || command.Contains(name) || command.Contains("?" + name), name));
        Assert.All(_shmCalls, name => Assert.Equal(Traced.Yes, read.Traced.Of(name)));
        Assert.Equal(command.Count == 0 ? Traced.Yes : Traced.No, read.Traced.Of("mincore"));
    }

    [Fact]
    public void A_log_of_successes_only_is_refused()
    {
        StraceFormatException refused = Assert.Throws<StraceFormatException>(
            () => RecordedLogs.Load(Filtered));

        Assert.Contains("-z", refused.Error.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_of_successes_only_is_recognised_without_a_sidecar()
    {
        StraceFormatException refused = Assert.Throws<StraceFormatException>(
            () => StraceLog.Load([RecordedLogs.PathOf(Filtered)], null));

        Assert.Contains("-z", refused.Error.Expected, StringComparison.Ordinal);
        Assert.Equal(1, refused.Error.Column);
        Assert.StartsWith(")",
            File.ReadAllLines(RecordedLogs.PathOf(Filtered))[refused.Error.Line - 1],
            StringComparison.Ordinal);
    }

    private static ulong MostAttaches(StraceLog log) => log.Calls
        .Select(call => call.Arguments is ShmCtlArguments { Data: SegmentStat stat }
            && call.Result.Succeeded ? stat.Attaches : 0).Max();

    private static List<string> Points(string log)
    {
        using JsonDocument sidecar = Sidecar(log);
        return [.. sidecar.RootElement.GetProperty("points").EnumerateArray()
            .Select(point => point.GetString() ?? "")];
    }

    private static List<(string Name, int Count)> Counts(string log, string property)
    {
        using JsonDocument sidecar = Sidecar(log);
        return [.. sidecar.RootElement.GetProperty(property).EnumerateObject()
            .Select(member => (member.Name, member.Value.GetInt32()))];
    }

    private static JsonDocument Sidecar(string log) => JsonDocument.Parse(File.ReadAllText(
        SidecarFile.PathFor(RecordedLogs.PathOf(log)) ?? ""));
}
