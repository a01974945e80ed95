using System.Security.Cryptography;

namespace ShmCheck.Systems.Machines;

/// <summary>The first file system of a guest: the agent as its first process, and the modules
/// that it loads.</summary>
/// <param name="Path">The archive.</param>
/// <param name="Modules">Names of the modules, in the order in which to load them.</param>
internal sealed record Initramfs(string Path, IReadOnlyList<string> Modules)
{
    private static readonly string[] Folders = ["dev", "proc", "sys", "modules"];

    /// <summary>Writes one, unless it is there.</summary>
    /// <param name="cache">Where to keep it.</param>
    /// <param name="agent">Path of the agent, linked statically.</param>
    /// <param name="modules">The modules, in order.</param>
    public static Initramfs Get(
        string cache, string agent, IReadOnlyList<(string Name, byte[] Content)> modules)
    {
        byte[] archive = Write(File.ReadAllBytes(agent), modules);
        string hash = Convert.ToHexStringLower(SHA256.HashData(archive))[..16];
        string path = System.IO.Path.Combine(cache, $"initramfs-{hash}.cpio");
        if (!File.Exists(path))
        {
            string writing = $"{path}.{Environment.ProcessId}";
            File.WriteAllBytes(writing, archive);
            File.Move(writing, path, overwrite: true);
        }

        return new Initramfs(path, [.. modules.Select(module => module.Name)]);
    }

    private static byte[] Write(
        byte[] agent, IReadOnlyList<(string Name, byte[] Content)> modules)
    {
        const uint consoleMajor = 5;
        const uint consoleMinor = 1;
        var archive = new CpioArchive();
        foreach (string folder in Folders)
        {
            archive.AddFolder(folder);
        }

        archive.AddDevice("dev/console", consoleMajor, consoleMinor);
        archive.AddFile("init", agent);
        foreach ((string name, byte[] content) in modules)
        {
            archive.AddFile($"modules/{name}", content);
        }

        return archive.ToArray();
    }
}
