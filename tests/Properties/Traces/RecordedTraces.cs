using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;
using ShmCheck.Impl;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Traces;

/// <summary>The traces of the repository, folder by folder.</summary>
internal static class RecordedTraces
{
    private static readonly string Root = Path.Combine(Repository.Root, "traces");

    /// <summary>The folders that hold traces of sound systems: not that of recorded logs, nor that
    /// of seeded faults, which have tests of their own.</summary>
    public static IReadOnlyList<string> Folders { get; } =
    [
        .. Directory.EnumerateDirectories(Root).Select(path => Path.GetFileName(path))
            .Where(name => name is not ("strace" or "faults")).Order(StringComparer.Ordinal),
    ];

    /// <summary>All traces, as FOLDER/NAME.shm.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Folders.SelectMany(In)];

    /// <summary>The systems that traces are replayed on.</summary>
    public static IReadOnlyList<ISystemFactory> Systems { get; } =
        [SpecSystem.Factory, new ImplFactory()];

    /// <summary>The traces of a folder.</summary>
    public static IEnumerable<string> In(string folder) =>
        Directory.EnumerateFiles(
                Path.Combine(Root, folder), "*.shm", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path)).Order(StringComparer.Ordinal);

    public static string PathOf(string trace) => Path.Combine(Root, trace);

    public static Trace Load(string trace) => TraceParser.ParseFile(PathOf(trace));
}
