namespace ShmCheck.Systems.Live;

/// <summary>The directories of programs (PATH).</summary>
internal static class SearchPath
{
    /// <summary>Whether a program is in one of them.</summary>
    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Any(directory => File.Exists(Path.Combine(directory, program)));
}
