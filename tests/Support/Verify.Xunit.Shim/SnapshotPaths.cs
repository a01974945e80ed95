using System.Collections.Concurrent;
using System.Reflection;

namespace VerifyTests;

/// <summary>Where the files of one comparison are, and which there were when it began.</summary>
internal sealed class SnapshotPaths
{
    private static readonly ConcurrentDictionary<string, bool> Used = new();

    private readonly string _prefix;

    private SnapshotPaths(string directory, string prefix)
    {
        Directory = directory;
        _prefix = prefix;
        Verified = Find(".verified.");
    }

    /// <summary>The directory of the files.</summary>
    public string Directory { get; }

    /// <summary>Snapshots under this name, of whatever extension or index.</summary>
    public IReadOnlyList<string> Verified { get; }

    /// <summary>Finds the files of the test that is running, takes their name for it, and removes
    /// what an earlier run received.</summary>
    public static SnapshotPaths Claim(VerifySettings settings, MethodInfo method, string sourceFile)
    {
        string prefix = Prefix(settings, method);
        string beside = Path.GetDirectoryName(sourceFile)!;
        string directory = settings.Directory is null
            ? beside : Path.Combine(beside, settings.Directory);
        System.IO.Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, prefix);
        if (!settings.AnyPrefix && !Used.TryAdd(path, true))
        {
            throw new InvalidOperationException(
                $"The prefix has already been used: {path}. "
                + "A test compares once, and a row of a theory calls UseParameters.");
        }

        SnapshotPaths paths = new(directory, prefix);
        foreach (string file in paths.Find(".received."))
        {
            File.Delete(file);
        }

        return paths;
    }

    /// <summary>What is received goes here.</summary>
    public string ReceivedOf(string extension) =>
        Path.Combine(Directory, $"{_prefix}.received.{extension}");

    /// <summary>What is expected is here.</summary>
    public string VerifiedOf(string extension) =>
        Path.Combine(Directory, $"{_prefix}.verified.{extension}");

    private static string Prefix(VerifySettings settings, MethodInfo method)
    {
        if (settings.FileName is not null)
        {
            return settings.FileName;
        }

        Type type = method.ReflectedType!;
        string typeName = type.IsNested ? $"{type.DeclaringType!.Name}.{type.Name}" : type.Name;
        return $"{typeName}.{settings.MethodName ?? method.Name}{Parameters(settings, method)}";
    }

    private static string Parameters(VerifySettings settings, MethodInfo method)
    {
        if (settings.ParametersText is not null)
        {
            return $"_{settings.ParametersText}";
        }

        string[] names = [.. method.GetParameters().Select(parameter => parameter.Name!)];
        return settings.Parameters is null || names.Length == 0
            ? "" : ParameterText.Of(names, settings.Parameters);
    }

    // X.verified.txt and X#1.verified.txt belong to X; XY.verified.txt does not.
    private List<string> Find(string kind)
    {
        IEnumerable<string> files =
            from file in System.IO.Directory.EnumerateFiles(Directory)
            let name = Path.GetFileName(file)
            where name.StartsWith(_prefix + kind, StringComparison.Ordinal)
                || (name.StartsWith(_prefix + "#", StringComparison.Ordinal)
                    && name.Contains(kind, StringComparison.Ordinal))
            select file;
        return [.. files.Order(StringComparer.Ordinal)];
    }
}
