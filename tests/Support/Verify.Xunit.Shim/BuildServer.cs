namespace VerifyTests;

/// <summary>Whether this process runs on a build server, as DiffEngine tells it.</summary>
internal static class BuildServer
{
    private static readonly string[] SetThere =
    [
        "JENKINS_URL", "GITHUB_ACTION", "TEAMCITY_VERSION", "GITLAB_CI", "GO_SERVER_URL",
        "TRAVIS_BUILD_ID", "APPVEYOR", "WSL_DISTRO_NAME",
    ];

    /// <summary>Whether it does.</summary>
    public static bool Detected { get; } =
        SetThere.Any(name => Environment.GetEnvironmentVariable(name) is not null)
        || Has("BuildRunner", "MyGet")
        || Has("DOTNET_RUNNING_IN_CONTAINER", "true")
        || Has("TF_BUILD", "True");

    private static bool Has(string name, string value) => string.Equals(
        Environment.GetEnvironmentVariable(name), value, StringComparison.OrdinalIgnoreCase);
}
