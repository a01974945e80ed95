using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Systems.Live;

/// <summary>Whether a system can run on this machine, and what is left out when it does.</summary>
/// <param name="Name">Name, as for <c>--system</c>.</param>
/// <param name="Description">What it is.</param>
/// <param name="CanRun">Whether it can run at all.</param>
/// <param name="Lacks">What is missing, with what mends it.</param>
public sealed record SystemStatus(
    string Name, string Description, bool CanRun, ImmutableArray<Lack> Lacks);

/// <summary>Finds out which live systems can run on this machine. Looks only: takes nothing and
/// turns nothing.</summary>
public static class SystemSurvey
{
    /// <summary>The live systems.</summary>
    public static ImmutableArray<SystemStatus> Look()
    {
        var synchronous = new LinuxOptions();
        var asynchronous = new LinuxOptions { SwapKind = SwapKind.Asynchronous };
        return
        [
            Look(synchronous, "the running kernel, with zram as its swap device"),
            Look(asynchronous, "the running kernel, with a swap file"),
            Look(Carrier.GVisor),
            .. Carrier.Emulators.Select(Look),
            .. Guest.All.Select(Look),
        ];
    }

    private static SystemStatus Look(Carrier carrier)
    {
        var options = new LinuxOptions { Carrier = carrier };
        ImmutableArray<Lack> obstacles = carrier.Lack is { } lack ? [lack]
            : carrier.IsOverHost ? [.. Obstacles(options)] : [];
        return new SystemStatus(
            carrier.Name, carrier.Description, obstacles.IsEmpty,
            !obstacles.IsEmpty || !carrier.IsOverHost ? obstacles
                : [.. LinuxFeatures.Look(options).Lacks]);
    }

    private static SystemStatus Look(Guest guest)
    {
        Lack? lack = guest.LackIn(AgentBinary.DefaultCache);
        return new SystemStatus(
            guest.Name, guest.Description, lack is null, lack is null ? [] : [lack]);
    }

    private static SystemStatus Look(LinuxOptions options, string description)
    {
        string name = LinuxFactory.NameFor(options);
        if (!OperatingSystem.IsLinux())
        {
            return new SystemStatus(
                name, description, false, [new Lack("all", "this is not Linux", "run on Linux")]);
        }

        var features = LinuxFeatures.Look(options);
        ImmutableArray<Lack> obstacles = [.. Obstacles(options)];
        return new SystemStatus(
            name, $"{description} ({features.Release})", obstacles.IsEmpty,
            obstacles.IsEmpty ? [.. features.Lacks] : obstacles);
    }

    private static IEnumerable<Lack> Obstacles(LinuxOptions options)
    {
        const string all = "all";
        if (!SearchPath.Has("cc"))
        {
            yield return new Lack(
                all, "there is no C compiler", "apt-get install gcc libc6-dev");
        }

        if (!File.Exists("/proc/sysvipc/shm"))
        {
            yield return new Lack(
                all, "the kernel has no System V shared memory", "a kernel with CONFIG_SYSVIPC");
        }

        if (!Environment.IsPrivilegedProcess
            && Knob.Read("/proc/sys/user/max_user_namespaces") is null or "0")
        {
            yield return new Lack(
                all, "without root it takes user namespaces, and there are none",
                "sysctl -w user.max_user_namespaces=1000, or run it as root");
        }

        if (MachineLock.HolderOf(options.LockFile) is { } holder)
        {
            yield return new Lack(
                all, $"process {holder} has the machine",
                "wait until it has ended");
        }
    }

}
