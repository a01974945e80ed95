using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>What stands behind the <c>=</c>.</summary>
public class ResultTests
{
    private static StraceCall Read(string result) =>
        RecordedLogs.Parse($"7     msgget(0x1, 0)                    = {result}").Calls[0];

    [Theory]
    [InlineData("0", 0)]
    [InlineData("8100", 8100)]
    [InlineData("-3", -3)]
    [InlineData("022", 18)]
    [InlineData("0x7f0f1eb95000", 0x7f0f1eb95000)]
    [InlineData("0xfffffffffffff000", -4096)]
    [InlineData("18446744073709551615", -1)]
    [InlineData("5 (Timeout)", 5)]
    [InlineData("1 ([{fd=3, revents=POLLIN}])", 1)]
    [InlineData("1 (in [3], left {tv_sec=1, tv_usec=2})", 1)]
    [InlineData("0x8002 (flags O_RDWR|O_LARGEFILE)", 0x8002)]
    [InlineData("0 (PER_LINUX)", 0)]
    [InlineData("0 (0 /* PER_LINUX */)", 0)]
    [InlineData("8100 /* 12 in strace's PID NS */", 8100)]
    [InlineData("3</srv/a) = 0>", 3)]
    [InlineData("3</memfd:na\\\"me\\74x\\76) = 0>(deleted)", 3)]
    [InlineData("4<TCP:[127.0.0.1:1234->127.0.0.1:80]>", 4)]
    [InlineData("3</dev/pts/0<char 136:0>>", 3)]
    [InlineData("8667<na)me>", 8667)]
    [InlineData("3</srv/x> <0.000012>", 3)]
    public void A_value_is_read_with_whatever_follows_it(string text, long value)
    {
        StraceResult result = Read(text).Result;

        Assert.Equal((ResultKind.Value, value), (result.Kind, result.Value));
        Assert.True(result.Succeeded);
        Assert.Null(result.Errno);
    }

    [Fact]
    public void What_follows_a_value_is_kept()
    {
        Assert.Equal("/memfd:x(deleted)", Read("3</memfd:x>(deleted)").Result.Decoration);
        Assert.Equal("in [3]", Read("1 (in [3])").Result.Note);
        Assert.Equal("/dev/pts/0<char 136:0>", Read("3</dev/pts/0<char 136:0>>").Result.Decoration);
    }

    [Theory]
    [InlineData("-1 EINVAL (Invalid argument)", Errno.EINVAL)]
    [InlineData("-1 EINVAL", Errno.EINVAL)]
    [InlineData("-1 ENOSPC (Auf dem Gerät ist kein Speicherplatz mehr verfügbar)", Errno.ENOSPC)]
    [InlineData("-1 E2BIG (Argument list too long) <0.000002>", Errno.E2BIG)]
    [InlineData("-1 ENOMEM (Cannot allocate memory) (INJECTED)", Errno.ENOMEM)]
    public void An_error_is_read_by_its_name(string text, Errno errno)
    {
        StraceResult result = Read(text).Result;

        Assert.Equal((ResultKind.Error, -1L, errno), (result.Kind, result.Value, result.Errno));
        Assert.False(result.Succeeded);
        Assert.Null(result.Note);
    }

    [Fact]
    public void An_error_that_the_model_does_not_know_keeps_its_name_or_number()
    {
        Assert.Equal(("ENOTSUPP", (Errno?)null),
            (Read("-1 ENOTSUPP (Unknown error 524)").Result.ErrorName,
                Read("-1 ENOTSUPP (Unknown error 524)").Result.Errno));
        Assert.Equal(333, Read("-1 (errno 333)").Result.ErrorNumber);
        Assert.Equal(ResultKind.Error, Read("-1 (errno 333)").Result.Kind);
    }

    [Theory]
    [InlineData("?", ResultKind.NoReturn, null)]
    [InlineData("? ERESTARTSYS (To be restarted if SA_RESTART is set)", ResultKind.Restarted,
        "ERESTARTSYS")]
    [InlineData("? ERESTARTNOINTR (To be restarted)", ResultKind.Restarted, "ERESTARTNOINTR")]
    [InlineData("? ERESTARTNOHAND (To be restarted if no handler)", ResultKind.Restarted,
        "ERESTARTNOHAND")]
    [InlineData("? ERESTART_RESTARTBLOCK (Interrupted by signal)", ResultKind.Restarted,
        "ERESTART_RESTARTBLOCK")]
    [InlineData("? <unavailable>", ResultKind.Unavailable, null)]
    public void A_call_may_have_no_result(string text, ResultKind kind, string? name)
    {
        StraceResult result = Read(text).Result;

        Assert.Equal((kind, name), (result.Kind, result.ErrorName));
        Assert.False(result.Succeeded);
    }

    [Theory]
    [InlineData("0 (INJECTED)", Tampering.ResultInjected)]
    [InlineData("-1 ENOSYS (Function not implemented) (INJECTED) (DELAYED)",
        Tampering.ResultInjected | Tampering.Delayed)]
    [InlineData("-1 (errno 333) (INJECTED)", Tampering.ResultInjected)]
    [InlineData("0 (INJECTED: args)", Tampering.ArgumentsInjected)]
    [InlineData("0 (INJECTED: args, retval)",
        Tampering.ResultInjected | Tampering.ArgumentsInjected)]
    [InlineData("0 (DELAYED) <0.2>", Tampering.Delayed)]
    [InlineData("0", Tampering.None)]
    public void What_strace_did_to_the_call_is_known(string text, Tampering tampering) =>
        Assert.Equal(tampering, Read(text).Result.Tampering);

    [Theory]
    [InlineData("0 <0.000037>", 37_000)]
    [InlineData("0 <1.500000001>", 1_500_000_001)]
    [InlineData("0 <0.001>", 1_000_000)]
    [InlineData("0 <0>", 0)]
    [InlineData("-1 EINVAL (Invalid argument) <2>", 2_000_000_000)]
    public void A_duration_is_read_in_each_precision(string text, long nanoseconds) =>
        Assert.Equal(nanoseconds, Read(text).Duration);

    [Fact]
    public void The_last_parenthesis_before_a_result_ends_the_arguments()
    {
        StraceLog log = RecordedLogs.Parse(
            "7     write(1, \") = 3\", 5) = 5",
            "7     write(1, \"+++ shm +++ <unfinished ...>\"..., 99) = 99",
            "7     write(3</srv/x) = 1>, \") = 7 (\", 7 <unfinished ...>",
            "7     <... write resumed>)              = 7",
            "7     openat(AT_FDCWD, \"a\", O_RDONLY)=1) = 9</srv/) = 2>");

        Assert.Equal([5L, 99, 7, 9], log.Calls.Select(call => call.Result.Value));
        Assert.Equal("3</srv/x) = 1>, \") = 7 (\", 7", log.Calls[2].ArgumentText);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("-")]
    [InlineData("1 trailing")]
    [InlineData("99999999999999999999999")]
    [InlineData("0 <0.0x>")]
    [InlineData("0 (open")]
    [InlineData("3<open")]
    public void What_is_no_result_does_not_end_a_call(string text)
    {
        StraceLog log = RecordedLogs.Parse(
            $"7     msgget(0x1, 0)                    = {text}", "7     +++ exited with 0 +++");

        Assert.Equal(CallCompletion.Open, log.Calls[0].Completion);
        Assert.Equal(ResultKind.None, log.Calls[0].Result.Kind);
    }
}
