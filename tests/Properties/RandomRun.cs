using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;

namespace ShmCheck.Properties;

/// <summary>Runs of random calls that depend on a seed alone.</summary>
internal static class RandomRun
{
    /// <summary>A machine as campaigns draw them.</summary>
    public static MachineConfig Machine(ulong seed) =>
        RunPlan.Plans(SystemCapabilities.AllProfiles).Sample(1, new Rnd(seed, 1), 50)
            .Single().Machine;

    /// <summary>A run of random calls on a machine.</summary>
    public static RunRecord Of(
        ISystemFactory factory, MachineConfig machine, ulong seed, int length)
    {
        var record = new RunRecord();
        var calls = new SequenceGenerator(seed, machine, factory.Capabilities, length);
        new SequenceRunner(factory).Run(machine, calls, record);
        return record;
    }
}
