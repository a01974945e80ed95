namespace ShmCheck.Systems.Machines;

/// <summary>A kernel of Debian that is downloaded and unpacked, and never installed.</summary>
/// <param name="Series">The first numbers of its version, for instance <c>6.1</c>.</param>
/// <param name="Flavour">Debian's name of the build, for instance <c>cloud-amd64</c>.</param>
internal sealed record GuestKernel(string Series, string Flavour)
{
    /// <summary>Debian's name of the architecture, if it is not this machine's.</summary>
    public string? Architecture { get; init; }

    /// <summary>The image to boot; null where the kernel has not been fetched.</summary>
    /// <param name="cache">Where kernels are kept.</param>
    public string? ImageIn(string cache)
    {
        string boot = Path.Combine(FolderIn(cache), "boot");
        return !Directory.Exists(boot) ? null
            : Directory.EnumerateFiles(boot, "vmlinu*").FirstOrDefault();
    }

    /// <summary>Its modules.</summary>
    /// <param name="cache">Where kernels are kept.</param>
    public KernelModules ModulesIn(string cache) =>
        new(Path.Combine(FolderIn(cache), "lib", "modules"));

    /// <summary>Fetches the newest one.</summary>
    /// <param name="cache">Where to keep it.</param>
    /// <exception cref="Live.SystemUnavailableException">It cannot be had.</exception>
    public void Fetch(string cache)
    {
        DebianPackages packages = Architecture is null ? DebianPackages.Native
            : DebianPackages.Foreign(Architecture, Path.Combine(cache, $"apt-{Architecture}"));
        string series = Series.Replace(".", @"\.", StringComparison.Ordinal);
        packages.Unpack(
            packages.Newest($"^linux-image-{series}[.-].*[0-9]-{Flavour}$"), FolderIn(cache));
    }

    private string FolderIn(string cache) => Path.Combine(cache, $"linux-{Series}-{Flavour}");
}
