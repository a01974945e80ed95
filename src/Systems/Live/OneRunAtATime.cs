using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Lets runs begin one after the other: who starts another one waits for the end of the
/// one before.</summary>
internal sealed class OneRunAtATime : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Starts a run.</summary>
    /// <param name="system">Who is asked for it.</param>
    /// <param name="config">The machine that it is to have.</param>
    /// <param name="start">Starts it; told what to call when it is over.</param>
    /// <exception cref="SystemUnavailableException">The system cannot be this machine.
    /// </exception>
    public ISystemUnderTest Start(
        ISystemFactory system, MachineConfig config, Func<Action, ISystemUnderTest> start)
    {
        MachineConfig possible = system.Capabilities.Adapt(config);
        if (config != possible || !system.Capabilities.Profiles.Contains(config.Profile))
        {
            throw new SystemUnavailableException(
                $"{system.Name} cannot be {config}; the nearest it can be is {possible}");
        }

        _turn.Wait();
        try
        {
            return start(() => _turn.Release());
        }
        catch
        {
            _turn.Release();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();
}
