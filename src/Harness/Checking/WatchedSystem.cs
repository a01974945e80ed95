using System.Buffers;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>A system that a <see cref="CallWatch"/> looks at: it takes down the calls that are
/// made, and whether one is under way.</summary>
internal class WatchedSystem(MachineConfig machine, CallWatch watch) : ISystemUnderTest
{
    private readonly List<Call> _calls = [];
    private ISystemUnderTest _system = null!;

    /// <summary>Odd while the system is at work.</summary>
    private long _passages;

    /// <summary>What the last look saw, how many in a row saw the same, and what time the process
    /// had used at the first of them.</summary>
    private long _seen;
    private int _looks;
    private TimeSpan _since;

    public int FirstPid => _system.FirstPid;

    public long Clock => _system.Clock;

    public long LatestClock => _system.LatestClock;

    protected List<Call> Calls => _calls;

    /// <summary>Starts what is to be watched.</summary>
    /// <returns>This, or the system itself where that is beside this process.</returns>
    public ISystemUnderTest Start(ISystemFactory factory)
    {
        watch.Add(this);
        Pass();
        try
        {
            _system = factory.Start(machine);
        }
        finally
        {
            Pass();
            watch.Remove(this);
        }

        if (_system is IPipelinedSystem or ISharesSwap or ISharesMemory)
        {
            return _system;
        }

        WatchedSystem watched = _system is ICheckpointable marks
            ? new CheckpointableSystem(machine, watch, marks) : this;
        watched._system = _system;
        watch.Add(watched);
        return watched;
    }

    public Reply Execute(Call call, Bindings bindings)
    {
        _calls.Add(call);
        Pass();
        try
        {
            return _system.Execute(call, bindings);
        }
        finally
        {
            Pass();
        }
    }

    public void Observe(Observation observation)
    {
        Pass();
        try
        {
            _system.Observe(observation);
        }
        finally
        {
            Pass();
        }
    }

    public void Dispose()
    {
        watch.Remove(this);
        _system.Dispose();
    }

    /// <summary>Looks whether the system is still at what it was at. Called by one thread.
    /// </summary>
    /// <param name="used">Processor time that the process has used.</param>
    /// <param name="most">Looks in a row after which a call hangs.</param>
    /// <param name="patience">Processor time that must have been used between them.</param>
    /// <returns>The call that hangs, if one does.</returns>
    public HungCall? Look(TimeSpan used, int most, TimeSpan patience)
    {
        long now = Volatile.Read(ref _passages);
        if (now != _seen || now % 2 == 0)
        {
            (_seen, _looks, _since) = (now, 0, used);
            return null;
        }

        if (++_looks < most || used - _since < patience)
        {
            return null;
        }

        // The thread that adds to the calls hangs; if it does not after all, they do not count.
        var hung = new HungCall(machine, [.. _calls]);
        return Volatile.Read(ref _passages) == now ? hung : null;
    }

    /// <summary>Work begins or has ended.</summary>
    protected void Pass() => Volatile.Write(ref _passages, _passages + 1);

    private sealed class CheckpointableSystem(
        MachineConfig machine, CallWatch watch, ICheckpointable marks)
        : WatchedSystem(machine, watch), ICheckpointable
    {
        private readonly Stack<int> _marks = new();

        public void Mark()
        {
            _marks.Push(Calls.Count);
            marks.Mark();
        }

        public void RollBack()
        {
            Pass();
            marks.RollBack();
            Pass();
            int kept = _marks.Pop();
            Calls.RemoveRange(kept, Calls.Count - kept);
        }

        public void Commit()
        {
            marks.Commit();
            _marks.Pop();
        }

        public void WriteCanonical(IBufferWriter<byte> bytes)
        {
            Pass();
            marks.WriteCanonical(bytes);
            Pass();
        }

        public void WriteCanonical(
            IBufferWriter<byte> bytes, ReadOnlySpan<int> processes, ReadOnlySpan<int> segments)
        {
            Pass();
            marks.WriteCanonical(bytes, processes, segments);
            Pass();
        }

        public byte[] Save() => marks.Save();

        public void Restore(ReadOnlySpan<byte> saved) => marks.Restore(saved);
    }
}
