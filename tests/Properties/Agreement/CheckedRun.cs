using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Properties.Agreement;

/// <summary>A sequence of calls, run on a system and on the specification. FsCheck draws it; when
/// it diverges, the shrinker of the harness shrinks it, in one step. As text it is the trace that
/// the console would show.</summary>
public sealed class CheckedRun
{
    private readonly ISystemFactory _factory;
    private readonly bool _shrunk;

    private CheckedRun(ISystemFactory factory, RunRecord record, bool shrunk)
    {
        _factory = factory;
        Record = record;
        _shrunk = shrunk;
    }

    /// <summary>What happened.</summary>
    public RunRecord Record { get; }

    /// <summary>Whether the system agreed with the specification all the way.</summary>
    public bool Agrees => Record.Divergence is null;

    /// <summary>Runs of a system, with a shrinker.</summary>
    /// <param name="factory">The system.</param>
    /// <param name="profile">The kernel whose behaviour is meant.</param>
    /// <param name="length">Calls in a sequence.</param>
    public static Arbitrary<CheckedRun> Runs(
        ISystemFactory factory, KernelProfile profile, int length) =>
        Arb.From(
            RunPlan.Plans([profile]).Select(plan => Run(factory, plan, length)),
            run => run.Shrink());

    /// <inheritdoc/>
    public override string ToString() => DivergenceText.Trace(Record);

    private static CheckedRun Run(ISystemFactory factory, RunPlan plan, int length)
    {
        MachineConfig machine = factory.Capabilities.Adapt(plan.Machine);
        var record = new RunRecord();
        var calls = new SequenceGenerator(plan.Seed, machine, factory.Capabilities, length);
        new SequenceRunner(factory).Run(machine, calls, record);
        return new CheckedRun(factory, record, shrunk: false);
    }

    private IEnumerable<CheckedRun> Shrink() => !_shrunk && !Agrees
        && Shrinker.Shrink(new SequenceRunner(_factory), Record) is { } result
            ? [new CheckedRun(_factory, result.Record, shrunk: true)] : [];
}
