using System.Collections.Concurrent;
using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>A call that does not come back.</summary>
/// <param name="Machine">The machine that it was made on.</param>
/// <param name="Calls">The calls made, that one included; empty when the machine does not start.
/// </param>
public sealed record HungCall(MachineConfig Machine, IReadOnlyList<Call> Calls);

/// <summary>Notices when a call of a system in this process does not come back, by a look now and
/// then whether calls go on. No thread can be ended from outside: whoever waits for one that hangs
/// is told, and leaves it behind.</summary>
/// <remarks>Time counts that this process has used, not time that has passed: a machine that was
/// paused, or is busy with something else, finds nothing. Systems of other processes have limits
/// of their own, and who has a debugger attached may take their time.</remarks>
public sealed class CallWatch : IDisposable
{
    private const int MostLooks = 5;
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(5);

    /// <summary>Time in which others than the one that hangs come to their end.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<WatchedSystem, byte> _systems = new();
    private readonly CancellationTokenSource _hung = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly TimeSpan _patience;
    private readonly Thread _thread;
    private volatile HungCall? _found;

    /// <summary>Starts to watch.</summary>
    /// <param name="patience">Processor time after which a call is taken to hang; 5 s when not
    /// given.</param>
    public CallWatch(TimeSpan? patience = null)
    {
        _patience = patience ?? UsualPatience;
        _thread = new Thread(Work) { IsBackground = true, Name = "call watch" };
        _thread.Start();
    }

    /// <summary>The call that does not come back, once there is one.</summary>
    public HungCall? Found => _found;

    /// <summary>Cancelled when a call does not come back.</summary>
    public CancellationToken Hung => _hung.Token;

    /// <summary>Systems as another factory starts them, watched where they are in this process.
    /// </summary>
    public ISystemFactory Watch(ISystemFactory factory) =>
        factory.Capabilities.OneAtATime || Debugger.IsAttached ? factory
            : new WatchedFactory(factory, this);

    /// <summary>Waits for a thread to end, or to be left behind because of a call that hangs.
    /// </summary>
    /// <returns>Whether it has ended.</returns>
    public bool Join(Thread thread)
    {
        while (!thread.Join(_patience / MostLooks))
        {
            if (_found is not null)
            {
                return thread.Join(Grace);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
        _hung.Dispose();
    }

    internal void Add(WatchedSystem system) => _systems.TryAdd(system, 0);

    internal void Remove(WatchedSystem system) => _systems.TryRemove(system, out _);

    private void Work()
    {
        while (!_ended.Wait(_patience / MostLooks))
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            foreach (WatchedSystem system in _systems.Keys)
            {
                if (system.Look(used, MostLooks, _patience) is { } hung)
                {
                    _found = hung;
                    _hung.Cancel();
                    return;
                }
            }
        }
    }

    private sealed class WatchedFactory(ISystemFactory factory, CallWatch watch) : ISystemFactory
    {
        public string Name => factory.Name;

        public SystemCapabilities Capabilities => factory.Capabilities;

        public ISystemUnderTest Start(MachineConfig config)
        {
            var starting = new WatchedSystem(config, watch);
            return starting.Start(factory);
        }
    }
}
