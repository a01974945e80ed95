using ShmCheck.Properties.Support;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Properties.Strace;

/// <summary>The logs of <c>traces/strace</c>.</summary>
internal static class RecordedLogs
{
    /// <summary>The folder of the logs.</summary>
    public static string Folder { get; } = Path.Combine(Repository.Root, "traces", "strace");

    /// <summary>The logs that have a sidecar, relative to the folder.</summary>
    public static IReadOnlyList<string> WithSidecar { get; } =
    [
        .. Directory.EnumerateFiles(Folder, "*.strace", SearchOption.AllDirectories)
            .Where(path => SidecarFile.PathFor(path) is not null)
            .Select(path => Path.GetRelativePath(Folder, path)).Order(StringComparer.Ordinal),
    ];

    /// <summary>Full path of a log.</summary>
    public static string PathOf(string log) => Path.Combine(Folder, log);

    /// <summary>Reads a log with its sidecar.</summary>
    public static StraceLog Load(string log) => StraceLog.Load(PathOf(log));

    /// <summary>Reads a text as a log.</summary>
    public static StraceLog Parse(params ReadOnlySpan<string> lines) =>
        StraceLog.Read(new StringReader(string.Join('\n', lines) + "\n"), "test");
}
