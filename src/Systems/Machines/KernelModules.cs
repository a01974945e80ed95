using System.Diagnostics;
using System.Text;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>The modules of a kernel, in a folder of files <c>NAME.ko</c> or <c>NAME.ko.xz</c>.
/// </summary>
internal sealed class KernelModules
{
    private const string Plain = ".ko";
    private const string Compressed = ".ko.xz";
    private const string Unpacker = "xz";

    private readonly Dictionary<string, string> _files = [];

    /// <summary>The modules below a folder.</summary>
    public KernelModules(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(
            folder, "*.ko*", SearchOption.AllDirectories))
        {
            string name = Path.GetFileName(file);
            string? extension = new[] { Plain, Compressed }.FirstOrDefault(
                end => name.EndsWith(end, StringComparison.Ordinal));
            if (extension is not null)
            {
                _files[Spelling(name[..^extension.Length])] = file;
            }
        }
    }

    /// <summary>The modules of these names and all that they need, in an order in which they can
    /// be loaded. What is no file is part of the kernel itself, or not of this version.</summary>
    public IReadOnlyList<(string Name, byte[] Content)> WithNeeds(IEnumerable<string> names)
    {
        var ordered = new List<(string, byte[])>();
        var seen = new HashSet<string>();
        foreach (string name in names)
        {
            Add(Spelling(name), seen, ordered);
        }

        return ordered;
    }

    /// <summary>What a module needs to have been loaded before, from its section
    /// <c>.modinfo</c>.</summary>
    public static IReadOnlyList<string> NeedsOf(ReadOnlySpan<byte> module)
    {
        ReadOnlySpan<byte> key = "\0depends="u8;
        int at = module.IndexOf(key);
        if (at < 0)
        {
            return [];
        }

        ReadOnlySpan<byte> list = module[(at + key.Length)..];
        return Encoding.ASCII.GetString(list[..list.IndexOf((byte)0)])
            .Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    private void Add(string name, HashSet<string> seen, List<(string, byte[])> ordered)
    {
        if (!seen.Add(name) || !_files.TryGetValue(name, out string? file))
        {
            return;
        }

        byte[] content = Read(file);
        foreach (string need in NeedsOf(content))
        {
            Add(Spelling(need), seen, ordered);
        }

        ordered.Add((name + Plain, content));
    }

    /// <summary>Files are spelt with hyphens at times, modules never.</summary>
    private static string Spelling(string name) => name.Replace('-', '_');

    private static byte[] Read(string file)
    {
        if (!file.EndsWith(Compressed, StringComparison.Ordinal))
        {
            return File.ReadAllBytes(file);
        }

        if (!SearchPath.Has(Unpacker))
        {
            throw new SystemUnavailableException(
                $"there is no '{Unpacker}' on the path: apt-get install xz-utils");
        }

        using Process xz = Process.Start(
            new ProcessStartInfo(Unpacker, ["-dc", file]) { RedirectStandardOutput = true })!;
        using var content = new MemoryStream();
        xz.StandardOutput.BaseStream.CopyTo(content);
        xz.WaitForExit();
        return xz.ExitCode == 0 ? content.ToArray()
            : throw new IOException($"xz cannot unpack {file}");
    }
}
