using ShmCheck.Abi;
using ShmCheck.Harness.Exploring;
using ShmCheck.Harness.Reporting;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Exploring;

/// <summary>Explorations count exactly, lose nothing by their reductions, and go on where they
/// ended.</summary>
public sealed class ExplorerTests : IDisposable
{
    private const int Depth = 8;
    private readonly string _directory =
        Directory.CreateTempSubdirectory("shmcheck-exploring-").FullName;

    public static TheoryData<int> Lies => [.. Enumerable.Range(0, Lie.All.Length)];

    private static Scope Tiny => Scope.All.Single(scope => scope.Name == "tiny");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void All_sequences_of_the_tiny_scope_are_covered()
    {
        ExplorationReport report = Explore(new ExplorationOptions { Jobs = 2 });
        Assert.True(report.Closed);
        Assert.Empty(report.Violations);
        Assert.Equal((27_654L, 375_437L, 26_603L, 20),
            (report.States, report.Transitions, report.Pruned, report.Depth));
    }

    [Theory]
    [InlineData(false, false, 6_237, 37_382, 0)]
    [InlineData(false, true, 6_237, 35_460, 1_922)]
    [InlineData(true, false, 2_559, 16_587, 0)]
    [InlineData(true, true, 2_559, 15_880, 707)]
    public void States_and_transitions_to_a_depth_are_as_many_as_ever(
        bool symmetry, bool partialOrder, long states, long transitions, long pruned)
    {
        ExplorationReport report = Explore(new ExplorationOptions
        {
            Depth = Depth,
            Symmetry = symmetry,
            PartialOrder = partialOrder,
        });
        Assert.Equal(ExplorationEnd.Depth, report.End);
        Assert.Equal((states, transitions, pruned),
            (report.States, report.Transitions, report.Pruned));
        Assert.Empty(report.Violations);
    }

    [Theory]
    [InlineData("locks", 10_135, 48_509, 1_661)]
    [InlineData("small", 8_748, 38_393, 2_964)]
    public void Mixed_scopes_have_as_many_states_as_ever(
        string name, long states, long transitions, long pruned)
    {
        ExplorationReport report = new Explorer(
            new ImplFactory(), Scope.All.Single(scope => scope.Name == name),
            new ExplorationOptions { Depth = 7, Jobs = 2 }).Run();
        Assert.Equal((states, transitions, pruned),
            (report.States, report.Transitions, report.Pruned));
        Assert.Empty(report.Violations);
    }

    [Fact]
    public void Threads_do_not_change_the_numbers()
    {
        ExplorationReport one = Explore(new ExplorationOptions { Depth = Depth });
        ExplorationReport three = Explore(new ExplorationOptions { Depth = Depth, Jobs = 3 });
        AssertSame(one, three);
    }

    /// <summary>A node stands for every sequence that leads to it: which of them comes first must
    /// not matter.</summary>
    [Fact]
    public void The_order_of_the_calls_does_not_change_the_numbers()
    {
        var reversed = new Scope(
            "reversed", Tiny.Machine, Tiny.Bounds, [.. Tiny.Alphabet.Reverse()]);
        var options = new ExplorationOptions { Depth = Depth, PartialOrder = false };
        ExplorationReport forward = Explore(options);
        ExplorationReport backward = new Explorer(new ImplFactory(), reversed, options).Run();
        Assert.Equal((forward.States, forward.Transitions, forward.Depth),
            (backward.States, backward.Transitions, backward.Depth));
        Assert.Equal(forward.RulesFired.AsEnumerable(), backward.RulesFired);
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_lie_is_found_by_a_shortest_sequence(int number)
    {
        Lie lie = Lie.All[number];
        var options = new ExplorationOptions { Depth = lie.Calls };
        ExplorationReport before = Explore(
            options with { Depth = lie.Calls - 1 }, new LyingFactory(lie));
        ExplorationReport report = Explore(options, new LyingFactory(lie));
        Assert.Empty(before.Violations);
        Assert.NotEmpty(report.Violations);
        Assert.All(report.Violations, found =>
        {
            Assert.Equal(lie.Calls, found.Record.Calls.Count);
            Assert.DoesNotContain("rollback", DivergenceText.Trace(found.Record));
        });
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void No_reduction_loses_a_lie(int number)
    {
        var options = new ExplorationOptions { Depth = 7, Symmetry = false, PartialOrder = false };
        var factory = new LyingFactory(Lie.All[number]);
        string[] all = Fingerprints(options, factory);
        Assert.NotEmpty(all);
        Assert.Equal(all, Fingerprints(options with { Symmetry = true }, factory));
        Assert.Equal(all, Fingerprints(options with { PartialOrder = true }, factory));
        Assert.Equal(all, Fingerprints(
            options with { Symmetry = true, PartialOrder = true }, factory));
    }

    [Fact]
    public void An_interrupted_exploration_goes_on_where_it_ended()
    {
        var options = new ExplorationOptions { Depth = Depth };
        string path = Path.Combine(_directory, "unfinished");
        using var stop = new CancellationTokenSource();
        var first = new Explorer(
            new ImplFactory(), Tiny, options, new StopAt(500, stop), stop.Token);
        ExplorationReport part = first.Run();
        first.Save(path);
        Assert.Equal(ExplorationEnd.Interrupted, part.End);

        var second = new Explorer(new ImplFactory(), Tiny, options);
        second.Resume(path);
        ExplorationReport whole = second.Run();
        Assert.InRange(part.States, 500, whole.States - 1);
        AssertSame(Explore(options), whole);
    }

    [Fact]
    public void An_exploration_ends_where_its_memory_ends_and_goes_on_with_more()
    {
        // A little more than what an empty set and one page of the tree take.
        var little = new ExplorationOptions { Depth = Depth, Memory = 462_000 };
        string path = Path.Combine(_directory, "unfinished");
        var first = new Explorer(new ImplFactory(), Tiny, little);
        ExplorationReport part = first.Run();
        first.Save(path);
        Assert.Equal(ExplorationEnd.Memory, part.End);
        Assert.False(part.Closed);
        Assert.InRange(part.Bytes, 1, little.Memory);
        Assert.NotEqual(0, part.Frontier);

        var second = new Explorer(
            new ImplFactory(), Tiny, little with { Memory = ExplorationOptions.DefaultMemory });
        second.Resume(path);
        AssertSame(Explore(new ExplorationOptions { Depth = Depth }), second.Run());
    }

    [Fact]
    public void What_was_kept_of_one_exploration_is_of_no_use_to_another()
    {
        string path = Path.Combine(_directory, "unfinished");
        var options = new ExplorationOptions { Depth = 2 };
        var explorer = new Explorer(new ImplFactory(), Tiny, options);
        explorer.Run();
        explorer.Save(path);
        var other = new Explorer(
            new ImplFactory(), Tiny, options with { Symmetry = false });
        Assert.Throws<FormatException>(() => other.Resume(path));

        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^9]);
        Assert.Throws<FormatException>(
            () => new Explorer(new ImplFactory(), Tiny, options).Resume(path));
    }

    private static string[] Fingerprints(ExplorationOptions options, ISystemFactory factory) =>
    [
        .. Explore(options, factory).Violations
            .Select(found => $"{found.Record.Calls.Count} {found.Fingerprint}").Order(),
    ];

    private static ExplorationReport Explore(
        ExplorationOptions options, ISystemFactory? factory = null) =>
        new Explorer(factory ?? new ImplFactory(), Tiny, options).Run();

    private static void AssertSame(ExplorationReport one, ExplorationReport other)
    {
        Assert.Equal(
            (one.End, one.States, one.Transitions, one.Pruned, one.Depth, one.Frontier),
            (other.End, other.States, other.Transitions, other.Pruned, other.Depth,
                other.Frontier));
        Assert.Equal(one.RulesFired.AsEnumerable(), other.RulesFired);
    }

    /// <summary>Stops an exploration when it has found enough states.</summary>
    private sealed class StopAt(long states, CancellationTokenSource stop)
        : IProgress<ExplorationProgress>
    {
        public void Report(ExplorationProgress value)
        {
            if (value.States >= states)
            {
                stop.Cancel();
            }
        }
    }
}
