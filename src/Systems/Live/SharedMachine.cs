using System.Globalization;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>A run on a machine that other programs use too: nothing is asked that would have them
/// refused memory, and it is known how much of the swap device can be theirs, and whether the pool
/// of huge pages could not grow because of them.</summary>
internal sealed class SharedMachine : IPipelinedSystem, ISharesSwap, ISharesMemory
{
    private readonly IPipelinedSystem _system;
    private readonly Queue<bool> _leftOut = new();
    private readonly (ulong WrittenToSwap, ulong HugePagesRefused) _before;
    private bool _limited;
    private bool _promisedTooMuch;

    /// <summary>A run.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="start">Starts it; by its end no slot of the swap device is in use.</param>
    public SharedMachine(MachineConfig machine, Func<IPipelinedSystem> start)
    {
        _limited = machine.Overcommit == OvercommitMode.Never;
        _before = Counts();
        _system = start();
    }

    /// <inheritdoc/>
    public int FirstPid => _system.FirstPid;

    /// <inheritdoc/>
    public long Clock => _system.Clock;

    /// <inheritdoc/>
    public long LatestClock => _system.LatestClock;

    /// <inheritdoc/>
    public ulong WrittenToSwap => Counts().WrittenToSwap - _before.WrittenToSwap;

    /// <inheritdoc/>
    public bool LacksHugePages => Counts().HugePagesRefused > _before.HugePagesRefused;

    /// <inheritdoc/>
    public Reply Execute(Call call, Bindings bindings)
    {
        if (HarmsOthers(call))
        {
            throw LeftOut();
        }

        Reply reply = _system.Execute(call, bindings);
        if (reply.Succeeded)
        {
            _promisedTooMuch |= IsLarge(call);
            _limited = call is SetSysctl { Name: Sysctl.OvercommitMemory }
                ? Limits(call) : _limited;
        }

        return reply;
    }

    /// <inheritdoc/>
    public void Submit(IReadOnlyList<SubmittedCall> calls)
    {
        var harmless = new List<SubmittedCall>(calls.Count);
        foreach (SubmittedCall submitted in calls)
        {
            bool harms = HarmsOthers(submitted.Call);
            _leftOut.Enqueue(harms);
            if (!harms)
            {
                harmless.Add(submitted);
                _promisedTooMuch |= IsLarge(submitted.Call);
                _limited |= Limits(submitted.Call);
            }
        }

        _system.Submit(harmless);
    }

    /// <inheritdoc/>
    public Reply? Take(Call call) =>
        _leftOut.Dequeue() ? throw LeftOut() : _system.Take(call);

    private bool HarmsOthers(Call call) =>
        (IsLarge(call) && _limited) || (Limits(call) && _promisedTooMuch);

    /// <remarks>An emulator may leave SHM_HUGETLB out.</remarks>
    private static bool IsLarge(Call call) =>
        call is ShmGet { Size: > MachineConfig.TaskSize };

    private static bool Limits(Call call) => call is SetSysctl
        { Name: Sysctl.OvercommitMemory, Value: (ulong)OvercommitMode.Never };

    private static CallNotPossibleException LeftOut() =>
        new("other programs would be refused memory with it");

    /// <inheritdoc/>
    public void Observe(Observation observation) => _system.Observe(observation);

    /// <inheritdoc/>
    public void Dispose() => _system.Dispose();

    /// <summary>Pages that the machine has ever written to swap, of which those that are all zero
    /// are counted apart (mm/page_io.c:swap_writeout); and huge pages that it had no memory for
    /// (mm/hugetlb.c:alloc_buddy_hugetlb_folio).</summary>
    private static (ulong WrittenToSwap, ulong HugePagesRefused) Counts()
    {
        ulong written = 0;
        ulong refused = 0;
        foreach (string line in (Knob.Read("/proc/vmstat") ?? "").Split('\n'))
        {
            if (line.Split(' ') is [var name, var number]
                && ulong.TryParse(number, CultureInfo.InvariantCulture, out ulong count))
            {
                written += name is "pswpout" or "swpout_zero" ? count : 0;
                refused += name is "htlb_buddy_alloc_fail" ? count : 0;
            }
        }

        return (written, refused);
    }
}
