namespace ShmCheck.Snapshots.Support.VerifyContract;

/// <summary>What becomes of a text that is accepted: what this repository expects of Verify.Xunit.
/// </summary>
public sealed class AcceptingContract
{
    [Fact]
    public async Task An_accepted_text_is_written_with_a_byte_order_mark_and_LF()
    {
        using TemporarySource here = new();
        await here.Verify("one\r\ntwö").UseFileName("A").AutoVerify();
        Assert.Equal(["A.verified.txt"], here.Files);
        Assert.Equal(TemporarySource.Written("one\ntwö"), here.Bytes("A.verified.txt"));
    }

    [Fact]
    public async Task An_accepted_text_takes_the_place_of_the_one_before()
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", "old");
        here.Write("A#00.verified.txt", "stale");
        await here.Verify("new").UseFileName("A").AutoVerify();
        Assert.Equal(["A.verified.txt"], here.Files);
        Assert.Equal(TemporarySource.Written("new"), here.Bytes("A.verified.txt"));
    }

    [Fact]
    public async Task A_snapshot_that_is_right_is_not_written_again()
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", "x\n");
        await here.Verify("x").UseFileName("A").AutoVerify();
        Assert.Equal("x\n"u8.ToArray(), here.Bytes("A.verified.txt"));
    }

    [Fact]
    public async Task A_text_may_be_accepted_and_fail_all_the_same()
    {
        using TemporarySource here = new();
        string message = await TemporarySource.FailAsync(
            here.Verify("x").UseFileName("A").AutoVerify(throwException: true));
        Assert.Contains("\nNew:\n", message, StringComparison.Ordinal);
        Assert.Equal(["A.verified.txt"], here.Files);
    }

    [Fact]
    public async Task Settings_that_accept_may_be_made_beforehand()
    {
        using TemporarySource here = new();
        VerifySettings settings = new();
        settings.UseFileName("A");
        settings.AutoVerify();
        await here.Verify("x", settings);
        Assert.Equal(["A.verified.txt"], here.Files);
    }

    [Fact]
    public async Task Settings_are_copied_when_they_are_used()
    {
        using TemporarySource here = new();
        VerifySettings settings = new();
        settings.UseMethodName("A");
        SettingsTask comparison = here.Verify("x", settings).AutoVerify();
        settings.UseMethodName("B");
        await comparison;
        Assert.Equal(["AcceptingContract.A.verified.txt"], here.Files);
    }
}
