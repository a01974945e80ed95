using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ShmCheck.Systems.Live;

/// <summary>A program that carries the agent: what the agent meets in there is not the running
/// kernel, or not it alone.</summary>
internal sealed partial record Carrier
{
    private const string EmulatorsMemory = "the memory of the emulator itself is in it";

    /// <summary>Name of the system.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required string Description { get; init; }

    /// <summary>The program and its arguments, before the agent.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>Arguments of the agent.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Debian packages that the program is in.</summary>
    public required string Package { get; init; }

    /// <summary>How the agent is built for it.</summary>
    public AgentBuild Build { get; init; } = AgentBuild.Usual;

    /// <summary>Why figures of processes are not the agent's alone; none where they are.
    /// </summary>
    public string? ForeignMemory { get; init; }

    /// <summary>Whether RLIMIT_AS binds its own memory too, and MCL_FUTURE locks it, so that nobody
    /// can say what that leaves to a program: they are not asked for.</summary>
    public bool IsLimitedItself { get; init; }

    /// <summary>Whether the calls end up in the running kernel, whose huge pages, swap and
    /// settings they meet.</summary>
    public bool IsOverHost => ForeignMemory is not null;

    /// <summary>gVisor, with the platform that runs without hardware virtualization.</summary>
    public static Carrier GVisor { get; } = new()
    {
        Name = "gvisor",
        Description = "gVisor's kernel in Go (runsc, platform ptrace)",
        Command = ["runsc", "--platform=ptrace", "--network=none", "do"],
        Arguments = ["bare"],
        Package = "runsc",
    };

    /// <summary>The emulators over the calls of the running kernel.</summary>
    public static ImmutableArray<Carrier> Emulators { get; } =
    [
        new()
        {
            Name = "qemu-user:x86_64",
            Description = "QEMU's user-mode emulation of x86-64",
            Command = ["qemu-x86_64-static"],
            Package = "qemu-user-static",
            ForeignMemory = EmulatorsMemory,
        },
        new()
        {
            Name = "qemu-user:aarch64",
            Description = "QEMU's user-mode emulation of 64-bit Arm",
            Command = ["qemu-aarch64-static"],
            Package = "qemu-user-static",
            Build = AgentBuild.Arm64,
            ForeignMemory = EmulatorsMemory,
        },
        new()
        {
            Name = "valgrind",
            Description = "Valgrind without a tool (--tool=none)",
            Command = ["valgrind", "-q", "--tool=none", "--trace-children=yes", "--vgdb=no"],
            Package = "valgrind",
            Build = AgentBuild.Usual with { IsStatic = false },
            ForeignMemory = EmulatorsMemory,
            IsLimitedItself = true,
        },
    ];

    /// <summary>Its version, as it reports it; null when it reports none.</summary>
    public string? Version
    {
        get
        {
            var start = new ProcessStartInfo(Command[0], ["--version"])
            {
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            string said = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Match match = VersionNumber().Match(said);
            return match.Success ? match.Value : null;
        }
    }

    /// <summary>What is missing to run it, with what mends that; null when nothing is.</summary>
    public Lack? Lack => LackOf(Command[0], Package) ?? LackOf(Build.Compiler, Build.Package);

    /// <summary>The whole command line.</summary>
    /// <param name="cache">Where compiled agents are kept.</param>
    /// <exception cref="SystemUnavailableException">Something is missing.</exception>
    public ImmutableArray<string> CommandLine(string cache) =>
        Lack is { } lack
            ? throw new SystemUnavailableException($"{lack.Why}: {lack.Remedy}")
            : [.. Command, AgentBinary.Get(cache, Build), .. Arguments];

    /// <summary>A date and a number, or numbers with dots between them.</summary>
    [GeneratedRegex(@"[0-9]{8}\.[0-9]+|[1-9][0-9]*\.[0-9]+(\.[0-9]+)?")]
    private static partial Regex VersionNumber();

    private static Lack? LackOf(string program, string package) =>
        SearchPath.Has(program) ? null : new Lack(
            "all", $"there is no '{program}' on the path",
            $"apt-get install --no-install-recommends {package}");
}
