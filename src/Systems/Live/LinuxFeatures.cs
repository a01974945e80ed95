using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Something that a machine lacks, and how to get it.</summary>
/// <param name="What">What cannot be checked for want of it.</param>
/// <param name="Why">What is missing.</param>
/// <param name="Remedy">A command that mends it, or what else does.</param>
public sealed record Lack(string What, string Why, string Remedy);

/// <summary>The running kernel, and what of it can be checked here.</summary>
internal sealed partial record LinuxFeatures
{
    /// <summary>Version, as uname(2) has it, with the number of the patch.</summary>
    public required string Release { get; init; }

    /// <summary>Base page size in bytes.</summary>
    public ulong PageSize { get; init; } = (ulong)Environment.SystemPageSize;

    /// <summary>What a request may ask for at most without vm.overcommit_memory, in base pages:
    /// MemTotal and the swap devices of the machine's own.</summary>
    public required ulong TotalPages { get; init; }

    /// <summary>Default huge page size in bytes; 0 where there are none.</summary>
    public required ulong HugePageSize { get; init; }

    /// <summary>The other huge page sizes.</summary>
    public required ImmutableArray<ulong> OtherHugePageSizes { get; init; }

    /// <summary>Capabilities that root does not have here (its bounding set).</summary>
    public CapabilitySet MissingCapabilities { get; init; }

    /// <summary>The highest RLIMIT_MEMLOCK that a process may set, in bytes.</summary>
    public ulong HighestMemLock { get; init; } = SetRLimit.Unlimited;

    /// <summary>Why huge pages are left out.</summary>
    public Lack? HugePages { get; init; }

    /// <summary>Why swap is left out.</summary>
    public Lack? Swap { get; init; }

    /// <summary>Why other users than root are left out.</summary>
    public Lack? Users { get; init; }

    /// <summary>Why settings of the whole machine are left out.</summary>
    public Lack? Knobs { get; init; }

    /// <summary>All that is left out.</summary>
    public IEnumerable<Lack> Lacks =>
        new[] { HugePages, Swap, Users, Knobs, LackOfRights }.OfType<Lack>();

    private Lack? LackOfRights => MissingCapabilities == 0 ? null : new Lack(
        $"capset with {MemoryFlagText.Of(MissingCapabilities)}, RLIMIT_MEMLOCK above "
            + $"{HighestMemLock} bytes",
        "the bounding set of this process lacks it", "start it with all capabilities");

    /// <summary>The profile of this kernel: its own, or the nearest one below.</summary>
    public KernelProfile Profile => ProfileOf(Release);

    /// <summary>Version of the running kernel, with the number of the patch.</summary>
    public static string RunningRelease => ReleaseOf(
        Knob.Read("/proc/sys/kernel/osrelease") ?? "unknown",
        Knob.Read("/proc/sys/kernel/version") ?? "");

    /// <summary>Looks at the machine.</summary>
    /// <param name="options">Which swap device is meant.</param>
    public static LinuxFeatures Look(LinuxOptions options)
    {
        string memory = Knob.Read("/proc/meminfo") ?? "";
        ulong page = (ulong)Environment.SystemPageSize;
        ulong huge = MemoryFigure(memory, "Hugepagesize:") << 10;
        CapabilitySet bounding = BoundingSet();
        return new LinuxFeatures
        {
            Release = RunningRelease,
            TotalPages = ((MemoryFigure(memory, "MemTotal:") << 10)
                + (MemoryFigure(memory, "SwapTotal:") << 10)) / page,
            HugePageSize = huge,
            OtherHugePageSizes = [.. HugePageSizes().Where(size => size != huge).Order()],
            MissingCapabilities = CapabilitySet.All & ~bounding,
            HighestMemLock = bounding.HasFlag(CapabilitySet.CAP_SYS_RESOURCE)
                ? SetRLimit.Unlimited : HardMemLock(),
            HugePages = LackOfHugePages(memory),
            Swap = LackOfSwap(options),
            Users = Environment.IsPrivilegedProcess ? null : new Lack(
                "users, locks and low addresses",
                "root of a user namespace has one user, and no rights beyond it",
                "run it as root"),
            Knobs = Knob.IsWritable(Knob.Overcommit) ? null : new Lack(
                "settings of the machine", "/proc/sys/vm cannot be written", "run it as root"),
        };
    }

    /// <summary>The release of a kernel with the number of the patch: Debian has that in the
    /// version.</summary>
    /// <param name="release">As uname(2) has it.</param>
    /// <param name="version">Likewise.</param>
    internal static string ReleaseOf(string release, string version) =>
        DebianVersion().Match(version) is { Success: true } match ? match.Groups[1].Value : release;

    /// <summary>The profile that a kernel version follows.</summary>
    public static KernelProfile ProfileOf(string release) => VersionOf(release) switch
    {
        null or ( >= 7, _) or (6, >= 18) => KernelProfile.Linux6_18,
        (6, >= 12) => KernelProfile.Linux6_12,
        (6, >= 1) => KernelProfile.Linux6_1,
        _ => KernelProfile.Linux5_14,
    };

    /// <summary>Whether a kernel version is older than any profile.</summary>
    public static bool IsBeforeProfiles(string release) =>
        VersionOf(release) is (< 5, _) or (5, < 14);

    private static (int Major, int Minor)? VersionOf(string release)
    {
        string[] parts = release.Split('.', '-');
        bool read = int.TryParse(parts[0], CultureInfo.InvariantCulture, out int major);
        read &= int.TryParse(
            parts.ElementAtOrDefault(1), CultureInfo.InvariantCulture, out int minor);
        return read ? (major, minor) : null;
    }

    [GeneratedRegex("Debian ([0-9.]+)")]
    private static partial Regex DebianVersion();

    private static Lack? LackOfHugePages(string memory)
    {
        const string what = "huge pages";
        ulong total = MemoryFigure(memory, "HugePages_Total:");
        return MemoryFigure(memory, "Hugepagesize:") == 0
            ? new Lack(what, "the kernel has none", "a kernel with CONFIG_HUGETLBFS")
            : !Knob.IsWritable(Knob.HugePages)
                ? new Lack(what, $"{Knob.HugePages} cannot be written", "run it as root")
            : total == 0 ? null : new Lack(
                what, $"the machine has {total} of its own, which stay untouched",
                "sysctl -w vm.nr_hugepages=0");
    }

    private static Lack? LackOfSwap(LinuxOptions options)
    {
        const string what = "swap";
        IReadOnlyList<string> used = SwapDevice.InUse;
        return !Environment.IsPrivilegedProcess
            ? new Lack(what, "swapon needs root", "run it as root")
            : used.Count > 0
                ? new Lack(
                    what, $"the machine swaps to {string.Join(", ", used)}, which stays untouched",
                    "swapoff -a")
            : options.SwapKind == SwapKind.Synchronous && SwapDevice.LackOfZram is { } lack
                ? new Lack(what, lack, "modprobe zram")
            : null;
    }

    private static IEnumerable<ulong> HugePageSizes()
    {
        const string directory = "/sys/kernel/mm/hugepages";
        const string prefix = "hugepages-";
        return !Directory.Exists(directory) ? [] : Directory.EnumerateDirectories(directory)
            .Select(path => Path.GetFileName(path)[prefix.Length..].Replace(
                "kB", "", StringComparison.Ordinal))
            .Select(size => ulong.Parse(size, CultureInfo.InvariantCulture) << 10);
    }

    private static CapabilitySet BoundingSet()
    {
        string? text = LineOf(Knob.Read("/proc/self/status") ?? "", "CapBnd:");
        return text is null ? CapabilitySet.All
            : (CapabilitySet)ulong.Parse(
                text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private static ulong HardMemLock()
    {
        string? text = LineOf(Knob.Read("/proc/self/limits") ?? "", "Max locked memory");
        string? hard =
            text?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
        return ulong.TryParse(hard, CultureInfo.InvariantCulture, out ulong bytes)
            ? bytes : SetRLimit.Unlimited;
    }

    private static string? LineOf(string text, string name) => text.Split('\n')
        .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..]
        .Trim();

    private static ulong MemoryFigure(string text, string name)
    {
        string? figure = LineOf(text, name);
        return figure is null ? 0 : ulong.Parse(
            figure.Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture);
    }
}
