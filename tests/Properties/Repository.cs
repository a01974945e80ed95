namespace ShmCheck.Properties;

/// <summary>The repository that the tests were built in.</summary>
internal static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = Find();

    /// <summary>Full path of a file or folder of it.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ShmCheck.sln")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException($"no ShmCheck.sln above {AppContext.BaseDirectory}");
    }
}
