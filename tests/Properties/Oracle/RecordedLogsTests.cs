using ShmCheck.Abi.Recordings;
using ShmCheck.Harness.Oracle;
using ShmCheck.Properties.Strace;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Oracle;

/// <summary>The oracle on the logs of <c>traces/strace</c>.</summary>
public sealed class RecordedLogsTests
{
    private const string Filtered = "format-variants/stress-ng_f-z.strace";

    public static TheoryData<string> Logs =>
        [.. RecordedLogs.WithSidecar.Where(log => log.Replace('\\', '/') != Filtered)];

    [Theory]
    [MemberData(nameof(Logs))]
    public void The_specification_explains_what_real_programs_saw(string log)
    {
        OracleVerdict verdict = LogOracle.Judge(RecordedLogs.Load(log), new OracleOptions());
        Assert.True(
            verdict.Verdict == LogVerdict.Explained,
            $"{log}:{verdict.Line}: {verdict.Reason}");
    }

    [Fact]
    public void A_log_filtered_by_result_is_refused() =>
        Assert.Throws<StraceFormatException>(() => RecordedLogs.Load(Filtered));

    [Fact]
    public void Two_megabytes_take_seconds()
    {
        string line = "shmctl(0, IPC_STAT, {shm_perm={uid=0, gid=0, mode=0600, key=0, cuid=0, "
            + "cgid=0}, shm_segsz=4096, shm_cpid=9, shm_lpid=0, shm_nattch=0, shm_atime=0, "
            + "shm_dtime=0, shm_ctime=1795222501}) = 0\n";
        string text = "9 execve(\"./a\", [\"a\"], 0x1 /* 2 vars */) = 0\n"
            + "9 shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 0\n"
            + string.Concat(Enumerable.Repeat("9 " + line, (2 << 20) / line.Length));
        IRecording log = StraceLog.Read(new StringReader(text), "long");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(LogVerdict.Explained, LogOracle.Judge(log, new OracleOptions()).Verdict);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20);
    }
}
