using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.PlantedFaults;

/// <summary>Systems that keep their books as the specification says, but for planted faults: what
/// is found in them, and how short it gets, is known beforehand.</summary>
public sealed class FaultyFactory(params ImmutableArray<Func<PlantedFault>> faults)
    : ISystemFactory
{
    /// <inheritdoc/>
    public string Name => "faulty";

    /// <inheritdoc/>
    /// <remarks>Faults know segments by their identifiers, so that there is one IPC namespace.
    /// </remarks>
    public SystemCapabilities Capabilities { get; } = SpecSystem.Factory.Capabilities with
    {
        Calls = SystemCapabilities.AllCalls.Except([CallKind.Unshare, CallKind.SetNs]),
        CanBeAsked = call => call is not Clone { Flags: var flags }
            || (flags & CloneFlags.CLONE_NEWIPC) == 0,
    };

    /// <inheritdoc/>
    public ISystemUnderTest Start(MachineConfig config) =>
        new FaultySystem(SpecSystem.Factory.Start(config), [.. faults.Select(plant => plant())]);

    private sealed class FaultySystem(
        ISystemUnderTest honest, ImmutableArray<PlantedFault> faults) : ISystemUnderTest
    {
        private Observation _before = new();
        private Observation _after = new();

        public int FirstPid => honest.FirstPid;

        public long Clock => honest.Clock;

        public Reply Execute(Call call, Bindings bindings)
        {
            honest.Observe(_before);
            Reply reply = honest.Execute(call, bindings);
            honest.Observe(_after);
            var step = new FaultyStep(call, bindings, reply, _before, _after);
            foreach (PlantedFault fault in faults)
            {
                fault.Mark(step);
                reply = fault.Answer(step) ?? reply;
            }

            (_before, _after) = (_after, _before);
            return reply;
        }

        public void Observe(Observation observation)
        {
            honest.Observe(observation);
            foreach (PlantedFault fault in faults)
            {
                fault.Distort(observation);
            }
        }

        public void Dispose() => honest.Dispose();
    }
}
