using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Starts machines on the running kernel: each is a process in an IPC namespace of its
/// own, with the settings of the machine turned to what it wants. One runs at a time; who starts
/// another one waits.</summary>
/// <remarks>The machine is taken at the first use, and given back by <see cref="Dispose"/>.
/// </remarks>
public sealed class LinuxFactory : ISystemFactory, IDisposable
{
    private readonly LinuxOptions _options;
    private readonly OneRunAtATime _runs = new();
    private readonly Lazy<LinuxSession> _session;
    private readonly Lazy<SystemCapabilities> _capabilities;
    private bool _disposed;

    /// <summary>The running kernel.</summary>
    public LinuxFactory(LinuxOptions? options = null)
    {
        _options = options ?? new LinuxOptions();
        _session = new(() => LinuxSession.Open(_options));
        _capabilities = new(Ask);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>Version of the running kernel, with the number of the patch.</summary>
    public static string RunningRelease => LinuxFeatures.RunningRelease;

    /// <summary>The running kernel through emulators.</summary>
    public static IEnumerable<LinuxFactory> Emulators() => Carrier.Emulators.Select(
        carrier => new LinuxFactory(new LinuxOptions { Carrier = carrier }));

    /// <inheritdoc/>
    public string Name => NameFor(_options);

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">The machine cannot be had.</exception>
    public SystemCapabilities Capabilities => _capabilities.Value;

    /// <summary>What cannot be checked here, and what mends that.</summary>
    public IEnumerable<Lack> Lacks => _session.Value.Features.Lacks;

    /// <summary>What an earlier process had left turned on this machine, and was undone.</summary>
    public IReadOnlyList<string> Repaired => _session.Value.Repaired;

    /// <summary>What a way to use the running kernel is called.</summary>
    internal static string NameFor(LinuxOptions options) =>
        options.Carrier?.Name
            ?? (options.SwapKind == SwapKind.Synchronous ? "linux" : "linux:swapfile");

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">The machine cannot be had, or cannot be this
    /// one.</exception>
    public ISystemUnderTest Start(MachineConfig config)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _runs.Start(this, config, release => new SharedMachine(
            config, () => AgentSystem.Start(_session.Value, config, release)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (_session.IsValueCreated)
        {
            _session.Value.Dispose();
        }

        _runs.Dispose();
    }

    private SystemCapabilities Ask()
    {
        try
        {
            return AskAgent();
        }
        catch (AgentLostException problem)
        {
            throw new SystemUnavailableException($"{Name}: {problem.Message}");
        }
    }

    private SystemCapabilities AskAgent()
    {
        var all = LinuxCapabilities.Of(_session.Value.Features, _options) with
        {
            MostCallsAhead =
                _session.Value.Agent.HasRegisters ? AgentProcess.MostCallsAhead : 0,
            ShowsFrames = _session.Value.Agent.HasFrames,
            MostHandlesAhead = AgentProcess.Registers,
            LongestMapping = AgentProcess.LongestMapping,
            SwapIsCostly = true,
        };
        return _options.Carrier is not { } carrier ? all : AgentCapabilities.Within(
            all, Announcement.AskOf(_session.Value.Agent), carrier);
    }

    /// <summary>A process that is asked to end gives the machine back by itself.</summary>
    private void OnExit(object? sender, EventArgs arguments) => Dispose();
}
