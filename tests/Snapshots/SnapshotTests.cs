using ShmCheck.Snapshots.Support;

namespace ShmCheck.Snapshots;

/// <summary>How texts become snapshots here.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public async Task A_text_is_compared_with_the_file_beside_the_source() =>
        await Snapshot.Text("shmat /tmp/x\n/root and {TempPath} stay as they are\n");

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\nb\n")]
    [InlineData("a\r\nb\r\n\r\n")]
    [InlineData("\uFEFFa\rb")]
    public async Task A_snapshot_has_LF_inside_and_none_at_its_end(string text)
    {
        using TemporarySource here = new();
        await Snapshot.Text(text, "txt", here.Source).UseFileName("A").AutoVerify();
        Assert.Equal(TemporarySource.Written("a\nb"), here.Bytes("A.verified.txt"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    public void A_snapshot_of_nothing_is_refused(string text) =>
        Assert.Throws<ArgumentException>(() => { _ = Snapshot.Text(text); });
}
