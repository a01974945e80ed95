using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Starts machines that a program has: any one that speaks the agent protocol. It runs
/// from run to run, and is started again when it was lost.</summary>
public sealed class AgentFactory : ISystemFactory, IAgentHost, IDisposable
{
    private readonly Func<ImmutableArray<string>> _command;
    private readonly Func<string?> _version;
    private readonly TimeSpan _limit;
    private readonly OneRunAtATime _runs = new();
    private readonly Lazy<SystemCapabilities> _capabilities;
    private AgentProcess? _agent;
    private bool _disposed;

    /// <summary>A program.</summary>
    /// <param name="name">What the system is called.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="limit">Time in which it must answer; 20 seconds when not given.</param>
    public AgentFactory(string name, ImmutableArray<string> command, TimeSpan? limit = null)
        : this(name, () => command, limit ?? TimeSpan.FromSeconds(20), () => null)
    {
    }

    private AgentFactory(
        string name, Func<ImmutableArray<string>> command, TimeSpan limit, Func<string?> version)
    {
        _version = version;
        Name = name;
        _command = command;
        _limit = limit;
        _capabilities = new(Ask);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>gVisor.</summary>
    public static AgentFactory GVisor() => new(
        Carrier.GVisor.Name, () => Carrier.GVisor.CommandLine(AgentBinary.DefaultCache),
        TimeSpan.FromSeconds(20), () => Carrier.GVisor.Version);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">The program does not start, or is no agent.
    /// </exception>
    public SystemCapabilities Capabilities => _capabilities.Value;

    AgentProcess IAgentHost.Agent => _agent ??= AgentProcess.Start(_command(), _limit);

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
            _runs.Dispose();
        }
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
                Version = _version(),
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
