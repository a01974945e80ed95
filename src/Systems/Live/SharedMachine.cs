using System.Globalization;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>A run on a machine that other programs use too: nothing is asked that would have them
/// refused memory, and it is known how much of the swap device can be theirs.</summary>
internal sealed class SharedMachine : ISystemUnderTest, ISharesSwap
{
    private readonly ISystemUnderTest _system;
    private readonly ulong _writtenBefore;
    private bool _limited;
    private bool _promisedTooMuch;

    /// <summary>A run.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="start">Starts it; by its end no slot of the swap device is in use.</param>
    public SharedMachine(MachineConfig machine, Func<ISystemUnderTest> start)
    {
        _limited = machine.Overcommit == OvercommitMode.Never;
        _writtenBefore = PagesWritten();
        _system = start();
    }

    /// <inheritdoc/>
    public int FirstPid => _system.FirstPid;

    /// <inheritdoc/>
    public long Clock => _system.Clock;

    /// <inheritdoc/>
    public ulong WrittenToSwap => PagesWritten() - _writtenBefore;

    /// <inheritdoc/>
    public Reply Execute(Call call, Bindings bindings)
    {
        bool large = call is ShmGet { Flags.HugeTlb: false, Size: > MachineConfig.TaskSize };
        bool limits = call is SetSysctl
            { Name: Sysctl.OvercommitMemory, Value: (ulong)OvercommitMode.Never };
        if ((large && _limited) || (limits && _promisedTooMuch))
        {
            throw new CallNotPossibleException("other programs would be refused memory with it");
        }

        Reply reply = _system.Execute(call, bindings);
        if (reply.Succeeded)
        {
            _promisedTooMuch |= large;
            _limited = call is SetSysctl { Name: Sysctl.OvercommitMemory } ? limits : _limited;
        }

        return reply;
    }

    /// <inheritdoc/>
    public void Observe(Observation observation) => _system.Observe(observation);

    /// <inheritdoc/>
    public void Dispose() => _system.Dispose();

    /// <summary>Pages that the machine has ever written to swap; those that are all zero are
    /// counted apart (mm/page_io.c:swap_writeout).</summary>
    private static ulong PagesWritten()
    {
        ulong pages = 0;
        foreach (string line in (Knob.Read("/proc/vmstat") ?? "").Split('\n'))
        {
            string[] words = line.Split(' ');
            pages += words is ["pswpout" or "swpout_zero", var number]
                ? ulong.Parse(number, CultureInfo.InvariantCulture) : 0;
        }

        return pages;
    }
}
