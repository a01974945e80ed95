using System.Runtime.InteropServices;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>One run of an agent.</summary>
internal sealed partial class AgentSystem : IPipelinedSystem
{
    /// <summary>What <c>observe</c> is to show: namespaces and segments, processes and mappings;
    /// figures of /proc/meminfo; those with the counts of all processors folded in; page frames.
    /// </summary>
    private const long SeeMachine = 0;
    private const long SeeAll = 1 | 2;
    private const long SeeMemory = 4;
    private const long Refresh = 8;
    private const long SeeFrames = 16;

    /// <summary>Bounded figures of /proc/meminfo are read once in so many calls.</summary>
    private const int MemoryEvery = 64;

    /// <summary>Page frames are looked at once in so many calls that are made ahead, and behind
    /// the last of each piece.</summary>
    private const int FramesEvery = 16;

    /// <summary>What Committed_AS is above its lowest by when a run before has not given back all
    /// of its memory, in kB: other programs have less, runs that matter more.</summary>
    private const ulong CommittedByOthers = 64ul << 30;

    /// <summary>How long the machine may take to get its huge pages and slots back.</summary>
    private static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(5);

    private readonly IAgentHost _host;
    private readonly MachineConfig _machine;
    private readonly Action _release;
    private readonly AgentProcess _agent;
    private readonly LineWriter _lines = new();
    private readonly CallWriter _calls;
    private MemoryFigures _atStart;
    private MemoryFigures _memory;
    private readonly Queue<bool> _awaited = new();
    private long? _clock;
    private bool _clockIsNew;

    /// <summary>What the system's clock is ahead of the harness's, in whole seconds rounded down:
    /// the most that was seen, since what is read late seems to be behind.</summary>
    private long _clockAhead = long.MinValue;
    private int _callsUnread;
    private int _callsWithoutFrames;
    private bool _hasStarted;
    private bool _observationIsDue;
    private bool _lost;

    private AgentSystem(IAgentHost host, MachineConfig machine, Action release)
    {
        _host = host;
        _machine = machine;
        _release = release;
        _agent = host.Agent;
        _calls = new CallWriter(_lines, machine.PageSize, machine.HugePageSize);
    }

    /// <inheritdoc/>
    public int FirstPid { get; private set; }

    /// <inheritdoc/>
    public long Clock => _clock ?? OwnClock;

    /// <inheritdoc/>
    public long LatestClock => _clock is { } shown && !_clockIsNew
        ? Math.Max(shown, OwnClock + _clockAhead + 1) : Clock;

    /// <summary>The clock that the kernel of the harness takes stamps from; the precise one may
    /// be a tick ahead.</summary>
    private static long OwnClock
    {
        get
        {
            const int realtimeCoarse = 5;
            return clock_gettime(realtimeCoarse, out TimeSpec now) == 0 ? now.Seconds
                : throw new InvalidOperationException("CLOCK_REALTIME_COARSE is not there");
        }
    }

    /// <summary>Starts a run.</summary>
    /// <param name="host">Where it happens.</param>
    /// <param name="machine">What it is to be.</param>
    /// <param name="release">Called when the run is over.</param>
    public static AgentSystem Start(IAgentHost host, MachineConfig machine, Action release)
    {
        try
        {
            return StartOnce(host, machine, release);
        }
        catch (Exception problem) when (problem is AgentLostException
            || (problem is SystemUnavailableException && host.MachineGoesWithAgent))
        {
            // What the run before has done to it may show now: a fresh one gets another chance.
            return StartOnce(host, machine, release);
        }
    }

    private static AgentSystem StartOnce(
        IAgentHost host, MachineConfig machine, Action release)
    {
        try
        {
            string? swap = host.Prepare(machine);
            var system = new AgentSystem(host, machine, release);
            system.Begin(swap);
            return system;
        }
        catch
        {
            host.ForgetAgent();
            throw;
        }
    }

    /// <inheritdoc/>
    public Reply Execute(Call call, Bindings bindings)
    {
        _lines.Clear();
        WriteCall(call, bindings);
        WriteObserve(FiguresDue(withFrames: true));
        return Guarded(() =>
        {
            SkipObservation();
            _agent.Send(_lines.Written);
            _observationIsDue = true;
            return ReadReply(call, mayBeRefused: false)!;
        });
    }

    /// <inheritdoc/>
    public void Submit(IReadOnlyList<SubmittedCall> calls) => Guarded(() =>
    {
        SkipObservation();
        _lines.Clear();
        for (int at = 0; at < calls.Count; at++)
        {
            WriteCall(calls[at].Call, null);
            _awaited.Enqueue(calls[at].Observed);
            if (calls[at].Observed)
            {
                WriteObserve(FiguresDue(
                    at + 1 == calls.Count || _callsWithoutFrames >= FramesEvery));
            }
        }

        _agent.Send(_lines.Written);
        return 0;
    });

    /// <inheritdoc/>
    public Reply? Take(Call call) => Guarded(() =>
    {
        SkipObservation();
        _observationIsDue = _awaited.Dequeue();
        return ReadReply(call, mayBeRefused: true);
    });

    /// <inheritdoc/>
    public void Observe(Observation observation) => Guarded(() =>
    {
        if (!_observationIsDue)
        {
            _lines.Clear();
            WriteObserve(SeeAll | SeeMemory | Refresh | Frames);
            _agent.Send(_lines.Written);
        }

        _observationIsDue = false;
        Shown shown = ObservationReader.Read(_agent.ReadLine(), observation);
        _memory = shown.Memory ?? _memory;
        SetClock(shown.Clock);
        if (!_hasStarted)
        {
            _hasStarted = true;
            _atStart = _memory;
        }

        Span<ulong> row = observation.Global[0];
        row[(int)GlobalField.SwapCached] = _memory.SwapCached;
        row[(int)GlobalField.Shmem] = Above(_memory.Shmem, _atStart.Shmem);
        row[(int)GlobalField.Committed_AS] = Above(_memory.Committed, _atStart.Committed);
        return 0;
    });

    private void SetClock(long? shown)
    {
        if (shown is { } clock)
        {
            _clock = clock;
            _clockIsNew = true;
            _clockAhead = Math.Max(_clockAhead, clock - OwnClock);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="AgentLostException">The system is lost while it removes what the run has
    /// left. The next one starts another agent.</exception>
    public void Dispose()
    {
        try
        {
            if (!_lost)
            {
                PassOver();
                Control("reset");
            }
        }
        finally
        {
            _release();
        }
    }

    /// <summary>Reads what nobody is going to ask for any more.</summary>
    private void PassOver() => Guarded(() =>
    {
        SkipObservation();
        while (_awaited.TryDequeue(out bool observed))
        {
            _agent.ReadLine();
            _observationIsDue = observed;
            SkipObservation();
        }

        return 0;
    });

    private static ulong Above(ulong now, ulong before) => now > before ? now - before : 0;

    private Reply? ReadReply(Call call, bool mayBeRefused)
    {
        ReadOnlySpan<byte> line = _agent.ReadLine();
        _clockIsNew = false;
        if (mayBeRefused && line.StartsWith("bad "u8))
        {
            SkipObservation();
            return null;
        }

        try
        {
            return AgentReply.Read(line, call);
        }
        catch (CallNotPossibleException)
        {
            SkipObservation();
            throw;
        }
    }

    private void SkipObservation()
    {
        if (_observationIsDue)
        {
            _agent.ReadLine();
            _observationIsDue = false;
        }
    }

    private void Begin(string? swap)
    {
        Settle();
        _lines.Clear();
        if (_agent.HasRegisters)
        {
            _lines.Result('p', ProcessHandle.First.Number);
        }

        LineWriter start = _lines.Line(CallWriter.Controller, "start");
        (swap is null ? start : start.Word(swap)).End();
        int settings = SetNamespace(Sysctl.ShmMax, _machine.ShmMax, MachineConfig.DefaultShmLimit)
            + SetNamespace(Sysctl.ShmAll, _machine.ShmAll, MachineConfig.DefaultShmLimit)
            + SetNamespace(Sysctl.ShmMni, (ulong)_machine.ShmMni, 4096)
            + SetNamespace(Sysctl.ShmRmidForced, _machine.ShmRmidForced ? 1ul : 0, 0);
        WriteObserve(SeeAll | SeeMemory);
        _agent.Send(_lines.Written);
        FirstPid = (int)AgentReply.ReadControl(_agent.ReadLine());
        for (int setting = 0; setting < settings; setting++)
        {
            AgentReply.ReadControl(_agent.ReadLine());
        }

        _observationIsDue = true;
    }

    /// <returns>How many lines that takes.</returns>
    private int SetNamespace(Sysctl name, ulong value, ulong usual)
    {
        if (value == usual)
        {
            return 0;
        }

        _calls.Write(new SetSysctl(name, value), NoBindings);
        return 1;
    }

    /// <summary>Waits until the runs before have given everything back.</summary>
    private void Settle()
    {
        var observation = new Observation();
        long refresh = 0;   // only where a page seems to be left in the swap cache
        long deadline = Environment.TickCount64 + (long)SettleLimit.TotalMilliseconds;
        bool emptied = false;
        while (true)
        {
            _lines.Clear();
            WriteObserve(SeeMachine | SeeMemory | refresh);
            _agent.Send(_lines.Written);
            Shown shown = ObservationReader.Read(_agent.ReadLine(), observation);
            bool cached = shown.Memory is { SwapCached: > 0 };
            if (IsSettled(observation.Global[0]) && IsGivenBack(shown.Memory)
                && (!cached || refresh != 0))
            {
                return;
            }

            if (Environment.TickCount64 > deadline)
            {
                throw new SystemUnavailableException(
                    "the machine does not get back what earlier runs had: "
                    + Describe(observation.Global[0]));
            }

            bool late = Environment.TickCount64 > deadline - (SettleLimit.TotalMilliseconds / 2);
            if (late && !emptied)
            {
                _host.EmptySwap();
                emptied = true;
            }

            refresh = Refresh;
            Thread.Sleep(1);
        }
    }

    private bool IsSettled(ReadOnlySpan<ulong> row) =>
        (!_host.OwnsHugePages
            || (row[(int)GlobalField.HugePages_Free] == row[(int)GlobalField.HugePages_Total]
                && row[(int)GlobalField.HugePages_Total] == _machine.HugePages
                && row[(int)GlobalField.HugePages_Rsvd] == 0))
        && (!_host.OwnsSwap || row[(int)GlobalField.SwapUsed] == 0);

    /// <summary>Whether memory that runs before had committed is given back: what is left of it
    /// when this one starts would be missing from its figures later.</summary>
    private bool IsGivenBack(MemoryFigures? memory)
    {
        if (memory is not { } figures)
        {
            return true;
        }

        _agent.LeastCommitted = ulong.Min(_agent.LeastCommitted, figures.Committed);
        return figures.Committed - _agent.LeastCommitted
            < (_host.OwnsMemory ? 1 : CommittedByOthers);
    }

    private static string Describe(ReadOnlySpan<ulong> row)
    {
        var figures = new List<string>();
        for (int field = 0; field <= (int)GlobalField.SwapUsed; field++)
        {
            figures.Add($"{(GlobalField)field}={row[field]}");
        }

        return string.Join(", ", figures);
    }

    private static Bindings NoBindings { get; } = new();

    private long Frames => _agent.HasFrames ? SeeFrames : 0;

    /// <summary>The figures behind a call of the run.</summary>
    private long FiguresDue(bool withFrames) => SeeAll
        | (_host.OwnsMemory || _machine.SwapSlots > 0 || _callsUnread >= MemoryEvery
            ? SeeMemory : 0)
        | (withFrames ? Frames : 0);

    private void WriteCall(Call call, Bindings? bindings)
    {
        _calls.Write(call, bindings);
        _callsUnread++;
        _callsWithoutFrames++;
    }

    private void WriteObserve(long what)
    {
        _callsUnread = (what & SeeMemory) != 0 ? 0 : _callsUnread;
        _callsWithoutFrames = (what & SeeFrames) != 0 ? 0 : _callsWithoutFrames;
        _lines.Line(CallWriter.Controller, "observe").Number(what).End();
    }

    private void Control(string command)
    {
        _lines.Clear();
        _lines.Line(CallWriter.Controller, command).End();
        Guarded(() =>
        {
            _agent.Send(_lines.Written);
            return AgentReply.ReadControl(_agent.ReadLine());
        });
    }

    /// <summary>Talks to the agent; an agent that is gone or talks nonsense is given up.</summary>
    private T Guarded<T>(Func<T> talk)
    {
        try
        {
            return talk();
        }
        catch (AgentLostException)
        {
            GiveUp();
            throw;
        }
        catch (FormatException problem)
        {
            AgentLostException lost =
                _agent.Broken($"breaks the protocol: {problem.Message}", problem);
            GiveUp();
            throw lost;
        }
    }

    private void GiveUp()
    {
        _lost = true;
        _host.ForgetAgent();
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TimeSpec
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out TimeSpec now);
}
