using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>A machine with a kernel of its own, in which the agent is the first process and has
/// everything to itself.</summary>
internal abstract record Guest
{
    /// <summary>Modules that it needs, as far as they are not part of its kernel: what the agent
    /// talks over, and the swap device.</summary>
    private protected IEnumerable<string> Modules => SwapKind == SwapKind.Synchronous
        ? ["virtio_pci", "virtio_console", "lzo_rle", "zram"]
        : ["virtio_pci", "virtio_console", "virtio_blk"];

    /// <summary>Name of the system.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required string Description { get; init; }

    /// <summary>The program that runs it.</summary>
    public required string Program { get; init; }

    /// <summary>Debian package that the program is in.</summary>
    public required string Package { get; init; }

    /// <summary>How the agent is built for it.</summary>
    public AgentBuild Build { get; init; } = AgentBuild.Usual;

    /// <summary>Whether its swap device takes pages within the call, or later.</summary>
    public SwapKind SwapKind { get; init; } = SwapKind.Synchronous;

    /// <summary>The swap device of its kernel: zram, or a disk.</summary>
    public string SwapDevice =>
        SwapKind == SwapKind.Synchronous ? "/dev/zram0" : "/dev/vda";

    /// <summary>The addresses that its processes have.</summary>
    public UserAddresses Addresses { get; init; } = UserAddresses.Usual;

    /// <summary>Calls that its line takes at once; more would be lost.</summary>
    public int MostCallsAhead { get; init; } = AgentProcess.MostCallsAhead;

    /// <summary>Time in which it must boot: it takes seconds, but on machines with more to do than
    /// processors.</summary>
    public TimeSpan BootLimit { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether what its processes can map depends on vm.mmap_min_addr of the machine that
    /// it runs on.</summary>
    public bool NeedsHost { get; init; }

    /// <summary>The guests there are.</summary>
    public static ImmutableArray<Guest> All { get; } = [.. QemuGuest.All, UmlGuest.Debian];

    /// <summary>What is missing to run it, with what mends that; null when nothing is.</summary>
    /// <param name="cache">Where kernels are kept.</param>
    public Lack? LackIn(string cache)
    {
        string? missing = !SearchPath.Has(Program) ? $"there is no '{Program}' on the path"
            : !SearchPath.Has(Build.Compiler) ? $"there is no '{Build.Compiler}' on the path"
            : !HasKernel(cache) ? "its kernel has not been fetched"
            : null;
        return missing is null ? null
            : new Lack("all", missing, $"shmcheck systems --fetch {Name}");
    }

    /// <summary>Gets what is missing.</summary>
    /// <param name="cache">Where to keep kernels.</param>
    /// <exception cref="SystemUnavailableException">It cannot be had.</exception>
    public void Fetch(string cache)
    {
        if (!SearchPath.Has(Program))
        {
            DebianPackages.Native.Install(Package);
        }

        if (!SearchPath.Has(Build.Compiler))
        {
            DebianPackages.Native.Install(Build.Package);
        }

        if (!HasKernel(cache))
        {
            FetchKernel(cache);
        }
    }

    /// <summary>The command that boots it, and has the agent on its standard input and output.
    /// </summary>
    /// <param name="cache">Where agents and kernels are kept.</param>
    /// <exception cref="SystemUnavailableException">Something is missing.</exception>
    public ImmutableArray<string> CommandLine(string cache) =>
        CommandLine(cache, new FirstProcess(cache, null, ["machine", Port]));

    /// <summary>The command that boots it, runs a program, and ends. Its standard output is that of
    /// the program, and behind it <c>ended N</c>: its exit code, or 128 and the signal.</summary>
    /// <param name="cache">Where agents and kernels are kept.</param>
    /// <param name="program">Path of the program, linked statically.</param>
    /// <param name="swapSlots">Pages that its swap device has; 0 for none.</param>
    /// <exception cref="SystemUnavailableException">Something is missing.</exception>
    public ImmutableArray<string> CommandLine(string cache, string program, ulong swapSlots) =>
        CommandLine(cache, new FirstProcess(
            Path.GetDirectoryName(program)!, program,
            ["program", Port, SwapDevice, $"{swapSlots}"]));

    /// <summary>The line that it is talked to over.</summary>
    private protected abstract string Port { get; }

    private protected abstract bool HasKernel(string cache);

    private protected abstract void FetchKernel(string cache);

    private protected abstract ImmutableArray<string> Boot(string cache, FirstProcess first);

    /// <summary>Writes the first file system.</summary>
    /// <param name="cache">Where agents are kept.</param>
    /// <param name="modules">The modules of its kernel.</param>
    /// <param name="first">The first process.</param>
    /// <returns>Path of the file system, and arguments of the first process.</returns>
    private protected (string Initramfs, ImmutableArray<string> Arguments) Pack(
        string cache, KernelModules modules, FirstProcess first)
    {
        IReadOnlyList<(string Name, byte[] Content)> needed = modules.WithNeeds(Modules);
        string path = Initramfs.Get(
            first.Folder, AgentBinary.Get(cache, Build), needed, first.Program);
        return (path, [.. first.Arguments, .. needed.Select(module => module.Name)]);
    }

    private ImmutableArray<string> CommandLine(string cache, FirstProcess first) =>
        LackIn(cache) is { } lack
            ? throw new SystemUnavailableException($"{lack.Why}: {lack.Remedy}")
            : Boot(cache, first);
}

/// <summary>What the first process of a guest does.</summary>
/// <param name="Folder">Where its file system is written.</param>
/// <param name="Program">Path of the program that it runs; null where it is the agent.</param>
/// <param name="Arguments">Its arguments, without the modules.</param>
internal sealed record FirstProcess(
    string Folder, string? Program, ImmutableArray<string> Arguments);
