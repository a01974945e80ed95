using ShmCheck.Systems.Machines;

namespace ShmCheck.Properties.Machines;

/// <summary>Which of several kernels is the newest.</summary>
public sealed class DebianPackagesTests
{
    [Theory]
    [InlineData("linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-57-cloud-amd64")]
    [InlineData(
        "linux-image-6.12.100+deb12-cloud-amd64", "linux-image-6.12.117+deb12-cloud-amd64")]
    [InlineData("linux-image-6.12.9+deb12-cloud-amd64", "linux-image-6.12.10+deb12-cloud-amd64")]
    public void Numbers_are_compared_as_numbers(string older, string newer)
    {
        Assert.Equal(newer, DebianPackages.NewestOf($"{older} - Linux\n{newer} - Linux\n"));
        Assert.Equal(newer, DebianPackages.NewestOf($"{newer} - Linux\n{older} - Linux\n"));
    }

    [Fact]
    public void Of_none_there_is_no_newest() => Assert.Null(DebianPackages.NewestOf("\n"));
}
