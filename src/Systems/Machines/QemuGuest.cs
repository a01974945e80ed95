using System.Collections.Immutable;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>A kernel of Debian in QEMU, which emulates the processor too.</summary>
internal sealed record QemuGuest : Guest
{
    /// <summary>The kernel.</summary>
    public required GuestKernel Kernel { get; init; }

    /// <summary>Options that make it a machine of its kind.</summary>
    public required ImmutableArray<string> Machine { get; init; }

    /// <summary>The serial line that the kernel reports to.</summary>
    public required string Console { get; init; }

    /// <summary>The machines there are.</summary>
    public static new ImmutableArray<QemuGuest> All { get; } = [Pc("6.1"), Pc("6.12")];

    private protected override bool HasKernel(string cache) => Kernel.ImageIn(cache) is not null;

    private protected override void FetchKernel(string cache) => Kernel.Fetch(cache);

    private protected override ImmutableArray<string> Boot(string cache)
    {
        Initramfs initramfs = Initramfs.Get(
            cache, AgentBinary.Get(cache, Build), Kernel.ModulesIn(cache).WithNeeds(Modules));
        return
        [
            Program, .. Machine, "-accel", "tcg", "-m", "1024", "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot",
            "-kernel", Kernel.ImageIn(cache)!, "-initrd", initramfs.Path,
            "-chardev", "file,id=console,path=/dev/stderr", "-serial", "chardev:console",
            "-chardev", "stdio,id=agent,signal=off", "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=agent,name=agent",
            "-append", KernelArguments(initramfs),
        ];
    }

    /// <summary>A file system of tmpfs would count as shared memory; a kernel that panics is to
    /// end the machine.</summary>
    private string KernelArguments(Initramfs initramfs) => string.Join(' ',
    [
        $"console={Console}", "panic=-1", "no_timer_check", "quiet", "mitigations=off",
        "rootfstype=ramfs", "--", "machine", "/dev/vport0p1", .. initramfs.Modules,
    ]);

    private static QemuGuest Pc(string series) => new()
    {
        Name = $"qemu:{series}",
        Description = $"Debian's kernel {series} in QEMU, without hardware virtualization",
        Program = "qemu-system-x86_64",
        Package = "qemu-system-x86",
        Kernel = new GuestKernel(series, "cloud-amd64"),
        Machine = ["-M", "pc", "-cpu", "max,la57=off"],
        Console = "ttyS0",
    };
}
