using System.Collections.Immutable;

namespace ShmCheck.Harness.Reviewing;

/// <summary>The snapshots of a folder of tests: <c>Class.Method.verified.txt</c>, or
/// <c>Class.Method_PARAMETER.verified.txt</c>, beside the source of the test; what a test had
/// otherwise is <c>.received.</c> there.</summary>
public static class SnapshotFolder
{
    private const string Received = ".received.";
    private const string Verified = ".verified.";
    private const string Diverges = "# diverges: ";

    /// <summary>The snapshots that somebody has to decide about, by group and name.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="parameters">Parameters of a test that has one snapshot for each, by
    /// <c>Class.Method</c>; a test that is not there may have any.</param>
    public static ImmutableArray<PendingSnapshot> Pending(
        string folder, IReadOnlyDictionary<string, ImmutableArray<string>> parameters)
    {
        string[] files =
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(file => !IsBuilt(Path.GetRelativePath(folder, file))),
        ];
        string sources = string.Concat(
            files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal))
                .Select(File.ReadAllText));
        return
        [
            .. files.Where(file => Has(file, Received)).Select(OfReceived)
                .Concat(files.Where(file => Has(file, Verified)
                        && IsDangling(Path.GetFileName(file), sources, parameters))
                    .Select(file => Of(SnapshotMatter.Dangling, null, file)))
                .Concat(parameters.SelectMany(test => Vanished(files, test.Key, test.Value)))
                .OrderBy(snapshot => snapshot.Group, StringComparer.Ordinal)
                .ThenBy(snapshot => snapshot.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>The test that a file belongs to: its name up to <c>.verified</c>.</summary>
    internal static string TestOf(string name)
    {
        int end = Math.Max(
            name.IndexOf(Received, StringComparison.Ordinal),
            name.IndexOf(Verified, StringComparison.Ordinal));
        return end < 0 ? name : name[..end];
    }

    private static bool IsBuilt(string path) =>
        path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj");

    private static bool Has(string path, string kind) =>
        Path.GetFileName(path).Contains(kind, StringComparison.Ordinal);

    private static PendingSnapshot OfReceived(string received)
    {
        string verified = Path.Combine(
            Path.GetDirectoryName(received)!,
            Path.GetFileName(received).Replace(Received, Verified, StringComparison.Ordinal));
        return Of(
            File.Exists(verified) ? SnapshotMatter.Changed : SnapshotMatter.New, received,
            verified);
    }

    private static PendingSnapshot Of(SnapshotMatter matter, string? received, string verified)
    {
        string? text = received is not null ? File.ReadAllText(received)
            : File.Exists(verified) ? File.ReadAllText(verified) : null;
        string? line = text?.Split('\n')
            .FirstOrDefault(line => line.StartsWith(Diverges, StringComparison.Ordinal));
        return new PendingSnapshot(
            matter, line?[Diverges.Length..].TrimEnd() ?? TestOf(Path.GetFileName(verified)),
            received, verified);
    }

    private static bool IsDangling(
        string name, string sources, IReadOnlyDictionary<string, ImmutableArray<string>> parameters)
    {
        string test = TestOf(name);
        int dot = test.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !sources.Contains($"class {test[..dot]}", StringComparison.Ordinal))
        {
            return true;
        }

        foreach ((string method, ImmutableArray<string> known) in parameters)
        {
            if (test.StartsWith($"{method}_", StringComparison.Ordinal))
            {
                return !known.Contains(test[(method.Length + 1)..]);
            }
        }

        return !HasMethod(sources, test[(dot + 1)..]);
    }

    /// <summary>Whether there is a method of a name, or of one that it begins with: what is behind
    /// the last underscores may be a parameter.</summary>
    private static bool HasMethod(string sources, string name)
    {
        int last;
        while (!sources.Contains($" {name}(", StringComparison.Ordinal))
        {
            last = name.LastIndexOf('_');
            if (last < 0)
            {
                return false;
            }

            name = name[..last];
        }

        return true;
    }

    /// <summary>Parameters of a test that has snapshots for others, and none for these.</summary>
    private static IEnumerable<PendingSnapshot> Vanished(
        string[] files, string test, ImmutableArray<string> known)
    {
        HashSet<string> there = [.. files.Select(file => TestOf(Path.GetFileName(file)))];
        string? source = files.FirstOrDefault(file =>
            Path.GetFileName(file) == $"{test.Split('.')[0]}.cs");
        return source is null ? [] : known.Select(parameter => $"{test}_{parameter}")
            .Where(name => !there.Contains(name))
            .Select(name => Of(
                SnapshotMatter.Vanished, null,
                Path.Combine(Path.GetDirectoryName(source)!, $"{name}{Verified}txt")));
    }
}
