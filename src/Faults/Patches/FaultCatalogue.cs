using System.Collections.Immutable;
using System.Reflection;

namespace ShmCheck.Faults.Patches;

/// <summary>The faults of the folder <c>faults</c>, and the sources that they change, as they
/// were built into this library.</summary>
public static class FaultCatalogue
{
    private const string FaultFolder = "faults/";
    private const string FaultExtension = ".patch";
    private const string SourceFolder = "src/Impl/";

    /// <summary>All faults, by id.</summary>
    /// <exception cref="FaultException">One is malformed.</exception>
    public static ImmutableArray<Fault> All { get; } =
        [.. Read(FaultFolder)
            .Where(f => f.Key.EndsWith(FaultExtension, StringComparison.Ordinal))
            .OrderBy(f => f.Key, StringComparer.Ordinal)
            .Select(f => FaultParser.Parse(f.Key, f.Value))];

    /// <summary>The implementation's sources: text by path from the root of the repository.
    /// </summary>
    public static ImmutableDictionary<string, string> Sources { get; } =
        Read(SourceFolder).ToImmutableDictionary();

    /// <summary>The recorded kill matrix, as text.</summary>
    internal static string MatrixText { get; } =
        string.Concat(Read(FaultFolder + Hunting.KillMatrix.FileName).Select(f => f.Value));

    private static IEnumerable<KeyValuePair<string, string>> Read(string folder)
    {
        Assembly assembly = typeof(FaultCatalogue).Assembly;
        foreach (string name in assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(folder, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return new(name, reader.ReadToEnd());
        }
    }
}
