using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>Sidecars and the command lines in them.</summary>
public class SidecarTests
{
    private static StraceSidecar Parse(string text) => SidecarFile.Parse(text, "meta");

    [Fact]
    public void An_empty_sidecar_says_nothing()
    {
        StraceSidecar sidecar = Parse("{}");

        Assert.Null(sidecar.Strace);
        Assert.Null(sidecar.IpcNamespace);
        Assert.Null(sidecar.MemlockLimit);
        Assert.Null(sidecar.Credentials);
        Assert.Null(sidecar.Sysctl(Sysctl.ShmMax));
        Assert.True(sidecar.SegmentsBefore.IsDefault);
        Assert.Empty(sidecar.Pools);
    }

    [Fact]
    public void What_it_says_is_read()
    {
        StraceSidecar sidecar = Parse("""
            {
              "id": "a/b", "unknown": [{}], "note": null, "page_size": 16384, // comment
              "exit_status": 3,
              "ipc_namespace": "fresh",
              "initial": {
                "kernel.shmmax": "18446744073692774399", "kernel.shm_next_id": "-1",
                "kernel.shmmni": 4096, "MemTotal": "24684092kB", "rlimit_memlock": "unlimited",
                "hugepages-2048kB.nr_hugepages": "9", "hugepages-2048kB.free_hugepages": "4",
                "hugepages-64kB.nr_hugepages": "0", "thp_shmem": "always [never]"
              },
              "changed": {"kernel.shmall": ["1", "1000"]},
              "segments_before": [
                "-1253063564          0  1600                  4096 19065     7      2     1     2 "
              ],
              "shm_calls": {"shmget": 3},
              "credentials": {"uid": 65534, "gid": 100, "groups": [1, 2], "capabilities": "0x4001"},
            }
            """);

        Assert.Equal(("a/b", "3", 16384ul), (sidecar.Id, sidecar.ExitStatus, sidecar.PageSize));
        Assert.Equal(18446744073692774399, sidecar.Sysctl(Sysctl.ShmMax));
        Assert.Equal(ulong.MaxValue, sidecar.Sysctl(Sysctl.ShmNextId));
        Assert.Equal(4096ul, sidecar.Sysctl(Sysctl.ShmMni));
        Assert.Equal(24684092ul * 1024, sidecar.Number("MemTotal"));
        Assert.Null(sidecar.Number("thp_shmem"));
        Assert.Equal(ulong.MaxValue, sidecar.MemlockLimit);
        Assert.Equal([new HugePagePool(new ByteCount(65536), 0, null, null, null, null),
            new HugePagePool(new ByteCount(2 << 20), 9, 4, null, null, null)],
            sidecar.Pools.AsEnumerable());
        Assert.Equal("1000", sidecar.Changed["kernel.shmall"]);
        Assert.Equal(new SharedMemoryRow
        {
            Key = -1253063564,
            Id = 0,
            Mode = 0x380,
            Size = 4096,
            CreatorPid = 19065,
            LastPid = 7,
            Attaches = 2,
            Uid = 1,
            Gid = 2,
        }, Assert.Single(sidecar.SegmentsBefore));
        Assert.Equal(3, sidecar.ShmCalls["shmget"]);
        Assert.Equal((65534, 100, 0x4001ul), (sidecar.Credentials?.Uid, sidecar.Credentials?.Gid,
            sidecar.Credentials?.Capabilities));
        Assert.Equal([1, 2], sidecar.Credentials?.Groups.AsEnumerable());
    }

    [Fact]
    public void Columns_are_those_of_the_header()
    {
        StraceSidecar sidecar = Parse("""
            {"sysvipc_header": ["shmid", "size", "perms", "key", "rss", "swap"],
             "segments_after": ["5 4096 600 7 8192 0"]}
            """);

        SharedMemoryRow row = Assert.Single(sidecar.SegmentsAfter);
        Assert.Equal((5, 4096ul, 0x180, 7, (ulong?)8192, (ulong?)0),
            (row.Id, row.Size, row.Mode, row.Key, row.Resident, row.Swapped));
    }

    [Theory]
    [InlineData("", 1, 1, "JSON")]
    [InlineData("{\n \"id\": }", 2, 8, "JSON")]
    [InlineData("{\"id\": \"a\"", 1, 11, "JSON")]
    [InlineData("{} {}", 1, 4, "JSON")]
    [InlineData("[1]", 1, 1, "an object")]
    [InlineData("{\n  \"id\": [1]}", 2, 9, "a string (id)")]
    [InlineData("{\"initial\": 5}", 1, 13, "an object (initial)")]
    [InlineData("{\"initial\": {\n\"x\": [1]}}", 2, 6, "a string or number (x)")]
    [InlineData("{\"page_size\": 5000}", 1, 15, "a power of two")]
    [InlineData("{\"segments_before\": [7]}", 1, 22, "column shmid")]
    [InlineData("{\"segments_before\": [[]]}", 1, 22, "/proc/sysvipc/shm")]
    [InlineData("{\"segments_before\": [\"1 2 9 4\"]}", 1, 22, "column perms")]
    [InlineData("{\"segments_before\": [\n\"1 2\"]}", 2, 1, "column perms")]
    [InlineData("{\"shm_calls\": {\"shmget\": \"x\"}}", 1, 26, "a number (shmget)")]
    [InlineData("{\"credentials\": {\"uid\": true}}", 1, 25, "a number (uid)")]
    [InlineData("{\"credentials\": {\"groups\": [[]]}}", 1, 29, "a number")]
    public void What_is_wrong_is_said_with_its_place(
        string text, int line, int column, string expected)
    {
        StraceFormatError error = Assert.Throws<StraceFormatException>(() => Parse(text)).Error;

        Assert.Equal(("meta", line, column), (error.File, error.Line, error.Column));
        Assert.Contains(expected, error.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused() => Assert.Throws<StraceFormatException>(
        () => Parse(new string('[', 100_000)));

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [.. "{\"id\": \""u8, 0xff, .. "\"}"u8]);
            Assert.Throws<StraceFormatException>(() => SidecarFile.Load(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void The_sidecar_stands_beside_the_log()
    {
        string log = RecordedLogs.PathOf("ltp/shmat01.strace");

        Assert.Equal(RecordedLogs.PathOf("ltp/shmat01.meta.json"), SidecarFile.PathFor(log));
        Assert.Null(SidecarFile.PathFor(RecordedLogs.PathOf("formats/killed.strace")));
        Assert.Null(StraceLog.Load(RecordedLogs.PathOf("formats/killed.strace")).Sidecar);
    }

    [Fact]
    public void Segments_from_before_are_read()
    {
        StraceLog log = RecordedLogs.Load("util-linux/nobody-vs-root.strace");

        SharedMemoryRow[] rows = [.. log.Sidecar?.SegmentsBefore ?? []];
        Assert.Equal([(-1253063564, 0, 0x180, 4096ul), (1919103630, 1, 0x1a4, 4096)],
            rows.Select(row => (row.Key, row.Id, row.Mode, row.Size)));
    }

    [Theory]
    [InlineData("strace -f -v -y -e trace=shmget,shmat -o log", "shmget,shmat", true, false)]
    [InlineData("strace -fvy -eshmget -olog ./a -c", "shmget", true, false)]
    [InlineData("strace -ff -tttT -o log -e t=%ipc -e trace=%memory prog", "%memory", true, true)]
    [InlineData("strace --trace=shmget --follow-forks --output-separately -o log", "shmget", true,
        true)]
    [InlineData("strace --trace shmget ls -f", "shmget", false, false)]
    [InlineData("LANG=C strace -f -e 'trace=!write, read' -a 1 -s 100 -- ls", "!write, read",
        true, false)]
    [InlineData("/usr/bin/strace -o \"a b\" -e signal=none -E X=-f ls", null, false, false)]
    [InlineData("", null, false, false)]
    public void A_command_line_is_understood(string text, string? trace, bool follows, bool apart)
    {
        var command = CommandLineReader.Read(text);

        Assert.Equal((trace, follows, apart),
            (command.Trace, command.Follows, command.IsSeparate));
        Assert.False(command.IsSummary || command.FiltersByStatus || command.Attaches);
    }

    [Fact]
    public void Options_that_change_what_a_log_means_are_known()
    {
        Assert.True(CommandLineReader.Read("strace -p 5 -c").IsSummary);
        Assert.True(CommandLineReader.Read("strace -fp 5").Attaches);
        Assert.True(CommandLineReader.Read("strace --attach=5").Attaches);
        Assert.True(CommandLineReader.Read("strace -P /dev/shm ls").FiltersByPath);
        Assert.True(CommandLineReader.Read("strace -e fault=shmat ls").Tampers);
        Assert.True(CommandLineReader.Read("strace --inject=shmat:retval=0 ls").Tampers);
        Assert.True(CommandLineReader.Read("strace -fz ls").FiltersByStatus);
        Assert.False(CommandLineReader.Read("strace -e status=all ls").FiltersByStatus);
    }

    [Theory]
    [InlineData("shmget,?mmap2,exit@64", "shmget mmap2 exit", "shmat munmap")]
    [InlineData("%ipc,%memory", "shmctl shmat munmap mlock2", "write fork setuid")]
    [InlineData("process,%creds", "fork clone3 prctl setresuid32", "mmap shmget")]
    [InlineData("!shmget,%memory", "shmctl fork write", "shmget mmap")]
    [InlineData("/^shm", "shmget shmat", "mmap")]
    [InlineData("/m.*map$,write", "mmap munmap write", "shmget")]
    [InlineData("all", "shmget anything", "")]
    [InlineData("none", "", "shmget")]
    [InlineData("!none", "shmget", "")]
    public void The_calls_that_are_traced_follow_from_the_expression(
        string expression, string traced, string not)
    {
        var sidecar = Parse($$"""{"strace": "strace -e trace={{expression}}"}""");
        StraceLog log = StraceLog.Read(
            new StringReader("7     +++ exited with 0 +++\n"), "test", sidecar);

        Assert.True(log.Traced.IsFromCommand);
        Assert.All(traced.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            name => Assert.Equal((name, Traced.Yes), (name, log.Traced.Of(name))));
        Assert.All(not.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            name => Assert.Equal((name, Traced.No), (name, log.Traced.Of(name))));
    }

    [Theory]
    [InlineData("%newclass,shmget", "shmget", "mmap")]
    [InlineData("/(,shmget", "shmget", "mmap")]
    public void What_an_unknown_expression_leaves_out_is_unknown(
        string expression, string traced, string unknown)
    {
        var sidecar = Parse($$"""{"strace": "strace -e trace={{expression}}"}""");
        StraceLog log = StraceLog.Read(
            new StringReader("7     +++ exited with 0 +++\n"), "test", sidecar);

        Assert.Equal(Traced.Yes, log.Traced.Of(traced));
        Assert.Equal(Traced.Unknown, log.Traced.Of(unknown));
    }

    [Fact]
    public void Without_a_command_line_only_what_is_seen_is_known_to_be_traced()
    {
        StraceLog log = RecordedLogs.Parse("7     shmdt(NULL) = 0");

        Assert.Equal(Traced.Yes, log.Traced.Of("shmdt"));
        Assert.Equal(Traced.Unknown, log.Traced.Of("munmap"));
        Assert.False(log.Traced.IsFromCommand);
    }

    [Fact]
    public void Calls_that_nobody_asks_for_show_that_all_are_traced()
    {
        StraceLog log = StraceLog.Load(
            [RecordedLogs.PathOf("format-variants/ltp-shmat01_all-syscalls.strace")], null);

        Assert.True(log.Traced.IsAll);
        Assert.Equal(Traced.Yes, log.Traced.Of("swapoff"));
        Assert.False(StraceLog.Load(
            [RecordedLogs.PathOf("format-variants/ltp-shmat01_f.strace")], null).Traced.IsAll);
    }
}
