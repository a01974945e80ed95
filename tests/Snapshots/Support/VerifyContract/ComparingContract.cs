namespace ShmCheck.Snapshots.Support.VerifyContract;

/// <summary>When a text is its snapshot, and what is said when it is not: what this repository
/// expects of Verify.Xunit.</summary>
public sealed class ComparingContract
{
    [Theory]
    [InlineData("a\nb", "a\nb")]
    [InlineData("a\nb\n", "a\nb\n")]
    [InlineData("a\r\nb\rc", "a\nb\nc")]
    [InlineData("a\nb\nc", "a\r\nb\rc")]
    [InlineData("a\nb", "a\nb\n")]
    [InlineData("a\nb", "a\nb\r\n")]
    [InlineData("a\nb", "\uFEFFa\nb")]
    [InlineData("\uFEFFa\nb", "a\nb")]
    [InlineData("", "emptyString")]
    [InlineData(null, "null")]
    public async Task A_text_is_its_snapshot(string? received, string verified)
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", verified);
        byte[] before = here.Bytes("A.verified.txt");
        VerifyResult result = await here.Verify(received).UseFileName("A");
        Assert.Equal(["A.verified.txt"], here.Files);
        Assert.Equal(before, here.Bytes("A.verified.txt"));
        Assert.Equal([Path.Combine(here.Directory, "A.verified.txt")], result.Files);
        Assert.Equal(verified.TrimStart('\uFEFF'), result.Text);
    }

    [Theory]
    [InlineData("a\nb", "a\nb\n\n")]
    [InlineData("a\nb\n", "a\nb")]
    [InlineData("a\nb", "a\nB")]
    [InlineData("a\nb", "a\nb ")]
    [InlineData("a\nb", "\na\nb")]
    public async Task A_text_is_not_its_snapshot(string received, string verified)
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", verified);
        byte[] before = here.Bytes("A.verified.txt");
        await TemporarySource.FailAsync(here.Verify(received).UseFileName("A"));
        Assert.Equal(["A.received.txt", "A.verified.txt"], here.Files);
        Assert.Equal(before, here.Bytes("A.verified.txt"));
        Assert.Equal(TemporarySource.Written(received), here.Bytes("A.received.txt"));
    }

    [Fact]
    public async Task A_difference_is_told_with_both_texts_in_full()
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", "one\r\ntwo");
        Assert.Equal(
            $"""
            Directory: {here.Directory}
            NotEqual:
              - Received: A.received.txt
                Verified: A.verified.txt

            FileContent:

            NotEqual:

            Received: A.received.txt
            one
            three
            Verified: A.verified.txt
            one
            two


            """,
            await TemporarySource.FailAsync(here.Verify("one\r\nthree").UseFileName("A")));
    }

    [Fact]
    public async Task A_text_without_a_snapshot_is_told_as_new_and_none_is_made()
    {
        using TemporarySource here = new();
        Assert.Equal(
            $"""
            Directory: {here.Directory}
            New:
              - Received: A.received.txt
                Verified: A.verified.txt

            FileContent:

            New:

            Received: A.received.txt
            one
            two


            """,
            await TemporarySource.FailAsync(here.Verify("one\ntwo").UseFileName("A")));
        Assert.Equal(["A.received.txt"], here.Files);
    }

    [Fact]
    public async Task A_snapshot_of_no_bytes_is_none()
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", "");
        string message = await TemporarySource.FailAsync(here.Verify("x").UseFileName("A"));
        Assert.Contains("\nNew:\n", message, StringComparison.Ordinal);
        Assert.Equal(["A.received.txt"], here.Files);
    }

    [Fact]
    public async Task What_an_earlier_run_received_is_removed()
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", "x");
        here.Write("A.received.txt", "old");
        here.Write("A.received.json", "old");
        here.Write("A#00.received.txt", "old");
        here.Write("AB.received.txt", "somebody else's");
        await here.Verify("x").UseFileName("A");
        Assert.Equal(["A.verified.txt", "AB.received.txt"], here.Files);
    }

    [Fact]
    public async Task A_snapshot_that_no_text_belongs_to_is_a_failure()
    {
        using TemporarySource here = new();
        here.Write("A.verified.txt", "x");
        here.Write("A#00.verified.txt", "stale");
        here.Write("AB.verified.txt", "somebody else's");
        Assert.Equal(
            $"""
            Directory: {here.Directory}
            Delete:
              - A#00.verified.txt
            Equal:
              - Received: A.received.txt
                Verified: A.verified.txt

            """,
            await TemporarySource.FailAsync(here.Verify("x").UseFileName("A")));
        Assert.Equal(["A#00.verified.txt", "A.verified.txt", "AB.verified.txt"], here.Files);
    }

    [Fact]
    public async Task A_snapshot_of_another_extension_belongs_to_no_text()
    {
        using TemporarySource here = new();
        here.Write("A.verified.json", "x");
        string message = await TemporarySource.FailAsync(here.Verify("x").UseFileName("A"));
        Assert.Contains("\nNew:\n", message, StringComparison.Ordinal);
        Assert.Contains("\nDelete:\n  - A.verified.json\n", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_happens_before_a_comparison_is_awaited()
    {
        using TemporarySource here = new();
        SettingsTask comparison = here.Verify("x").UseFileName("A");
        Assert.Empty(here.Files);
        Task<VerifyResult> task = comparison;
        await Assert.ThrowsAnyAsync<Exception>(() => task);
        Assert.Equal(["A.received.txt"], here.Files);
        Assert.Same(task, comparison.ToTask());
        Assert.ThrowsAny<Exception>(() => { _ = comparison.UseFileName("B"); });
    }

    [Fact]
    public async Task A_comparison_may_be_awaited_elsewhere()
    {
        using TemporarySource here = new();
        await Task.Run(async () =>
        {
            await Task.Yield();
            await here.Verify("x").AutoVerify();
        });
        Assert.Equal(
            ["ComparingContract.A_comparison_may_be_awaited_elsewhere.verified.txt"], here.Files);
    }
}
