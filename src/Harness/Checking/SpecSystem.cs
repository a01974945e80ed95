using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>The specification as a system under test: what every other system is compared with.
/// </summary>
public sealed class SpecSystem : ISystemUnderTest
{
    private readonly Choices _choices = new();
    private readonly StepLog _log = new();
    private readonly Observation _most = new();
    private SpecState _state;

    private SpecSystem(MachineConfig config) => _state = Specification.Start(config, FirstPid);

    /// <summary>Starts such systems.</summary>
    public static ISystemFactory Factory { get; } = new SpecFactory();

    /// <inheritdoc/>
    public int FirstPid => 1000;

    /// <inheritdoc/>
    public long Clock { get; private set; } = 1_000_000;

    /// <summary>The state reached.</summary>
    public SpecState State => _state;

    /// <inheritdoc/>
    public Reply Execute(Call call, Bindings bindings)
    {
        Clock++;
        var context = new StepContext(bindings, _choices, _log) { Now = Stamp.At(Clock) };
        StepResult result = Specification.Step(_state, call, context);
        _state = result.State;
        Clock++;
        return result.Reply;
    }

    /// <inheritdoc/>
    public void Observe(Observation observation)
    {
        Specification.Observe(_state, observation, _most);
        Specification.ObserveFrames(_state, observation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>As the specification chooses by itself, but that the first allocation of a kind
    /// which it does not count fails when it is asked to.</summary>
    private sealed class Choices : IChoices
    {
        private readonly CanonicalChoices _canonical = new();

        public int Identifier(int predicted, Func<int, bool> admissible) =>
            _canonical.Identifier(predicted, admissible);

        public ulong Place(Room room) => _canonical.Place(room);

        public int Pid(int predicted, Func<int, bool> admissible) =>
            _canonical.Pid(predicted, admissible);

        public bool Fails(Injection injection) => injection.Nth == 1;
    }

    private sealed class SpecFactory : ISystemFactory
    {
        public string Name => "spec";

        public SystemCapabilities Capabilities { get; } = new()
        {
            Calls = SystemCapabilities.AllCalls,
            Profiles = SystemCapabilities.AllProfiles,
            ShowsFrames = true,
            Injections = [.. Enum.GetValues<AllocationKind>()],
        };

        public ISystemUnderTest Start(MachineConfig config) => new SpecSystem(config);
    }
}
