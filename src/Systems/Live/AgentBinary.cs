using System.Diagnostics;
using System.Security.Cryptography;

namespace ShmCheck.Systems.Live;

/// <summary>The agent as a program of this machine: compiled when it is first needed, and kept
/// under the hash of its source.</summary>
internal static class AgentBinary
{
    private const string Resource = "ShmCheck.Systems.Agent.agent.c";

    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite
        | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Options of every build: what the kernel does is the matter, not the library of
    /// the machine.</summary>
    private static readonly string[] Options =
        ["-O2", "-static", "-no-pie", "-fno-pie", "-Wall", "-Wextra", "-Werror"];

    /// <summary>Where agents are kept: <c>shmcheck</c> in the user's cache directory.</summary>
    public static string DefaultCache => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : Path.Combine(
                Environment.GetFolderPath(
                    Environment.SpecialFolder.UserProfile,
                    Environment.SpecialFolderOption.DoNotVerify),
                ".cache"),
        "shmcheck");

    /// <summary>The source.</summary>
    public static byte[] Source
    {
        get
        {
            using Stream stream = typeof(AgentBinary).Assembly.GetManifestResourceStream(Resource)
                ?? throw new InvalidOperationException($"{Resource} is not embedded");
            byte[] source = new byte[stream.Length];
            stream.ReadExactly(source);
            return source;
        }
    }

    /// <summary>Path of the compiled agent; compiles it unless that has been done.</summary>
    /// <param name="cache">Where to keep it.</param>
    /// <param name="compiler">Command of the C compiler.</param>
    /// <exception cref="SystemUnavailableException">There is no C compiler, or it refuses.
    /// </exception>
    public static string Get(string cache, string compiler = "cc")
    {
        byte[] source = Source;
        string hash = Convert.ToHexStringLower(SHA256.HashData(
            [.. source, .. System.Text.Encoding.UTF8.GetBytes(string.Join(' ', Options))]))[..16];
        string path = Path.Combine(cache, $"agent-{hash}");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(cache);
            string building = Path.Combine(cache, $"agent-{hash}.{Environment.ProcessId}");
            Compile(source, building, compiler);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(building, Executable);
            }

            File.Move(building, path, overwrite: true);
        }

        return path;
    }

    private static void Compile(byte[] source, string output, string compiler)
    {
        var start = new ProcessStartInfo(compiler, [.. Options, "-x", "c", "-o", output, "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Start(start, compiler);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output1 = process.StandardOutput.ReadToEndAsync();
        try
        {
            process.StandardInput.BaseStream.Write(source);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The compiler has given up before it read all; what it says is below.
        }

        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new SystemUnavailableException(
                $"{compiler} does not compile the agent (a static C library is needed: apt-get "
                + $"install gcc libc6-dev): {errors.Result}{output1.Result}".TrimEnd());
        }
    }

    private static Process Start(ProcessStartInfo start, string compiler)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new SystemUnavailableException(
                $"the agent is compiled on the machine, and there is no C compiler '{compiler}' "
                + "on the path: apt-get install gcc libc6-dev");
        }
    }
}
