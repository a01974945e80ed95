using System.Globalization;
using System.Text;

namespace ShmCheck.Systems.Machines;

/// <summary>Writes an archive that a kernel unpacks into its first file system: cpio in the
/// format <c>newc</c> (Documentation/driver-api/early-userspace/buffer-format.rst).</summary>
internal sealed class CpioArchive
{
    private const string Trailer = "TRAILER!!!";
    private const int HeaderLength = 110;

    private readonly List<byte> _bytes = [];
    private uint _inode;

    /// <summary>Types of files, with the rights that they get here (S_IFMT of stat(2)).
    /// </summary>
    private enum Mode : uint
    {
        None = 0,
        Device = 0x2180,    // rw-------
        Folder = 0x41ED,    // rwxr-xr-x
        File = 0x81ED,
    }

    /// <summary>Adds a directory.</summary>
    public void AddFolder(string path) => Add(path, Mode.Folder, [], 0, 0);

    /// <summary>Adds a file that everybody may read and execute.</summary>
    public void AddFile(string path, ReadOnlySpan<byte> content) =>
        Add(path, Mode.File, content, 0, 0);

    /// <summary>Adds a character device.</summary>
    public void AddDevice(string path, uint major, uint minor) =>
        Add(path, Mode.Device, [], major, minor);

    /// <summary>The whole archive; nothing can be added behind its end.</summary>
    public byte[] ToArray()
    {
        Add(Trailer, default, [], 0, 0);
        return [.. _bytes];
    }

    private void Add(
        string path, Mode mode, ReadOnlySpan<byte> content, uint major, uint minor)
    {
        byte[] name = [.. Encoding.UTF8.GetBytes(path), 0];
        uint[] fields =
        [
            _inode++, (uint)mode, 0, 0, 1, 0, (uint)content.Length, 0, 0, major, minor,
            (uint)name.Length, 0,
        ];
        var header = new StringBuilder("070701", HeaderLength);
        foreach (uint field in fields)
        {
            header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        }

        _bytes.AddRange(Encoding.ASCII.GetBytes(header.ToString()));
        _bytes.AddRange(name);
        Align();
        _bytes.AddRange(content);
        Align();
    }

    private void Align()
    {
        while (_bytes.Count % 4 != 0)
        {
            _bytes.Add(0);
        }
    }
}
