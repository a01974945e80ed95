using System.Globalization;

namespace ShmCheck.LiveTests;

/// <summary>A machine as far as live tests care: what it lacks of what they need.</summary>
/// <param name="Root">Its root directory.</param>
/// <param name="SearchPath">Its directories of commands, separated by colons.</param>
/// <param name="IsRoot">Whether this process has the privileges of root.</param>
public sealed record LiveMachine(string Root, string SearchPath, bool IsRoot)
{
    /// <summary>Set to 1 where a live test that cannot run is to fail.</summary>
    public const string RequireVariable = "SHMCHECK_REQUIRE_LIVE";

    private const int CapSysAdmin = 21;

    /// <summary>The machine this process runs on.</summary>
    public static LiveMachine Here { get; } = new(
        "/",
        Environment.GetEnvironmentVariable("PATH") ?? "",
        Environment.IsPrivilegedProcess);

    /// <summary>Whether a live test that cannot run is to fail.</summary>
    public static bool RequiresLive =>
        Environment.GetEnvironmentVariable(RequireVariable) == "1";

    /// <summary>What is missing for a need.</summary>
    /// <returns>A clause that says it, or null when the need is met.</returns>
    public string? Lack(LiveNeed need) => need switch
    {
        LiveNeed.Root => IsRoot ? null : "this process is not root",
        LiveNeed.SystemVIpc => LackFile("proc/sysvipc/shm"),
        LiveNeed.IpcNamespaces => LackFile("proc/self/ns/ipc")
            ?? (HasCapability(CapSysAdmin) ? null : "this process lacks CAP_SYS_ADMIN"),
        LiveNeed.HugePages => LackWritable("proc/sys/vm/nr_hugepages"),
        LiveNeed.Swap => LackFile("proc/swaps"),
        LiveNeed.CCompiler => LackCommand("cc"),
        LiveNeed.Spin => LackCommand("spin"),
        LiveNeed.Perl => LackCommand("perl"),
        LiveNeed.GVisor => LackCommand("runsc"),
        LiveNeed.QemuUser => LackCommand("qemu-x86_64-static"),
        LiveNeed.Valgrind => LackCommand("valgrind"),
        _ => throw new ArgumentOutOfRangeException(nameof(need)),
    };

    private string? LackFile(string path) =>
        File.Exists(Path.Combine(Root, path)) ? null : $"there is no /{path}";

    // Opening a sysctl for writing changes nothing: only a write would.
    private string? LackWritable(string path)
    {
        try
        {
            using FileStream opened = new(
                Path.Combine(Root, path), FileMode.Open, FileAccess.Write);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return LackFile(path) ?? $"/{path} cannot be written";
        }
    }

    private bool HasCapability(int capability)
    {
        const string effective = "CapEff:";
        string status = Path.Combine(Root, "proc/self/status");
        IEnumerable<string> lines = File.Exists(status) ? File.ReadLines(status) : [];
        string? line = lines.FirstOrDefault(
            text => text.StartsWith(effective, StringComparison.Ordinal));
        return line is not null
            && ulong.TryParse(
                line.AsSpan(effective.Length).Trim(),
                NumberStyles.HexNumber,
                CultureInfo.InvariantCulture,
                out ulong mask)
            && (mask >> capability & 1) == 1;
    }

    private string? LackCommand(string name) =>
        SearchPath.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Any(directory => File.Exists(Path.Combine(directory, name)))
                ? null : $"there is no {name} on the path";
}
