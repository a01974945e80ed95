using System.Text;
using ShmCheck.Properties.Support;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Properties.Machines;

/// <summary>In which order the modules of a guest are loaded.</summary>
public sealed class KernelModulesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_module_needs_comes_before_it_and_only_once()
    {
        Write("a/virtio-pci.ko", "virtio_ring,virtio");
        Write("b/virtio.ko", "virtio-ring");
        Write("c/virtio_ring.ko", "");
        Write("d/unused.ko", "");
        var modules = new KernelModules(_folder.Path);
        Assert.Equal(
            ["virtio_ring.ko", "virtio.ko", "virtio_pci.ko"],
            modules.WithNeeds(["virtio_pci", "virtio"]).Select(module => module.Name));
    }

    [Fact]
    public void What_is_no_file_is_part_of_the_kernel()
    {
        Write("zram.ko", "zsmalloc");
        Assert.Equal(
            "zram.ko",
            Assert.Single(new KernelModules(_folder.Path).WithNeeds(["console", "zram"])).Name);
    }

    [Fact]
    public void A_module_without_a_list_needs_nothing() =>
        Assert.Empty(KernelModules.NeedsOf("\0license=GPL\0"u8));

    private void Write(string path, string needs)
    {
        string file = Path.Combine(_folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(
            file, Encoding.ASCII.GetBytes($"ELF\0license=GPL\0depends={needs}\0name=x\0"));
    }
}
