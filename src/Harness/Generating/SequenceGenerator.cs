using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Generating;

/// <summary>Draws a sequence of calls from a seed, looking at the state reached: at first the
/// calls of a prefix, then new ones.</summary>
public sealed class SequenceGenerator : ICallSource
{
    /// <summary>Calls for one that comes many times in a row, where a swarm has such.</summary>
    private const int CallsForOneRepetition = 30;

    private readonly Random64 _random;
    private readonly MachineConfig _machine;
    private readonly SystemCapabilities _capabilities;
    private readonly Swarm _swarm;
    private readonly World _world = new();
    private readonly SegmentCalls _segmentCalls;
    private readonly MemoryCalls _memoryCalls;
    private readonly ProcessCalls _processCalls;
    private readonly IReadOnlyList<Call> _prefix;
    private readonly int _length;
    private readonly Scenario _scenario;
    private CallKind _repeated;
    private int _repetitions;
    private int _drawn;

    /// <summary>A generator.</summary>
    /// <param name="seed">The same seed draws the same calls from the same states.</param>
    /// <param name="machine">The machine that the sequence runs on.</param>
    /// <param name="capabilities">What the system can be asked.</param>
    /// <param name="length">Number of calls in all.</param>
    /// <param name="prefix">Calls that come first.</param>
    public SequenceGenerator(
        ulong seed, MachineConfig machine, SystemCapabilities capabilities, int length,
        IReadOnlyList<Call>? prefix = null)
        : this(seed, machine, capabilities, length, prefix, null)
    {
    }

    /// <summary>A generator that draws some calls more often than others.</summary>
    internal SequenceGenerator(
        ulong seed, MachineConfig machine, SystemCapabilities capabilities, int length,
        IReadOnlyList<Call>? prefix, Focus? focus)
    {
        _random = new Random64(seed);
        _machine = machine;
        _capabilities = capabilities;
        _swarm = Swarm.Draw(_random, capabilities, focus);
        _length = length;
        _prefix = prefix ?? [];
        var arguments = new Arguments(_random, machine, _swarm, _world);
        _segmentCalls = new SegmentCalls(arguments);
        _memoryCalls = new MemoryCalls(arguments);
        _processCalls = new ProcessCalls(arguments);
        _scenario = new Scenario(arguments, capabilities);
    }

    /// <inheritdoc/>
    public bool CanBeForeseen => true;

    /// <inheritdoc/>
    public Call? Next(Observation observation, Bindings bindings)
    {
        if (_drawn == _length)
        {
            return null;
        }

        int at = _drawn++;
        return at < _prefix.Count ? _prefix[at]
            : _world.Processes.Count == 0 ? null : Inject(Draw(observation, bindings));
    }

    /// <inheritdoc/>
    public void Done(Call call, Reply? reply) => _world.Done(call, reply, _machine);

    private Call Draw(Observation observation, Bindings bindings)
    {
        if (_scenario.Next() is { } next)
        {
            return next;
        }

        CallKind kind = NextKind();
        return _segmentCalls.Draw(kind, observation, bindings) ?? _memoryCalls.Draw(kind)
            ?? _processCalls.Draw(kind)
            ?? throw new InvalidOperationException($"no generator draws {kind}");
    }

    /// <summary>The kind of the next call. Now and then one kind comes many times in a row: what
    /// goes wrong beyond the first word of a bitmap, or the first bits of a count, takes many of
    /// a thing.</summary>
    private CallKind NextKind()
    {
        if (_repetitions > 0)
        {
            _repetitions--;
            return _repeated;
        }

        CallKind kind = _swarm.Next(_random);
        if (_swarm.Repeats && _random.OneIn(CallsForOneRepetition))
        {
            _repeated = kind;
            _repetitions = _random.Of<int>([8, 20, 40, 80]);
        }

        return kind;
    }

    private Call Inject(Call call)
    {
        if (call.Injection is not null || _capabilities.Injections.IsEmpty
            || !_random.Percent(_swarm.InjectionPercent))
        {
            return call;
        }

        AllocationKind kind = _swarm.Failing is { } failing && _random.OneIn(2) ? failing
            : _random.Of<AllocationKind>(AllocationsOf(call));
        return _capabilities.Injections.Contains(kind)
            ? call with
            {
                Injection = new Injection(kind, _random.OneIn(2) ? 1 : 1 + _random.Below(3)),
            }
            : call;
    }

    /// <summary>What a call may allocate. Others never do, which is worth a try now and then.
    /// </summary>
    private ReadOnlySpan<AllocationKind> AllocationsOf(Call call) => call switch
    {
        _ when _random.OneIn(8) => Enum.GetValues<AllocationKind>(),
        ShmGet { Flags.HugeTlb: true } =>
        [
            AllocationKind.Huge, AllocationKind.Huge, AllocationKind.Id,
            AllocationKind.Bookkeeping,
        ],
        ShmGet => [AllocationKind.Id, AllocationKind.Bookkeeping],
        Reclaim or MAdvise { Advice: Advice.MADV_PAGEOUT } => [AllocationKind.Slot],
        MAdvise
        {
            Advice: Advice.MADV_NORMAL or Advice.MADV_RANDOM or Advice.MADV_SEQUENTIAL
                or Advice.MADV_DONTFORK or Advice.MADV_DOFORK or Advice.MADV_DONTDUMP
                or Advice.MADV_DODUMP,
        } => [AllocationKind.Bookkeeping],
        Load touch => PageOf(touch.Start),
        Store touch => PageOf(touch.Start),
        MLock or MAdvise => PageOf(((RangeCall)call).Start),
        SwapOff => [AllocationKind.Frame],
        SetSysctl => [AllocationKind.Huge],
        _ => [AllocationKind.Bookkeeping],
    };

    /// <summary>What a touch of a page allocates.</summary>
    private AllocationKind[] PageOf(AddressRef start) =>
        _world.Find(start.Handle) is not { } mapping
            ? [AllocationKind.Frame, AllocationKind.Huge]
            : mapping.Huge ? [AllocationKind.Huge] : [AllocationKind.Frame];
}
