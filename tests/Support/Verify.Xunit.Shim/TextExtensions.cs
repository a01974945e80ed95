namespace VerifyTests;

/// <summary>The extensions that are known to stand for text: a part of those that Verify knows.
/// </summary>
internal static class TextExtensions
{
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "txt", "md", "json", "xml", "yaml", "yml", "csv", "sql", "log", "diff", "patch", "html",
        "svg", "css", "js", "ts", "ini", "toml", "cfg", "config", "cs", "fs", "vb", "csproj",
        "slnx", "sh", "ps1", "rs", "py", "asm", "s", "il", "map",
    };

    /// <summary>Refuses an extension that is not one of text.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static void Check(string extension)
    {
        if (!Known.Contains(extension))
        {
            throw new ArgumentException(
                $"Don't pass text for a binary extension: {extension}", nameof(extension));
        }
    }
}
