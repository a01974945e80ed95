using FsCheck;
using FsCheck.Xunit;
using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>What holds for every step of every run, on every kernel.</summary>
public class StepLaws
{
    private const int Runs = 100;

    private static SpecifiedRun Run(DoNotSize<ulong> seed) => new(
        seed.Item, SystemCapabilities.AllProfiles[(int)(seed.Item % 4)]);

    [Property(MaxTest = Runs)]
    public void A_step_leaves_the_state_it_starts_from_as_it_was(DoNotSize<ulong> seed)
    {
        var run = Run(seed);
        var before = run.Steps.Select(step => SpecifiedRun.Bytes(step.Before)).ToList();
        foreach (SpecifiedStep step in run.Steps)
        {
            step.Again();
        }

        Assert.All(
            run.Steps.Zip(before),
            pair => Assert.Equal(pair.Second, SpecifiedRun.Bytes(pair.First.Before)));
    }

    [Property(MaxTest = Runs)]
    public void The_same_call_in_the_same_state_has_the_same_outcome(DoNotSize<ulong> seed)
    {
        foreach (SpecifiedStep step in Run(seed).Steps)
        {
            StepResult again = step.Again();
            Assert.True(step.Result.Reply == again.Reply, $"{step}: {again.Reply}");
            Assert.Same(step.Result.Rule, again.Rule);
            Assert.Equal(SpecifiedRun.Bytes(step.Result.State), SpecifiedRun.Bytes(again.State));
        }
    }

    [Property(MaxTest = Runs)]
    public void Every_invariant_holds_after_every_step(DoNotSize<ulong> seed)
    {
        foreach (SpecifiedStep step in Run(seed).Steps)
        {
            IReadOnlyList<Violation> found =
                Spec.Specification.FindViolations(step.Result.State);
            Assert.True(found.Count == 0, $"{step}: {string.Join("; ", found)}");
        }
    }

    [Property(MaxTest = Runs)]
    public void A_call_that_its_arguments_condemn_changes_nothing(DoNotSize<ulong> seed)
    {
        HashSet<string> first = [.. CallShapes.ErrorsFoundFirst.Except(FoundLate)];
        foreach (SpecifiedStep step in Run(seed).Steps
            .Where(step => first.Contains(step.Result.Rule.Id)))
        {
            Assert.True(
                SpecifiedRun.Bytes(step.Before).AsSpan()
                    .SequenceEqual(SpecifiedRun.Bytes(step.Result.State)),
                $"{step} fails by {step.Result.Rule}, and changes something");
        }
    }

    /// <summary>Errors that shmat finds when it has begun, which makes shm_rmid_forced destroy
    /// what nobody attaches; that mmap, mremap and madvise may find when they have unmapped or
    /// done something; or that make a wish for an identifier be forgotten.</summary>
    private static readonly string[] FoundLate =
    [
        "shmat.einval.wrap", "shmat.einval.occupied", "shmat.einval.empty",
        "shmget.enospc.next-id", "munmap.einval.range", "clone.eperm.newipc",
        .. RuleCatalogue.Rules.Where(rule => rule.Family is "mmap" or "mremap" or "madvise")
            .Select(rule => rule.Id),
    ];

    [Property(MaxTest = Runs)]
    public void What_is_read_adds_up(DoNotSize<ulong> seed)
    {
        foreach (SpecifiedStep step in Run(seed).Steps)
        {
            Sums.Check(step.Result.State, step.ToString());
        }
    }

    [Property(MaxTest = Runs / 2)]
    public void When_the_last_process_has_ended_every_book_is_back_where_it_was(
        DoNotSize<ulong> seed)
    {
        foreach (KernelProfile profile in SystemCapabilities.AllProfiles)
        {
            SpecState end = new SpecifiedRun(seed.Item, profile).State;
            Assert.Equal(0, end.Tasks.Count);
            Assert.Empty(Spec.Specification.FindViolations(end));
            var (least, most) = (new Observation(), new Observation());
            Spec.Specification.Observe(end, least, most);
            ulong[] machine = new ulong[least.Global[0].Length];
            machine[(int)GlobalField.HugePages_Total] = end.Pool.Persistent;
            machine[(int)GlobalField.HugePages_Free] = end.Pool.Persistent;
            Assert.Equal(machine, least.Global[0].ToArray());
            Assert.Equal(0, least.Namespaces.Count + least.Segments.Count);
            Assert.Equal(0, least.Processes.Count + least.Mappings.Count);
        }
    }

    [Fact]
    public void The_runs_behind_these_laws_get_somewhere()
    {
        List<SpecState> states =
        [
            .. Enumerable.Range(1, 60).SelectMany(seed =>
                Run(DoNotSize<ulong>.NewDoNotSize((ulong)seed * 977)).Steps)
                .Select(step => step.Result.State),
        ];
        Assert.True(states.Count > 2000, $"{states.Count} steps");
        Assert.True(states.Exists(state => state.SlotsUsed > 0), "no page is ever swapped");
        Assert.True(states.Exists(state => state.SwapCached > 0), "the swap cache stays empty");
        Assert.True(states.Exists(state => state.Pool.Surplus > 0), "no surplus pages");
        Assert.True(states.Exists(state => state.Tasks.Count > 2), "there are no processes");
        Assert.True(states.Exists(state => state.Namespaces.Count > 1), "one namespace");
        Assert.True(states.Exists(state => state.Segments.Rows.Any(s => s.Destroyed)), "no DEST");
    }

    [Theory]
    [InlineData(
        "p1 mmap(@4, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED) = a1",
        "p1 store(a1, page 0, 0x1)\np1 munmap(a1, 4096)")]
    [InlineData("p1 setrlimit(RLIMIT_AS, 0)", "p1 shmat(s1, NULL, 0) = a1")]
    public void Numbers_that_nobody_sees_do_not_make_states_differ(string first, string second)
    {
        var scene = new Scene();
        scene.Play("p1 shmget(IPC_PRIVATE, 4096, 0600) = s1");
        bool limited = first.Contains("setrlimit");
        byte[] before = SpecifiedRun.Bytes(limited ? scene.Play(first).State : scene.State);
        SpecState old = scene.State;
        scene.Play(limited ? second : $"{first}\n{second}");
        Assert.NotEqual(
            (old.NextFile, old.NextAnon), (scene.State.NextFile, scene.State.NextAnon));
        Assert.Equal(before, SpecifiedRun.Bytes(scene.State));
    }
}
