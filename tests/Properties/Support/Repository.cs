namespace ShmCheck.Properties.Support;

/// <summary>The repository that the tests were built in.</summary>
internal static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ShmCheck.sln")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No ShmCheck.sln above {AppContext.BaseDirectory}.");
    }
}
