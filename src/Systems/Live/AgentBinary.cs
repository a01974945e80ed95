using System.Diagnostics;
using System.Security.Cryptography;

namespace ShmCheck.Systems.Live;

/// <summary>The agent as a program of this machine: compiled when it is first needed, and kept
/// under the hash of its source.</summary>
internal static class AgentBinary
{
    private const string Prefix = "ShmCheck.Systems.Agent.";

    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Options of every build: what the kernel does is the matter, not the library of
    /// the machine. The fewer mappings a worker has, the less there is to read of smaps.</summary>
    private static readonly string[] Options =
    [
        "-std=gnu11", "-O2", "-no-pie", "-fno-pie", "-Wl,-z,noseparate-code", "-Wl,-z,norelro",
        "-Wall", "-Wextra", "-Werror",
    ];

    /// <summary>Where agents are kept: <c>shmcheck</c> in the user's cache directory.</summary>
    public static string DefaultCache => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : Path.Combine(
                Environment.GetFolderPath(
                    Environment.SpecialFolder.UserProfile,
                    Environment.SpecialFolderOption.DoNotVerify),
                ".cache"),
        "shmcheck");

    /// <summary>The sources: names of files, and what is in them.</summary>
    public static IReadOnlyList<(string Name, byte[] Text)> Sources { get; } =
    [
        .. typeof(AgentBinary).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => (name[Prefix.Length..], Read(name))),
    ];

    /// <summary>Path of the compiled agent; compiles it unless that has been done.</summary>
    /// <param name="cache">Where to keep it.</param>
    /// <param name="build">How it is compiled.</param>
    /// <exception cref="SystemUnavailableException">There is no C compiler, or it refuses.
    /// </exception>
    public static string Get(string cache, AgentBuild build)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(
        [
            .. Sources.SelectMany(source => source.Text),
            .. System.Text.Encoding.UTF8.GetBytes(string.Join(' ', [build, .. Options])),
        ]))[..16];
        string path = Path.Combine(cache, $"agent-{hash}");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(cache);
            string building = Path.Combine(cache, $"agent-{hash}.{Environment.ProcessId}");
            Compile(building, build);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(building, Executable);
            }

            File.Move(building, path, overwrite: true);
        }

        return path;
    }

    private static byte[] Read(string resource)
    {
        using Stream stream = typeof(AgentBinary).Assembly.GetManifestResourceStream(resource)!;
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }

    private static void Compile(string output, AgentBuild build)
    {
        string folder = output + ".source";
        Directory.CreateDirectory(folder);
        try
        {
            foreach ((string name, byte[] text) in Sources)
            {
                File.WriteAllBytes(Path.Combine(folder, name), text);
            }

            Compile(output, build, Directory.GetFiles(folder, "*.c"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compile(string output, AgentBuild build, string[] files)
    {
        string[] kind = build.IsStatic ? ["-static"] : [];
        var start = new ProcessStartInfo(
            build.Compiler, [.. Options, .. kind, "-o", output, .. files])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Start(start, build);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new SystemUnavailableException(
                $"{build.Compiler} does not compile the agent (a static C library is needed: "
                + $"apt-get install {build.Package}): {errors.Result}{said}".TrimEnd());
        }
    }

    private static Process Start(ProcessStartInfo start, AgentBuild build)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new SystemUnavailableException(
                "the agent is compiled on the machine, and there is no C compiler "
                + $"'{build.Compiler}' on the path: apt-get install {build.Package}");
        }
    }
}
