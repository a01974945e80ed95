using ShmCheck.Abi;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>Starts machines in a guest, which runs from run to run, and is booted again when it
/// was lost.</summary>
public sealed class GuestFactory : ISystemFactory, IDisposable
{
    private readonly Guest _guest;
    private readonly string _cache;
    private readonly OneRunAtATime _runs = new();
    private readonly Lazy<GuestSession> _session;
    private readonly Lazy<SystemCapabilities> _capabilities;
    private MachineLock? _lock;
    private bool _disposed;

    /// <summary>A guest.</summary>
    /// <param name="guest">Which.</param>
    /// <param name="cache">Where agents and kernels are kept.</param>
    internal GuestFactory(Guest guest, string? cache = null)
    {
        _guest = guest;
        _cache = cache ?? AgentBinary.DefaultCache;
        _session = new(Boot);
        _capabilities = new(Ask);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>All guests.</summary>
    public static IEnumerable<GuestFactory> All() =>
        Guest.All.Select(guest => new GuestFactory(guest));

    /// <inheritdoc/>
    public string Name => _guest.Name;

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">The guest does not come up.</exception>
    public SystemCapabilities Capabilities => _capabilities.Value;

    /// <summary>Gets what is missing to run the guest, from Debian.</summary>
    /// <exception cref="SystemUnavailableException">It cannot be had.</exception>
    public void Fetch() => _guest.Fetch(_cache);

    /// <inheritdoc/>
    /// <exception cref="SystemUnavailableException">It cannot be this machine.</exception>
    /// <remarks>The agent itself would be refused memory too, if a run asked for too much.
    /// </remarks>
    public ISystemUnderTest Start(MachineConfig config)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _runs.Start(this, config, release => new SharedMachine(
            config, () => AgentSystem.Start(_session.Value, config, release)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            AppDomain.CurrentDomain.ProcessExit -= OnExit;
            if (_session.IsValueCreated)
            {
                _session.Value.Dispose();
            }

            _lock?.Dispose();
            _runs.Dispose();
        }
    }

    private GuestSession Boot()
    {
        try
        {
            var options = new LinuxOptions();
            _lock = _guest.NeedsHost
                ? MachineLock.Share(options.LockFile, options.LockPatience) : null;
            return new GuestSession(_guest, _cache);
        }
        catch (Exception problem) when (problem is AgentLostException
            or SystemUnavailableException)
        {
            throw new SystemUnavailableException($"{Name}: {problem.Message}");
        }
    }

    private SystemCapabilities Ask()
    {
        GuestSession session = _session.Value;
        SystemCapabilities all = AgentCapabilities.InGuest(
            LinuxCapabilities.Of(
                session.Features, new LinuxOptions { SwapKind = _guest.SwapKind }),
            session.Said, session.Features.Swap is null, session.Features.PageSize);
        return all with
        {
            CanBeAsked = call => all.CanBeAsked(call) && _guest.Addresses.Allows(call),
            MostCallsAhead = _guest.MostCallsAhead,
            ShowsFrames = session.Agent.HasFrames,
            MostHandlesAhead = AgentProcess.Registers,
            LongestMapping = AgentProcess.LongestMapping,
        };
    }

    private void OnExit(object? sender, EventArgs arguments) => Dispose();
}
