using System.Security.Cryptography;

namespace ShmCheck.Systems.Machines;

/// <summary>The first file system of a guest: the agent as its first process, the modules that it
/// loads, and a program if it is to run one.</summary>
internal static class Initramfs
{
    private static readonly string[] Folders = ["dev", "proc", "sys", "modules"];

    /// <summary>Writes one, unless it is there.</summary>
    /// <param name="folder">Where to keep it.</param>
    /// <param name="agent">Path of the agent, linked statically.</param>
    /// <param name="modules">The modules.</param>
    /// <param name="program">Path of the program, linked statically too.</param>
    /// <returns>Path of the archive.</returns>
    public static string Get(
        string folder, string agent, IReadOnlyList<(string Name, byte[] Content)> modules,
        string? program)
    {
        byte[] archive = Write(agent, modules, program);
        string hash = Convert.ToHexStringLower(SHA256.HashData(archive))[..16];
        string path = Path.Combine(folder, $"initramfs-{hash}.cpio");
        if (!File.Exists(path))
        {
            string writing = $"{path}.{Environment.ProcessId}";
            File.WriteAllBytes(writing, archive);
            File.Move(writing, path, overwrite: true);
        }

        return path;
    }

    private static byte[] Write(
        string agent, IReadOnlyList<(string Name, byte[] Content)> modules, string? program)
    {
        const uint consoleMajor = 5;
        const uint consoleMinor = 1;
        var archive = new CpioArchive();
        foreach (string folder in Folders)
        {
            archive.AddFolder(folder);
        }

        archive.AddDevice("dev/console", consoleMajor, consoleMinor);
        archive.AddFile("init", File.ReadAllBytes(agent));
        if (program is not null)
        {
            archive.AddFile("program", File.ReadAllBytes(program));
        }

        foreach ((string name, byte[] content) in modules)
        {
            archive.AddFile($"modules/{name}", content);
        }

        return archive.ToArray();
    }
}
