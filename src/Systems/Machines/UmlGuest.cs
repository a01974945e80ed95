using System.Collections.Immutable;

namespace ShmCheck.Systems.Machines;

/// <summary>User-mode Linux: a kernel that is a program of this machine.</summary>
internal sealed record UmlGuest : Guest
{
    private const string ModuleFolder = "/usr/lib/uml/modules";

    /// <summary>Below the window of a run, which longer mappings would be put into.</summary>
    private const ulong Window = 0x20_0000_0000 - (1 << 30);

    /// <summary>The machine there is.</summary>
    public static UmlGuest Debian { get; } = new()
    {
        Name = "uml",
        Description = "Debian's user-mode Linux, a kernel that runs as a program",
        Program = "linux.uml",
        Package = "user-mode-linux",
        MostCallsAhead = 16,
        NeedsHost = true,
        Addresses = new UserAddresses(Window),
    };

    private protected override bool HasKernel(string cache) => Directory.Exists(ModuleFolder);

    private protected override void FetchKernel(string cache) =>
        DebianPackages.Native.Install(Package);

    private protected override string Port => "/dev/ttyS0";

    private protected override ImmutableArray<string> Boot(string cache, FirstProcess first)
    {
        (string initramfs, ImmutableArray<string> arguments) =
            Pack(cache, new KernelModules(ModuleFolder), first);
        return
        [
            "env", "TMPDIR=/dev/shm", Program, "mem=512M", $"initrd={initramfs}",
            "rootfstype=ramfs", "panic=-1", "quiet", "con=null", "con0=null,fd:2", "ssl=null",
            "ssl0=fd:0,fd:1", "--", .. arguments,
        ];
    }
}
