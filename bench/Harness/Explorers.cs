using System.Diagnostics;
using ShmCheck.Harness.Exploring;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Harness;

/// <summary>An exploration that has ended.</summary>
/// <param name="States">States found.</param>
/// <param name="Transitions">Transitions made.</param>
/// <param name="Elapsed">Time it took.</param>
/// <param name="Bytes">Memory that states took.</param>
internal readonly record struct Exploration(
    long States, long Transitions, TimeSpan Elapsed, long Bytes);

/// <summary>SPIN and the explorers here on the same models. Those that explore without a
/// reduction must count alike before their times mean anything.</summary>
internal static class Explorers
{
    private sealed record Entry(string Name, bool Reduces, Func<Exploration> Run)
    {
        public List<Exploration> Results { get; } = [];

        public double Seconds => Results.Select(r => r.Elapsed.TotalSeconds).Order()
            .ElementAt(Results.Count / 2);
    }

    /// <summary>Prints the tables.</summary>
    /// <exception cref="InvalidOperationException">Two count differently.</exception>
    public static void Print(int rounds, TextWriter output)
    {
        Print(output, rounds, "2 processes, 2 segments (the scope `model`)",
        [
            .. Packed(2, 2),
            new("shmcheck explore --no-reduction --jobs 1", false, () => Explore(reduces: false)),
            new("shmcheck explore --jobs 1", true, () => Explore(reduces: true)),
        ]);
        Print(output, rounds, "2 processes, 3 segments", Packed(2, 3));
    }

    /// <summary>Prints the table of the model where there is most to be told apart by names only:
    /// some minutes a round.</summary>
    /// <exception cref="InvalidOperationException">Two count differently.</exception>
    public static void PrintLargest(int rounds, TextWriter output) =>
        Print(output, rounds, "3 processes, 3 segments", Packed(3, 3));

    private static void Print(TextWriter output, int rounds, string title, Entry[] entries)
    {
        for (int round = 0; round < rounds; round++)
        {
            foreach (Entry entry in entries)
            {
                entry.Results.Add(entry.Run());
                RequireEqual(entries[0], entry);
            }
        }

        output.WriteLine($"{title}: medians of {rounds} rounds, taken in turn");
        output.WriteLine($"{"",-42} {"states",9} {"transitions",11} {"seconds",8} "
            + $"{"states/s",10} {"MiB",6} {"x SPIN",7}");
        foreach (Entry entry in entries)
        {
            Exploration last = entry.Results[^1];
            output.WriteLine($"{entry.Name,-42} {last.States,9} {last.Transitions,11} "
                + $"{entry.Seconds,8:0.000} {last.States / entry.Seconds,10:0} "
                + $"{last.Bytes / 1048576.0,6:0} {entries[0].Seconds / entry.Seconds,7:0.00}");
        }

        output.WriteLine();
    }

    private static void RequireEqual(Entry spin, Entry entry)
    {
        (Exploration one, Exploration other) = (spin.Results[^1], entry.Results[^1]);
        if (!entry.Reduces && (one.States != other.States
            || Math.Abs(one.Transitions - other.Transitions) > Unshown(one.Transitions)))
        {
            throw new InvalidOperationException($"{spin.Name} counts {one.States} states and "
                + $"{one.Transitions} transitions, {entry.Name} {other.States} and "
                + $"{other.Transitions}");
        }
    }

    /// <summary>What a count may have lost behind the eight digits that SPIN prints.</summary>
    private static long Unshown(long count) => count < 100_000_000 ? 0
        : (long)Math.Pow(10, Math.Floor(Math.Log10(count)) - 7);

    private static Entry[] Packed(int processes, int segments) =>
    [
        new("SPIN, depth first", false, new Spin(
            processes, segments, "-O3", "-march=native", "-DSAFETY", "-DNOREDUCE").Run),
        new("packed states", false, () => Search(processes, segments, false)),
        new("packed states, symmetry", true, () => Search(processes, segments, true)),
    ];

    private static Exploration Search(int processes, int segments, bool symmetric)
    {
        var clock = Stopwatch.StartNew();
        SearchResult found = PackedSearch.Run(new ShmModel(processes, segments, symmetric));
        return new Exploration(found.States, found.Transitions, clock.Elapsed, found.Bytes);
    }

    private static Exploration Explore(bool reduces)
    {
        Scope scope = Scope.All.Single(scope => scope.Name == "model");
        ExplorationReport report = new Explorer(
            new ImplFactory(), scope,
            new ExplorationOptions { Symmetry = reduces, PartialOrder = reduces }).Run();
        return report is { Closed: true, Violations.IsEmpty: true }
            ? new Exploration(
                report.States, report.Transitions, report.Elapsed, report.Bytes)
            : throw new InvalidOperationException("the exploration found something");
    }
}
