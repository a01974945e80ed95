using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Checking;

/// <summary>The specification as a system whose state changes by itself.</summary>
internal sealed class MeddledSystem : ISystemUnderTest, ISharesSwap
{
    private readonly Meddling _meddling;
    private readonly Observation _most = new();
    private readonly StepLog _log = new();
    private SpecState _state;
    private int _step;

    private MeddledSystem(MachineConfig machine, Meddling meddling)
    {
        _meddling = meddling;
        _state = Spec.Specification.Start(machine, FirstPid);
    }

    public int FirstPid => 1000;

    public long Clock { get; private set; } = 1_000_000;

    public ulong WrittenToSwap => _meddling.Written;

    /// <summary>Starts such systems.</summary>
    public static ISystemFactory Factory(Meddling meddling) => new MeddledFactory(meddling);

    /// <summary>A state in which reclaim has taken pages of the first segment.</summary>
    public static SpecState Reclaim(SpecState state, params ReadOnlySpan<ulong> pages)
    {
        var context = new StepContext(new Bindings(), new CanonicalChoices(), new StepLog());
        foreach (ulong page in pages)
        {
            state = Spec.Specification.Reclaim(
                state, state.Segments.Rows[0].Location, page, context);
        }

        return state;
    }

    public Reply Execute(Call call, Bindings bindings)
    {
        _state = _meddling.Before(++_step, _state);
        var context = new StepContext(bindings, new CanonicalChoices(), _log)
        {
            Now = Stamp.At(++Clock),
        };
        StepResult result = Spec.Specification.Step(_state, call, context);
        _state = _meddling.After(_step, result.State, _log);
        Clock++;
        return result.Reply;
    }

    public void Observe(Observation observation)
    {
        Spec.Specification.Observe(_state, observation, _most);
        _meddling.Figures(_step, observation);
    }

    public void Dispose()
    {
    }

    private sealed class MeddledFactory(Meddling meddling) : ISystemFactory
    {
        public string Name => "linux";

        public SystemCapabilities Capabilities { get; } = SpecSystem.Factory.Capabilities with
        {
            Profiles = [KernelProfile.Linux6_18],
            KernelRelease = "6.18.44",
            ReclaimSource = meddling.ReclaimSource,
            ForeignSlotSource = "mm/vmscan.c",
        };

        public ISystemUnderTest Start(MachineConfig config) =>
            new MeddledSystem(config, meddling);
    }
}

/// <summary>What changes by itself.</summary>
internal sealed record Meddling
{
    /// <summary>Changes the state before a call, which has a number from 1.</summary>
    public Func<int, SpecState, SpecState> Before { get; init; } = (_, state) => state;

    /// <summary>Changes the state behind a call.</summary>
    public Func<int, SpecState, StepLog, SpecState> After { get; init; } =
        (_, state, _) => state;

    /// <summary>Changes what is shown behind a call.</summary>
    public Action<int, Observation> Figures { get; init; } = (_, _) => { };

    /// <summary>Pages that anybody has written to swap.</summary>
    public ulong Written { get; init; }

    /// <summary>Who says that pages may go by themselves.</summary>
    public string ReclaimSource { get; init; } = "mm/vmscan.c";
}
