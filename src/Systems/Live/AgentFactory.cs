using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Starts machines that a program has: any one that speaks the agent protocol. It runs
/// from run to run, and is started again when it was lost.</summary>
public sealed class AgentFactory : ISystemFactory, IAgentHost, IDisposable
{
    private readonly Func<ImmutableArray<string>> _command;
    private readonly TimeSpan _limit;
    private readonly OneRunAtATime _runs = new();
    private readonly Lazy<SystemCapabilities> _capabilities;
    private AgentProcess? _agent;
    private MachineLock? _lock;
    private bool _disposed;

    /// <summary>A program.</summary>
    /// <param name="name">What the system is called.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="limit">Time in which it must answer; 20 seconds when not given.</param>
    public AgentFactory(string name, ImmutableArray<string> command, TimeSpan? limit = null)
        : this(name, () => command, limit ?? UsualLimit)
    {
    }

    private AgentFactory(string name, Func<ImmutableArray<string>> command, TimeSpan limit)
    {
        Name = name;
        _command = command;
        _limit = limit;
        _capabilities = new(Ask);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    private static TimeSpan UsualLimit => TimeSpan.FromSeconds(20);

    /// <summary>Its version, where it has one of its own.</summary>
    private Func<string?> Version { get; init; } = () => null;

    /// <summary>Keeps the machine as it is, where that matters.</summary>
    private Func<MachineLock?> Lock { get; init; } = () => null;

    /// <summary>gVisor, which looks at vm.mmap_min_addr of the running kernel when it starts.
    /// </summary>
    /// <param name="patience">How long to wait for a process that has turned that; a minute when
    /// not given.</param>
    public static AgentFactory GVisor(TimeSpan? patience = null)
    {
        var options = new LinuxOptions();
        return new AgentFactory(
            Carrier.GVisor.Name, () => Carrier.GVisor.CommandLine(options.CacheDirectory),
            UsualLimit)
        {
            Version = () => Carrier.GVisor.Version,
            Lock = () => MachineLock.Share(options.LockFile, patience ?? options.LockPatience),
        };
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">The program does not start, or is no agent.
    /// </exception>
    public SystemCapabilities Capabilities => _capabilities.Value;

    AgentProcess IAgentHost.Agent => _agent ??= StartAgent();

    bool IAgentHost.OwnsHugePages => false;

    bool IAgentHost.OwnsSwap => false;

    bool IAgentHost.OwnsMemory => false;

    bool IAgentHost.MachineGoesWithAgent => false;

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">It cannot be this machine.</exception>
    public ISystemUnderTest Start(MachineConfig config)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _runs.Start(
            this, config, release => AgentSystem.Start(this, config, release));
    }

    string? IAgentHost.Prepare(MachineConfig machine) => null;

    void IAgentHost.EmptySwap()
    {
    }

    void IAgentHost.ForgetAgent() => ForgetAgent();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            AppDomain.CurrentDomain.ProcessExit -= OnExit;
            ForgetAgent();
            _lock?.Dispose();
            _runs.Dispose();
        }
    }

    private AgentProcess StartAgent()
    {
        ImmutableArray<string> command = _command();
        _lock ??= Lock();
        return AgentProcess.Start(command, _limit);
    }

    private void ForgetAgent()
    {
        _agent?.Dispose();
        _agent = null;
    }

    private SystemCapabilities Ask()
    {
        try
        {
            AgentProcess agent = ((IAgentHost)this).Agent;
            return AgentCapabilities.Of(Announcement.AskOf(agent), agent.PageSize) with
            {
                Version = Version(),
                MostCallsAhead = agent.HasRegisters ? AgentProcess.MostCallsAhead : 0,
                ShowsFrames = agent.HasFrames,
                MostHandlesAhead = AgentProcess.Registers,
                LongestMapping = AgentProcess.LongestMapping,
            };
        }
        catch (Exception problem) when (problem is AgentLostException
            or SystemUnavailableException)
        {
            ForgetAgent();
            throw new SystemUnavailableException($"{Name}: {problem.Message}");
        }
    }

    private void OnExit(object? sender, EventArgs arguments) => Dispose();
}
