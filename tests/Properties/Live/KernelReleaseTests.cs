using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>Which patch of a kernel runs: rows of ledgers depend on it.</summary>
public sealed class KernelReleaseTests
{
    [Theory]
    [InlineData(
        "6.1.0-57-cloud-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-11-01)", "6.1.192")]
    [InlineData("6.18.44", "#1 SMP Mon Nov 2 10:00:00 UTC 2026", "6.18.44")]
    [InlineData("6.1.176", "#1 Debian", "6.1.176")]
    public void Debian_has_the_number_of_the_patch_in_the_version(
        string release, string version, string patched) =>
        Assert.Equal(patched, LinuxFeatures.ReleaseOf(release, version));
}
