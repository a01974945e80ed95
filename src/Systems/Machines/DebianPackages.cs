using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>Packages of Debian for one architecture. Only used when somebody asks for it.
/// </summary>
internal sealed partial class DebianPackages
{
    private readonly ImmutableArray<string> _options;

    private DebianPackages(ImmutableArray<string> options) => _options = options;

    /// <summary>Those of this machine's architecture.</summary>
    public static DebianPackages Native { get; } = new([]);

    /// <summary>Those of another architecture, of which the package manager of this machine does
    /// not get to know.</summary>
    /// <param name="architecture">Debian's name of it.</param>
    /// <param name="folder">Where to keep the lists of its packages.</param>
    public static DebianPackages Foreign(string architecture, string folder)
    {
        string lists = Path.Combine(folder, "lists");
        string cache = Path.Combine(folder, "cache");
        Directory.CreateDirectory(Path.Combine(lists, "partial"));
        Directory.CreateDirectory(Path.Combine(cache, "archives", "partial"));
        string[] settings =
        [
            $"APT::Architecture={architecture}", $"APT::Architectures={architecture}",
            $"Dir::State::lists={lists}", $"Dir::Cache={cache}", "Dir::State::status=/dev/null",
        ];
        var packages = new DebianPackages([.. settings.SelectMany(s => new[] { "-o", s })]);
        try
        {
            packages.Run(Environment.CurrentDirectory, "apt-get", "-qq", "update");
        }
        catch (SystemUnavailableException)
        {
            // It has said so, and what the other lists have may be enough.
        }

        return packages;
    }

    /// <summary>Installs packages.</summary>
    /// <exception cref="SystemUnavailableException">It fails.</exception>
    public void Install(string packages) => Run(
        Environment.CurrentDirectory,
        ["apt-get", "install", "-qqy", "--no-install-recommends", .. packages.Split(' ')]);

    /// <summary>Name of the newest package whose name a regular expression matches.</summary>
    /// <exception cref="SystemUnavailableException">There is none.</exception>
    public string Newest(string pattern) =>
        NewestOf(Run(
            Environment.CurrentDirectory, "apt-cache", "search", "--names-only", pattern))
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
    public void Unpack(string package, string folder)
    {
        string unpacking = $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(unpacking);
        try
        {
            Run(unpacking, "apt-get", "-qq", "download", package);
            string file = Directory.EnumerateFiles(unpacking, "*.deb").Single();
            Run(unpacking, "dpkg", "-x", file, unpacking);
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

    private string Run(string folder, params string[] command)
    {
        IEnumerable<string> options =
            command[0].StartsWith("apt", StringComparison.Ordinal) ? _options : [];
        var start = new ProcessStartInfo(command[0], options.Concat(command.Skip(1)))
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
