using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>How the running kernel is to be used.</summary>
public sealed record LinuxOptions
{
    /// <summary>Which kind of swap device runs get.</summary>
    public SwapKind SwapKind { get; init; } = SwapKind.Synchronous;

    /// <summary>Where the lock and the journal of knobs are: one place for all processes of the
    /// machine.</summary>
    public string StateDirectory { get; init; } = Environment.IsPrivilegedProcess
        ? "/run/shmcheck" : Path.Combine(Path.GetTempPath(), $"shmcheck-{Environment.UserName}");

    /// <summary>What who has the machine keeps locked (<see cref="MachineLock"/>).</summary>
    internal string LockFile => Path.Combine(StateDirectory, "lock");

    /// <summary>Where compiled agents are kept.</summary>
    public string CacheDirectory { get; init; } = AgentBinary.DefaultCache;

    /// <summary>Where the swap file is made, for <see cref="SwapKind.Asynchronous"/>: on a file
    /// system of a disk.</summary>
    public string SwapFileDirectory { get; init; } = "/var/tmp";

    /// <summary>What carries the agent, and so comes between it and the kernel; none for
    /// nothing.</summary>
    internal Carrier? Carrier { get; init; }

    /// <summary>How long to wait while another process has the machine.</summary>
    public TimeSpan LockPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Time in which a call must return.</summary>
    public TimeSpan CallLimit { get; init; } = TimeSpan.FromSeconds(10);
}
