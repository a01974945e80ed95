using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Finds and reads the sidecar of a log.</summary>
public static class SidecarFile
{
    /// <summary>Reads a sidecar.</summary>
    /// <exception cref="StraceFormatException">It is not JSON, or a field that counts is not what
    /// it should be.</exception>
    public static StraceSidecar Load(string path) =>
        SidecarReader.Read(File.ReadAllBytes(path), path);

    /// <summary>Reads a sidecar.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="StraceFormatException">As <see cref="Load"/>.</exception>
    public static StraceSidecar Parse(string text, string name) =>
        SidecarReader.Read(System.Text.Encoding.UTF8.GetBytes(text), name);

    /// <summary>The sidecar of a log: <c>LOG.meta.json</c>, or the name of the log with its
    /// extension replaced. Null when there is none.</summary>
    public static string? PathFor(string log)
    {
        const string extension = ".meta.json";
        string appended = log + extension;
        if (File.Exists(appended))
        {
            return appended;
        }

        string replaced = Path.ChangeExtension(log, extension);
        return File.Exists(replaced) ? replaced : null;
    }
}
