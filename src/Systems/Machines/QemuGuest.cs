using System.Collections.Immutable;
using ShmCheck.Abi;
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

    /// <summary>Addresses of 48 bits and more, or pages of another size at the end.</summary>
    private static readonly UserAddresses AtTheEnd =
        new(MachineConfig.TaskSize - (1 << 30), HintsWiden: true);

    private const long DiskBytes = 128 << 20;

    /// <summary>The machines there are.</summary>
    public static new ImmutableArray<QemuGuest> All { get; } =
    [
        Pc("6.1"),
        Pc("6.12"),
        OnDisk(Pc("6.1")),
        OnDisk(Pc("6.12")),
        new()
        {
            Name = "qemu:arm64",
            Description = "Debian's kernel 6.1 for 64-bit Arm in QEMU",
            Program = "qemu-system-aarch64",
            Package = "qemu-system-arm",
            Build = AgentBuild.Arm64,
            Kernel = new GuestKernel("6.1", "cloud-arm64") { Architecture = "arm64" },
            Machine = ["-M", "virt", "-cpu", "cortex-a57"],
            Console = "ttyAMA0",
            Addresses = AtTheEnd,
        },
        new()
        {
            Name = "qemu:ppc64le",
            Description = "Debian's kernel 6.1 for 64-bit POWER in QEMU, with pages of 64 KiB",
            Program = "qemu-system-ppc64",
            Package = "qemu-system-ppc",
            Build = AgentBuild.Power,
            Kernel = new GuestKernel("6.1", "powerpc64le") { Architecture = "ppc64el" },
            Machine = ["-M", "pseries", "-cpu", "power9"],
            Console = "hvc0",
            Addresses = AtTheEnd,
        },
    ];

    private protected override bool HasKernel(string cache) => Kernel.ImageIn(cache) is not null;

    private protected override void FetchKernel(string cache) => Kernel.Fetch(cache);

    private protected override string Port => "/dev/vport0p1";

    private protected override ImmutableArray<string> Boot(string cache, FirstProcess first)
    {
        (string initramfs, ImmutableArray<string> arguments) =
            Pack(cache, Kernel.ModulesIn(cache), first);
        return
        [
            Program, .. Machine, "-accel", "tcg", "-m", "1024", "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot",
            "-kernel", Kernel.ImageIn(cache)!, "-initrd", initramfs,
            "-chardev", "file,id=console,path=/dev/stderr", "-serial", "chardev:console",
            "-chardev", "stdio,id=agent,signal=off", "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=agent,name=agent", .. Disk(cache),
            "-append", KernelArguments(arguments),
        ];
    }

    /// <summary>A file system of tmpfs would count as shared memory; a kernel that panics is to
    /// end the machine.</summary>
    private string KernelArguments(ImmutableArray<string> arguments) => string.Join(' ',
    [
        $"console={Console}", "panic=-1", "no_timer_check", "quiet", "mitigations=off",
        "rootfstype=ramfs", "--", .. arguments,
    ]);

    /// <summary>A disk for swap; what is written to it is gone with the machine.</summary>
    private ImmutableArray<string> Disk(string cache)
    {
        if (SwapKind == SwapKind.Synchronous)
        {
            return [];
        }

        string image = Path.Combine(cache, "swap.img");
        if (!File.Exists(image))
        {
            using FileStream file = File.OpenWrite(image);
            file.SetLength(DiskBytes);
        }

        return
        [
            "-drive", $"file={image},format=raw,if=none,id=swap,snapshot=on",
            "-device", "virtio-blk-pci,drive=swap",
        ];
    }

    private static QemuGuest OnDisk(QemuGuest guest) => guest with
    {
        Name = $"{guest.Name}:disk",
        Description = $"{guest.Description}, with a disk as its swap device",
        SwapKind = SwapKind.Asynchronous,
    };

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
