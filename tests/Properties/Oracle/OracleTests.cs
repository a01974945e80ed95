using ShmCheck.Harness.Oracle;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Oracle;

/// <summary>What a log says and what it leaves open, on small logs: each is explained, and its
/// falsified twin is not.</summary>
public sealed class OracleTests
{
    private const string Sidecar = """
        {
          "strace": "strace -f -y -e trace=all -o log", "ipc_namespace": "fresh",
          "kernel": "6.18.1", "page_size": 4096, "segments_before": [],
          "initial": {
            "kernel.shmmax": "18446744073692774399", "kernel.shmall": "18446744073692774399",
            "kernel.shmmni": "4096", "kernel.shm_rmid_forced": "0", "kernel.shm_next_id": "-1",
            "vm.overcommit_memory": "0", "MemTotal": "8000000kB", "SwapTotal": "0kB",
            "rlimit_memlock": "8192"
          },
          "credentials": { "uid": 0, "gid": 0 }
        }
        """;

    private const string Start = "1 execve(\"./a\", [\"a\"], 0x1 /* 2 vars */) = 0";

    [Theory]
    [InlineData("nattch=1", "nattch=2")]
    [InlineData("segsz=5000", "segsz=5001")]
    [InlineData("cpid=1", "cpid=2")]
    [InlineData("lpid=1", "lpid=0")]
    [InlineData("mode=0600", "mode=01600")]
    [InlineData("cuid=0", "cuid=1")]
    [InlineData("dtime=0", "dtime=1795222501")]
    public void Each_figure_of_a_structure_is_checked(string right, string wrong)
    {
        string[] log =
        [
            "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
            "1 shmat(0, NULL, 0) = 0x7f0000000000",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 1, nattch: 1)}) = 0",
        ];
        Explains(log);
        log[2] = log[2].Replace(right, wrong, StringComparison.Ordinal);
        Rejects(4, log);
    }

    [Fact]
    public void Identifiers_of_a_fresh_namespace_are_predicted()
    {
        Explains("1 shmget(IPC_PRIVATE, 1, 0600) = 0", "1 shmget(IPC_PRIVATE, 1, 0600) = 1");
        Rejects(3, "1 shmget(IPC_PRIVATE, 1, 0600) = 0", "1 shmget(IPC_PRIVATE, 1, 0600) = 2");
    }

    [Fact]
    public void A_call_takes_effect_between_its_two_lines()
    {
        string[] log =
        [
            "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
            "1 fork() = 2",
            "2 shmat(0, NULL, 0 <unfinished ...>",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 2, nattch: 1)}) = 0",
            "2 <... shmat resumed>) = 0x7f0000000000",
        ];
        Explains(log);
        log[3] = log[3].Replace("nattch=1", "nattch=4", StringComparison.Ordinal);
        Rejects(5, log);
    }

    [Fact]
    public void Which_of_two_overlapping_calls_was_the_last_is_open()
    {
        foreach (int last in (ReadOnlySpan<int>)[1, 2])
        {
            Explains(Overlap(last));
        }

        Rejects(8, Overlap(3));
    }

    [Fact]
    public void A_fork_copies_attaches_and_a_thread_does_not()
    {
        string[] log =
        [
            "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
            "1 shmat(0, NULL, 0) = 0x7f0000000000",
            "1 clone(child_stack=NULL, flags=SIGCHLD) = 2",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 1, nattch: 2)}) = 0",
        ];
        Explains(log);
        log[2] = "1 clone(child_stack=0x1000, flags=CLONE_VM|CLONE_THREAD|CLONE_SIGHAND) = 2";
        Rejects(5, log);
        log[3] = log[3].Replace("nattch=2", "nattch=1", StringComparison.Ordinal);
        Explains(log);
    }

    [Fact]
    public void A_vfork_child_leaves_the_attaches_of_its_parent_alone()
    {
        string[] log =
        [
            "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
            "1 shmat(0, NULL, 0) = 0x7f0000000000",
            "1 vfork( <unfinished ...>",
            "2 execve(\"./b\", [\"b\"], 0x1 /* 2 vars */) = 0",
            "1 <... vfork resumed>) = 2",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 1, nattch: 1)}) = 0",
        ];
        Explains(log);
        log[5] = log[5].Replace("nattch=1", "nattch=0", StringComparison.Ordinal);
        Rejects(7, log);
    }

    [Fact]
    public void A_process_detaches_between_its_exit_and_its_end()
    {
        string[] log =
        [
            "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
            "1 fork() = 2",
            "2 shmat(0, NULL, 0) = 0x7f0000000000",
            "2 exit_group(0) = ?",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 2, nattch: 1)}) = 0",
            "2 +++ exited with 0 +++",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 2, nattch: 0, dtime: 1795222501)}) = 0",
        ];
        Explains(log);
        log[6] = log[6].Replace("nattch=0", "nattch=1", StringComparison.Ordinal);
        Rejects(8, log);
    }

    [Fact]
    public void Unmapping_that_the_filter_left_out_may_have_happened()
    {
        string hiding = Sidecar.Replace(
            "trace=all", "trace=%ipc,%process", StringComparison.Ordinal);
        string[] log =
        [
            "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
            "1 shmat(0, NULL, 0) = 0x7f0000000000",
            $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: 1, nattch: 0)}) = 0",
        ];
        Assert.Equal(LogVerdict.Explained, Judge(hiding, log).Verdict);
        Rejects(4, log);
    }

    [Fact]
    public void Without_a_sidecar_the_first_sight_of_a_segment_tells_what_it_is()
    {
        string stat = Stat(cpid: 700, lpid: 0, nattch: 3);
        string[] log =
        [
            "1 shmget(0x1234, 5000, 0) = 65538",
            $"1 shmctl(65538, IPC_STAT, {stat}) = 0",
            $"1 shmctl(65538, IPC_STAT, {stat}) = 0",
        ];
        log = [.. log.Select(line => line.Replace("key=0", "key=4660", StringComparison.Ordinal))];
        Assert.Equal(LogVerdict.Explained, Judge(null, log).Verdict);
        log[2] = log[2].Replace("nattch=3", "nattch=4", StringComparison.Ordinal);
        OracleVerdict verdict = Judge(null, log);
        Assert.Equal((LogVerdict.Unexplained, 4), (verdict.Verdict, verdict.Line));
        verdict = LogOracle.Judge(Read(null, log), new OracleOptions { OpenWorld = true });
        Assert.Equal(LogVerdict.Explained, verdict.Verdict);
    }

    [Fact]
    public void A_refusal_names_what_was_seen_and_what_is_allowed()
    {
        OracleVerdict verdict = Judge(Sidecar, "1 shmctl(0, IPC_RMID, NULL) = 0");
        Assert.Contains("shmctl.einval.id", verdict.Reason, StringComparison.Ordinal);
        Assert.Contains("shmctl(0, IPC_RMID, NULL) = 0", verdict.Reason, StringComparison.Ordinal);
    }

    private static string[] Overlap(int last) =>
    [
        "1 shmget(IPC_PRIVATE, 5000, IPC_CREAT|0600) = 0",
        "1 fork() = 2",
        "1 shmat(0, NULL, 0 <unfinished ...>",
        "2 shmat(0, NULL, 0 <unfinished ...>",
        "1 <... shmat resumed>) = 0x7f0000000000",
        "2 <... shmat resumed>) = 0x7f0000000000",
        $"1 shmctl(0, IPC_STAT, {Stat(cpid: 1, lpid: last, nattch: 2)}) = 0",
    ];

    private static string Stat(int cpid, int lpid, int nattch, int dtime = 0) =>
        "{shm_perm={uid=0, gid=0, mode=0600, key=0, cuid=0, cgid=0}, shm_segsz=5000, "
        + $"shm_cpid={cpid}, shm_lpid={lpid}, shm_nattch={nattch}, "
        + $"shm_atime={(lpid == 0 ? 0 : 1795222501)}, shm_dtime={dtime}, "
        + "shm_ctime=1795222501}";

    private static void Explains(params string[] log)
    {
        OracleVerdict verdict = Judge(Sidecar, log);
        Assert.True(verdict.Verdict == LogVerdict.Explained, $"{verdict.Line}: {verdict.Reason}");
    }

    private static void Rejects(int line, params string[] log)
    {
        OracleVerdict verdict = Judge(Sidecar, log);
        Assert.Equal((LogVerdict.Unexplained, line), (verdict.Verdict, verdict.Line));
    }

    private static OracleVerdict Judge(string? sidecar, params string[] log) =>
        LogOracle.Judge(Read(sidecar, log), new OracleOptions());

    private static StraceLog Read(string? sidecar, string[] log) => StraceLog.Read(
        new StringReader(string.Join('\n', [Start, .. log]) + "\n"), "log",
        sidecar is null ? null : SidecarFile.Parse(sidecar, "sidecar"));
}
