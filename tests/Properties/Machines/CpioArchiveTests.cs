using System.Text;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Properties.Machines;

/// <summary>The archive that a kernel unpacks into its first file system.</summary>
public sealed class CpioArchiveTests
{
    [Fact]
    public void An_archive_is_what_the_format_says_byte_for_byte()
    {
        var archive = new CpioArchive();
        archive.AddFolder("dev");
        archive.AddDevice("dev/console", 5, 1);
        archive.AddFile("init", "hello"u8);

        const string zero = "00000000";
        string expected =
            "070701" + zero + "000041ED" + zero + zero + "00000001" + zero + zero
                + zero + zero + zero + zero + "00000004" + zero + "dev\0" + "\0\0"
            + "070701" + "00000001" + "00002180" + zero + zero + "00000001" + zero + zero
                + zero + zero + "00000005" + "00000001" + "0000000C" + zero + "dev/console\0\0\0"
            + "070701" + "00000002" + "000081ED" + zero + zero + "00000001" + zero + "00000005"
                + zero + zero + zero + zero + "00000005" + zero + "init\0\0" + "hello\0\0\0"
            + "070701" + "00000003" + zero + zero + zero + "00000001" + zero + zero
                + zero + zero + zero + zero + "0000000B" + zero + "TRAILER!!!\0\0\0\0";
        Assert.Equal(expected, Encoding.ASCII.GetString(archive.ToArray()));
    }
}
