using ShmCheck.LiveTests;

namespace ShmCheck.Properties.Support;

/// <summary>What the attributes of live tests promise.</summary>
public sealed class LiveTestContract
{
    [Fact]
    public void A_test_whose_needs_are_met_runs()
    {
        Assert.Equal(
            new LiveVerdict.Run(),
            LiveVerdict.Of([LiveNeed.Root, LiveNeed.Swap], _ => null, required: true));
        Assert.Equal(new LiveVerdict.Run(), LiveVerdict.Of([], _ => "nothing", required: true));
    }

    [Fact]
    public void A_test_that_lacks_something_is_skipped_and_says_everything_it_lacks()
    {
        LiveVerdict verdict = LiveVerdict.Of(
            [LiveNeed.Root, LiveNeed.Swap, LiveNeed.CCompiler],
            need => need == LiveNeed.Swap ? null : $"there is no {need}",
            required: false);
        Assert.Equal(
            new LiveVerdict.Skip(
                "needs Root, but there is no Root; needs CCompiler, but there is no CCompiler"),
            verdict);
    }

    [Fact]
    public void Where_live_tests_are_required_the_skip_becomes_a_failure_with_the_same_reason()
    {
        LiveNeed[] needs = [LiveNeed.Root, LiveNeed.HugePages];
        LiveVerdict skip = LiveVerdict.Of(needs, _ => "it is gone", required: false);
        LiveVerdict fail = LiveVerdict.Of(needs, _ => "it is gone", required: true);
        Assert.Equal(
            Assert.IsType<LiveVerdict.Skip>(skip).Reason,
            Assert.IsType<LiveVerdict.Fail>(fail).Reason);
    }

    [Fact]
    public void A_bare_machine_lacks_everything()
    {
        using BareMachine bare = new();
        LiveMachine machine = bare.Machine(isRoot: false);
        Assert.All(Enum.GetValues<LiveNeed>(), need => Assert.NotNull(machine.Lack(need)));
    }

    [Fact]
    public void A_machine_with_everything_lacks_nothing()
    {
        using BareMachine bare = new();
        bare.Add("proc/sysvipc/shm", "");
        bare.Add("proc/self/ns/ipc", "");
        bare.Add("proc/self/status", "Name:\tx\nCapEff:\t0000000000200000\n");
        bare.Add("proc/sys/vm/nr_hugepages", "0\n");
        bare.Add("proc/swaps", "");
        bare.Add("bin/cc", "");
        bare.Add("bin/spin", "");
        bare.Add("bin/perl", "");
        bare.Add("bin/runsc", "");
        bare.Add("bin/qemu-x86_64-static", "");
        bare.Add("bin/valgrind", "");
        LiveMachine machine = bare.Machine(isRoot: true);
        Assert.All(Enum.GetValues<LiveNeed>(), need => Assert.Null(machine.Lack(need)));
    }

    [Fact]
    public void A_process_without_CAP_SYS_ADMIN_makes_no_IPC_namespaces()
    {
        using BareMachine bare = new();
        bare.Add("proc/self/ns/ipc", "");
        bare.Add("proc/self/status", "CapEff:\tffffffffffdfffff\n");
        Assert.Equal(
            "this process lacks CAP_SYS_ADMIN",
            bare.Machine(isRoot: true).Lack(LiveNeed.IpcNamespaces));
    }

    [Fact]
    public async Task A_live_fact_that_runs_passes()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Met));
        Assert.Single(outcome.Passed);
    }

    [Fact]
    public async Task A_live_fact_that_is_skipped_says_why()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Skipped));
        Assert.Equal("no such machine", Assert.Single(outcome.Skipped).Reason);
        Assert.Empty(outcome.Failed);
    }

    [Fact]
    public async Task A_live_fact_that_is_required_fails_and_says_why()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.Required));
        Assert.Equal("no such machine", outcome.MessageOfFailed);
        Assert.Empty(outcome.Skipped);
    }

    [Fact]
    public async Task A_live_theory_that_runs_has_all_its_rows()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.MetTheory));
        Assert.Equal(2, outcome.Passed.Count);
    }

    [Fact]
    public async Task A_live_theory_that_is_skipped_says_why_once()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.SkippedTheory));
        Assert.Equal("no such machine", Assert.Single(outcome.Skipped).Reason);
        Assert.Empty(outcome.Failed);
    }

    [Fact]
    public async Task A_live_theory_that_is_required_fails_and_says_why_once()
    {
        UndiscoveredTestOutcome outcome = await Run(nameof(Samples.RequiredTheory));
        Assert.Equal("no such machine", outcome.MessageOfFailed);
        Assert.Empty(outcome.Skipped);
    }

    private static Task<UndiscoveredTestOutcome> Run(string method) =>
        UndiscoveredTest.RunAsync(typeof(Samples), method);

    private static LiveVerdict Verdict(string name) => name switch
    {
        nameof(LiveVerdict.Run) => new LiveVerdict.Run(),
        nameof(LiveVerdict.Skip) => new LiveVerdict.Skip("no such machine"),
        nameof(LiveVerdict.Fail) => new LiveVerdict.Fail("no such machine"),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class DecidedFactAttribute(string verdict) : LiveFactAttribute(Verdict(verdict));

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class DecidedTheoryAttribute(string verdict)
        : LiveTheoryAttribute(Verdict(verdict));

#pragma warning disable xUnit1000 // Not public, so that only UndiscoveredTest runs them.
    private sealed class Samples
    {
        [DecidedFact(nameof(LiveVerdict.Run))]
        public void Met() => Assert.True(true);

        [DecidedFact(nameof(LiveVerdict.Skip))]
        public void Skipped() => Assert.Fail("It ran.");

        [DecidedFact(nameof(LiveVerdict.Fail))]
        public void Required() => Assert.Fail("It ran.");

        [DecidedTheory(nameof(LiveVerdict.Run))]
        [InlineData(1)]
        [InlineData(2)]
        public void MetTheory(int row) => Assert.InRange(row, 1, 2);

        [DecidedTheory(nameof(LiveVerdict.Skip))]
        [InlineData(1)]
        [InlineData(2)]
        public void SkippedTheory(int row) => Assert.Fail($"Row {row} ran.");

        [DecidedTheory(nameof(LiveVerdict.Fail))]
        [InlineData(1)]
        [InlineData(2)]
        public void RequiredTheory(int row) => Assert.Fail($"Row {row} ran.");
    }
#pragma warning restore xUnit1000

    private sealed class BareMachine : IDisposable
    {
        private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("shmcheck-live-");

        public LiveMachine Machine(bool isRoot) =>
            new(_root.FullName, Path.Combine(_root.FullName, "bin"), isRoot);

        public void Add(string path, string text)
        {
            string full = Path.Combine(_root.FullName, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            File.WriteAllText(full, text);
        }

        public void Dispose() => _root.Delete(recursive: true);
    }
}
