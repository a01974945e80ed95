using System.Reflection;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Ledgers;

/// <summary>The ledgers of the repository (<c>ledgers/*.ledger</c>), embedded so that they are
/// there in any folder.</summary>
public static class KnownLedgers
{
    /// <summary>Name of the running kernel as a system.</summary>
    public const string Linux = "linux";

    /// <summary>Kinds of systems that are Linux kernels, and so have its defects.</summary>
    private static readonly string[] LinuxSystems = [Linux, "qemu"];

    /// <summary>Kinds of systems that have those and defects of their own: their calls end up in
    /// the running kernel, or they are an architecture of Linux that nothing else has.</summary>
    private static readonly string[] OverLinux = ["qemu-user", "valgrind", "uml"];

    private static readonly string[] Kernels = [.. LinuxSystems, "uml"];

    private const string Folder = "ledgers/";
    private const string Extension = ".ledger";

    /// <summary>The systems that have a ledger.</summary>
    public static IReadOnlyList<string> Systems { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal)
                && name.EndsWith(Extension, StringComparison.Ordinal))
            .Select(name => name[Folder.Length..^Extension.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>What is known of a system: its own ledger, and that of Linux where it has
    /// Linux within; empty where nothing is known.</summary>
    /// <param name="system">Name as on the command line, for instance <c>linux</c> or
    /// <c>qemu:6.1</c>.</param>
    public static Ledger Of(string system)
    {
        string kind = KindOf(system);
        Ledger own = OwnOf(system);
        return OverLinux.Contains(kind)
            ? own with { Rows = [.. own.Rows, .. OwnOf(Linux).Rows] } : own;
    }

    /// <summary>Whether a system is a kernel of Linux itself, on which the rows of Linux show.
    /// </summary>
    public static bool IsLinux(string system) => Kernels.Contains(KindOf(system));

    /// <summary>What a system is called without what it is one of: <c>qemu</c> of
    /// <c>qemu:6.1</c>. Systems of a kind share a ledger.</summary>
    public static string KindOf(string system) => system.Split(':')[0];

    /// <summary>The ledger of a system alone.</summary>
    public static Ledger OwnOf(string system)
    {
        string kind = KindOf(system);
        string name = LinuxSystems.Contains(kind) ? Linux : kind;
        using Stream? stream = Assembly.GetExecutingAssembly()
            .GetManifestResourceStream(Folder + name + Extension);
        if (stream is null)
        {
            return new Ledger(name, []);
        }

        using var reader = new StreamReader(stream);
        return LedgerParser.Parse($"{Folder}{name}{Extension}", reader.ReadToEnd());
    }

    /// <summary>The rows of a ledger that hold for a machine.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="capabilities">The system: its kernel's release decides, where it has one.
    /// </param>
    /// <param name="profile">Else the profile of the machine does.</param>
    public static IReadOnlyList<LedgerRow> Applicable(
        Ledger ledger, SystemCapabilities capabilities, KernelProfile profile)
    {
        string release = capabilities.KernelRelease ?? KernelProfileText.Of(profile);
        return KernelVersion.TryParse(release, out KernelVersion version)
            ? [.. ledger.Rows.Where(row => row.HoldsFor(version)
                && row.HoldsForVersion(capabilities.Version))]
            : throw new InvalidOperationException($"'{release}' is no release of a kernel");
    }
}
