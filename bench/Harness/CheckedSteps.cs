using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Generating;
using ShmCheck.Impl;
using ShmCheck.Spec;

namespace ShmCheck.Bench.Harness;

/// <summary>What a checked step costs: random runs as <c>check</c> makes them, and the same calls
/// made on each part of the check alone.</summary>
internal sealed class CheckedSteps
{
    private const int Length = 100;
    private const int Runs = 300;

    /// <summary>What the live kernel took for a call of a random mix, in ns: a C loop in an IPC
    /// namespace of its own, Linux 6.18, another machine.</summary>
    private const double KernelCall = 2_640;
    private static readonly ImplFactory Factory = new();
    private readonly ulong _seed;
    private readonly RunPlan[] _plans;
    private readonly List<(MachineConfig Machine, Call[] Calls)> _runs = [];
    private readonly CoverageMap _coverage = new();
    private readonly SequenceRunner _runner;
    private readonly RunRecord _record = new();

    private CheckedSteps(int runs, ulong seed)
    {
        _seed = seed;
        _runner = new SequenceRunner(Factory, _coverage);
        _plans = Draw(runs);
        foreach (RunPlan plan in _plans)
        {
            Check(plan);
            _runs.Add((_record.Machine, [.. _record.Calls
                .Where((_, at) => _record.Replies[at] is not null)]));
        }
    }

    private IReadOnlyList<Contender> Contenders =>
    [
        new("checked step, machine and seed given", () => _plans.Sum(Check)),
        new("checked step, drawn by FsCheck", () => Draw(_plans.Length).Sum(Check)),
        new("  the same calls, not drawn", () => _runs.Sum(Replay)),
        new("  specification: step", () => _runs.Sum(run => Step(SpecSystem.Factory, run, false))),
        new("  specification: step, observe",
            () => _runs.Sum(run => Step(SpecSystem.Factory, run, true))),
        new("  specification: step, invariants", () => _runs.Sum(StepWithInvariants)),
        new("  implementation: step", () => _runs.Sum(run => Step(Factory, run, false))),
        new("  implementation: step, observe",
            () => _runs.Sum(run => Step(Factory, run, true))),
    ];

    /// <summary>Prints the table.</summary>
    public static void Print(int rounds, TextWriter output)
    {
        IReadOnlyList<Contender> alone = new CheckedSteps(Runs, 7).Contenders;
        var threads = new Contender(
            $"checked step, on {Environment.ProcessorCount} threads", Threads);
        Contender.Race(rounds, [.. alone, threads]);
        output.WriteLine($"checked steps: medians of {rounds} rounds, taken in turn");
        output.WriteLine($"{"",-42} {"ns",8} {"steps/s",10} {"B",7} {"x kernel",8}");
        foreach (Contender contender in alone.Append(threads))
        {
            output.WriteLine($"{contender.Name,-42} {contender.Nanoseconds,8:0} "
                + $"{1e9 / contender.Nanoseconds,10:0} {contender.Bytes,7:0} "
                + $"{KernelCall / contender.Nanoseconds,8:0.00}");
        }

        output.WriteLine();
    }

    private static readonly CheckedSteps[] EachThread =
        [.. Enumerable.Range(0, Environment.ProcessorCount)
            .Select(number => new CheckedSteps(Runs, (ulong)number + 11))];

    private static long Threads()
    {
        long steps = 0;
        Parallel.ForEach(EachThread, of => Interlocked.Add(
            ref steps, of._plans.Sum(of.Check)));
        return steps;
    }

    private RunPlan[] Draw(int runs) => RunPlan.Plans(SystemCapabilities.AllProfiles)
        .Sample(runs, new FsCheck.Rnd(_seed, _seed | 1), 50);

    private long Check(RunPlan plan)
    {
        var generator = new SequenceGenerator(
            plan.Seed, plan.Machine, Factory.Capabilities, Length);
        _runner.Run(plan.Machine, generator, _record);
        return Compared();
    }

    private long Replay((MachineConfig Machine, Call[] Calls) run)
    {
        _runner.Run(run.Machine, new CallList(run.Calls), _record, endProcesses: false);
        return Compared();
    }

    private long Compared() => _record.Divergence is null ? _record.Compared
        : throw new InvalidOperationException($"{_record.Divergence.Fingerprint}");

    private static long Step(
        ISystemFactory factory, (MachineConfig Machine, Call[] Calls) run, bool observes)
    {
        using ISystemUnderTest system = factory.Start(run.Machine);
        var bindings = new Bindings();
        var observation = new Observation();
        bindings.Bind(ProcessHandle.First, system.FirstPid);
        foreach (Call call in run.Calls)
        {
            bindings.Bind(call, system.Execute(call, bindings));
            if (observes)
            {
                system.Observe(observation);
            }
        }

        return run.Calls.Length;
    }

    private static long StepWithInvariants((MachineConfig Machine, Call[] Calls) run)
    {
        using var system = (SpecSystem)SpecSystem.Factory.Start(run.Machine);
        var bindings = new Bindings();
        var watch = new InvariantWatch();
        bindings.Bind(ProcessHandle.First, system.FirstPid);
        foreach (Call call in run.Calls)
        {
            bindings.Bind(call, system.Execute(call, bindings));
            _ = watch.FindViolations(system.State).Count;
        }

        return run.Calls.Length;
    }
}
