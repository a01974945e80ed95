using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Planning;

namespace ShmCheck.Harness.Campaigns;

/// <summary>A run as FsCheck draws it: the machine, and the seed that the calls are drawn from.
/// </summary>
/// <param name="Machine">The machine.</param>
/// <param name="Seed">The seed.</param>
public sealed record RunPlan(MachineConfig Machine, ulong Seed)
{
    /// <summary>Plans for the given profiles.</summary>
    public static Gen<RunPlan> Plans(IReadOnlyCollection<KernelProfile> profiles) =>
        from machine in MachineGenerator.Machines(profiles)
        from high in Gen.Choose(int.MinValue, int.MaxValue)
        from low in Gen.Choose(int.MinValue, int.MaxValue)
        select new RunPlan(machine, ((ulong)(uint)high << 32) | (uint)low);
}

/// <summary>What a block of runs did.</summary>
/// <param name="Index">Which block.</param>
/// <param name="Runs">Sequences run.</param>
/// <param name="Planned">Those of them that began with a plan.</param>
/// <param name="Steps">Calls compared.</param>
/// <param name="Skipped">Calls that were drawn but could not be made.</param>
/// <param name="Observed">Calls behind which every figure was looked at.</param>
/// <param name="ObservationTime">Time that the system took to show them.</param>
/// <param name="Coverage">What was exercised.</param>
/// <param name="Allowances">What the system showed otherwise and was let pass.</param>
/// <param name="Divergences">Those met, by fingerprint.</param>
public sealed record BlockResult(
    long Index, int Runs, int Planned, long Steps, long Skipped, long Observed,
    TimeSpan ObservationTime, CoverageMap Coverage,
    Allowances Allowances, IReadOnlyDictionary<Fingerprint, Sighting> Divergences);

/// <summary>A fingerprint within a block.</summary>
/// <param name="First">The first run with it.</param>
/// <param name="Steps">Calls that the block had compared by the end of that run.</param>
/// <param name="Count">Runs with it.</param>
public sealed record Sighting(RunRecord First, long Steps, long Count);

/// <summary>A fixed number of runs that learn from each other and from nothing else: sequences
/// that reach something new are kept, and later runs of the block start from a part of one. So a
/// block depends on its seed alone, and is the unit of sharding and of replay. When runs bring
/// no rule that is new to the block, the next one starts with a plan for something that has not
/// happened in it.</summary>
internal sealed class Block(
    ISystemFactory factory, CampaignOptions options, Ledger? ledger, Steering steering)
{
    public const int RunsPerBlock = 64;
    private const int MostKept = 48;

    /// <summary>One run in so many is longer than the others, by this factor.</summary>
    private const int RunsForLongOne = 8;
    private const int LongFactor = 3;

    /// <summary>So few swap slots are soon full.</summary>
    private const ulong MostFewSlots = 4;

    /// <summary>Runs without a new rule after which the next one is planned.</summary>
    private const int BarrenRuns = 2;

    /// <summary>Searches that a block may ask for.</summary>
    private const int MostSearches = 6;

    /// <summary>Runs that go on while a plan is searched for, where the system is waited for
    /// more than the specification.</summary>
    private const int RunsWithinSearch = 4;

    private readonly HashSet<Target> _tried = [];
    private Task<Plan?>? _search;
    private int _searchDue;
    private readonly List<(MachineConfig Machine, Call[] Calls)> _kept = [];

    /// <summary>Runs a block.</summary>
    /// <param name="index">Which.</param>
    /// <param name="onDivergence">Told of the first run with each fingerprint at once.</param>
    /// <param name="cancelled">Ends the block after the present run.</param>
    /// <returns>The result; null when cancelled.</returns>
    public BlockResult? Run(
        long index, Action<RunRecord> onDivergence, CancellationToken cancelled)
    {
        ulong seed = Random64.Mix(options.Seed, (ulong)index);
        var random = new Random64(seed);
        RunPlan[] plans = RunPlan.Plans(options.Profiles)
            .Sample(RunsPerBlock, new Rnd(seed, random.Next() | 1), 50);
        plans = factory.Capabilities.SwapIsCostly ? WithFewChangesOfSwap(plans) : plans;
        var coverage = new CoverageMap();
        var runner = new SequenceRunner(
            factory, coverage, ledger, options.ObserveEvery);
        var allowances = new Allowances();
        var divergences = new Dictionary<Fingerprint, Sighting>();
        var record = new RunRecord();
        long steps = 0;
        long skipped = 0;
        long observed = 0;
        TimeSpan observationTime = TimeSpan.Zero;
        int planned = 0;
        int barren = 0;
        for (int run = 0; run < plans.Length; run++)
        {
            if (cancelled.IsCancellationRequested)
            {
                return null;
            }

            coverage.StartRun();
            StartSearch(run, index, coverage, barren >= BarrenRuns);
            Plan? steered = PlanDue(run);
            int fired = coverage.RulesFired;
            RunOne(runner, plans[run], steered, random, record);
            planned += steered is null ? 0 : 1;
            barren = coverage.RulesFired > fired ? 0 : barren + 1;
            steps += record.Compared;
            skipped += record.Calls.Count - record.Compared;
            observed += record.Observed;
            observationTime += record.ObservationTime;
            allowances.Add(record.Allowances);
            if (record.Divergence is not null)
            {
                Sight(record, steps, divergences, onDivergence);
                record = new RunRecord();
            }
            else if (coverage.TakeNovelty() && _kept.Count < MostKept)
            {
                _kept.Add((record.Machine, [.. record.Calls]));
            }
        }

        return new BlockResult(
            index, plans.Length, planned, steps, skipped, observed, observationTime, coverage,
            allowances, divergences);
    }

    /// <summary>Takes down what a run has found; the first with each fingerprint is kept.</summary>
    private static void Sight(
        RunRecord found, long steps, Dictionary<Fingerprint, Sighting> divergences,
        Action<RunRecord> onDivergence)
    {
        Fingerprint fingerprint = found.Divergence!.Fingerprint;
        if (divergences.TryGetValue(fingerprint, out Sighting? before))
        {
            divergences[fingerprint] = before with { Count = before.Count + 1 };
        }
        else
        {
            divergences.Add(fingerprint, new Sighting(found, steps, 1));
            onDivergence(found);
        }

        if (found.LostAhead is { } lost)
        {
            Sight(lost, steps, divergences, onDivergence);
        }
    }

    /// <summary>The same plans with no swap, as few slots as one of them has, or as many, one
    /// after the other.</summary>
    private static RunPlan[] WithFewChangesOfSwap(RunPlan[] plans)
    {
        ulong First(bool few) => plans.Select(plan => plan.Machine.SwapSlots)
            .FirstOrDefault(slots => slots > 0 && slots <= MostFewSlots == few);
        ulong few = First(true);
        ulong many = First(false);
        return
        [
            .. plans.Select(plan => plan with
            {
                Machine = plan.Machine with
                {
                    SwapSlots = plan.Machine.SwapSlots == 0 ? 0
                        : plan.Machine.SwapSlots <= MostFewSlots ? few : many,
                },
            }).OrderBy(plan => plan.Machine.SwapSlots),
        ];
    }

    /// <summary>Searches for the next plan, on a thread of its own where runs go on meanwhile.
    /// Which run starts with it does not depend on how long that takes.</summary>
    private void StartSearch(int run, long index, CoverageMap coverage, bool barren)
    {
        if (_search is null && barren && _tried.Count < MostSearches
            && steering.Next(index, coverage, _tried) is { } target)
        {
            bool aside = factory.Capabilities.OneAtATime;
            _searchDue = run + (aside ? RunsWithinSearch : 0);
            _search = aside ? Task.Run(() => steering.PlanFor(index, target))
                : Task.FromResult(steering.PlanFor(index, target));
        }
    }

    private Plan? PlanDue(int run)
    {
        if (_search is null || run < _searchDue)
        {
            return null;
        }

        Plan? plan = _search.GetAwaiter().GetResult();
        _search = null;
        return plan;
    }

    /// <summary>The machine of a plan, with the swap that is in use as it is unless the plan
    /// needs another one.</summary>
    private MachineConfig MachineOf(Plan plan, ulong swapSlots)
    {
        MachineConfig same = plan.Machine with { SwapSlots = swapSlots };
        return factory.Capabilities.SwapIsCostly
            && SpecWalk.Hits(same, factory.Capabilities, plan.Calls, plan.Target)
                ? same : plan.Machine;
    }

    private void RunOne(
        SequenceRunner runner, RunPlan plan, Plan? steered, Random64 random, RunRecord record)
    {
        MachineConfig machine = factory.Capabilities.Adapt(plan.Machine);
        ArraySegment<Call> prefix = ArraySegment<Call>.Empty;
        if (steered is not null)
        {
            machine = MachineOf(steered, machine.SwapSlots);
            prefix = new ArraySegment<Call>([.. steered.Calls]);
        }
        else if (_kept.Count > 0 && random.OneIn(2))
        {
            (MachineConfig kept, Call[] calls) = _kept[random.Below(_kept.Count)];
            if (!factory.Capabilities.SwapIsCostly || kept.SwapSlots == machine.SwapSlots)
            {
                machine = kept;
                prefix = new ArraySegment<Call>(calls, 0, random.Below(calls.Length + 1));
            }
        }

        var generator = new SequenceGenerator(
            plan.Seed, machine, factory.Capabilities,
            random.OneIn(RunsForLongOne) ? options.Length * LongFactor : options.Length, prefix);
        runner.Run(machine, generator, record);
    }
}
