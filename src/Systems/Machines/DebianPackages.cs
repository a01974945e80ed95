using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>What Debian's package manager can get. Only used when somebody asks for it.</summary>
internal static partial class DebianPackages
{
    /// <summary>Installs packages; what that says goes to standard error.</summary>
    /// <exception cref="SystemUnavailableException">It fails.</exception>
    public static void Install(string packages) => Run(
        Environment.CurrentDirectory,
        ["apt-get", "install", "-qqy", "--no-install-recommends", .. packages.Split(' ')]);

    /// <summary>Name of the newest package whose name a regular expression matches.</summary>
    /// <exception cref="SystemUnavailableException">There is none.</exception>
    public static string Newest(string pattern) =>
        NewestOf(Run(
            Environment.CurrentDirectory, ["apt-cache", "search", "--names-only", pattern]))
        ?? throw new SystemUnavailableException(
            $"no package matches {pattern}: apt-get update (Debian 12 has these kernels)");

    /// <summary>The name with the highest numbers in it; null for none.</summary>
    /// <param name="found">Lines that begin with a name, as <c>apt-cache search</c> prints them.
    /// </param>
    public static string? NewestOf(string found) => found.Split('\n')
        .Select(line => line.Split(' ')[0])
        .Where(name => name.Length > 0)
        .Order(Comparer<string>.Create(CompareNumbers))
        .LastOrDefault();

    /// <summary>Downloads a package and unpacks it, without installing it.</summary>
    /// <param name="package">Its name.</param>
    /// <param name="folder">Where to; what is there is replaced.</param>
    /// <exception cref="SystemUnavailableException">It cannot be had.</exception>
    public static void Unpack(string package, string folder)
    {
        string unpacking = $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(unpacking);
        try
        {
            Run(unpacking, ["apt-get", "-qq", "download", package]);
            string file = Directory.EnumerateFiles(unpacking, "*.deb").Single();
            Run(unpacking, ["dpkg", "-x", file, unpacking]);
            File.Delete(file);
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            Directory.Move(unpacking, folder);
        }
        finally
        {
            if (Directory.Exists(unpacking))
            {
                Directory.Delete(unpacking, recursive: true);
            }
        }
    }

    private static int CompareNumbers(string one, string other) => Numbers().Matches(one)
        .Zip(Numbers().Matches(other), (a, b) => Number(a).CompareTo(Number(b)))
        .FirstOrDefault(order => order != 0);

    private static long Number(Match match) =>
        long.Parse(match.Value, CultureInfo.InvariantCulture);

    private static string Run(string folder, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            string said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? said : throw new SystemUnavailableException(
                $"'{string.Join(' ', command)}' ended with exit code {process.ExitCode}");
        }
        catch (Win32Exception problem)
        {
            throw new SystemUnavailableException(
                $"'{command[0]}' cannot be started, it is part of Debian: {problem.Message}");
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();
}
