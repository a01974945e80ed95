using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>What is no log that can be followed, and what is said about it.</summary>
public class RefusalTests
{
    private static StraceFormatError Refused(string text)
    {
        return Assert.Throws<StraceFormatException>(
            () => StraceLog.Read(new StringReader(text), "test")).Error;
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("\n \n", 1)]
    [InlineData("hello\nworld\n", 1)]
    [InlineData("\n\nint main(void) { write(1, text, 3); }\n", 3)]
    [InlineData("{\"id\": 3}\n", 1)]
    public void Text_that_is_no_log_is_refused(string text, int line)
    {
        StraceFormatError error = Refused(text);

        Assert.Equal(("test", line, 1), (error.File, error.Line, error.Column));
        Assert.StartsWith("an strace log", error.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void Binary_data_is_refused() => Assert.Contains(
        "binary", Refused("\u007fELF\0\0\u0001").Expected, StringComparison.Ordinal);

    [Fact]
    public void A_summary_is_refused()
    {
        StraceFormatException refused = Assert.Throws<StraceFormatException>(
            () => StraceLog.Load(RecordedLogs.PathOf("formats/book-c.strace")));

        Assert.Contains("-c", refused.Error.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_that_hides_failed_ends_of_interrupted_calls_is_refused()
    {
        StraceFormatError error = Refused("""
            7     shmdt(0x7f0000000000)             = 0
            7     shmdt(0x7f0000000000 <unfinished ...>
            8     shmdt(0x7f0000000000)             = 0
            7     shmat(0, NULL, 0)                 = 0x7f0000000000

            """);

        Assert.Equal((2, 7), (error.Line, error.Column));
        Assert.Contains("-z", error.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_of_all_calls_without_failures_and_exits_is_refused()
    {
        StraceFormatError error = Refused("""
            7     brk(NULL)                         = 0x7f0000000000
            7     arch_prctl(ARCH_SET_FS, 0x7f0000000000) = 0
            7     set_tid_address(0x7f0000000000)   = 7
            7     +++ exited with 0 +++

            """);

        Assert.Equal((4, 7), (error.Line, error.Column));
        Assert.Contains("-z", error.Expected, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("strace -z -o log")]
    [InlineData("strace -fZ -o log")]
    [InlineData("strace --successful-only")]
    [InlineData("strace -e status=successful,unfinished")]
    [InlineData("strace --status=failed")]
    public void A_log_that_its_command_line_filters_is_refused(string command)
    {
        var sidecar = SidecarFile.Parse($$"""{"strace": "{{command}}"}""", "meta");

        Assert.Throws<StraceFormatException>(() => StraceLog.Read(
            new StringReader("7     shmdt(NULL) = 0\n"), "test", sidecar));
    }

    [Fact]
    public void A_log_that_only_tells_of_an_exit_is_one() => Assert.Single(
        RecordedLogs.Parse("+++ exited with 0 +++").Events);

    [Fact]
    public void The_message_names_file_line_and_column()
    {
        var error = new StraceFormatError("a.strace", 3, 7, "a call");

        Assert.Equal("a.strace:3:7: expected a call", error.ToString());
        Assert.Equal(error.ToString(), new StraceFormatException(error).Message);
    }

    [Fact]
    public void A_file_that_does_not_exist_is_not_a_matter_of_format() =>
        Assert.Throws<FileNotFoundException>(() => StraceLog.Load("/nonexistent.strace"));
}
