using ShmCheck.Bench.Calls;
using ShmCheck.Bench.Reporting;
using ShmCheck.Systems.Live;

namespace ShmCheck.Bench.Live;

/// <summary>The calls that the agent makes on the running kernel beside the same calls in a C
/// loop: rows L1 (half as many a second, unobserved) and L2 (5,000 a second, fully observed).
/// </summary>
internal sealed class LiveBench(BenchOptions options)
{
    private const double Share = 0.5;
    private const double ObservedCalls = 5000;

    public void Run(TextWriter output)
    {
        var table = new Table(
            "row", "mix", "by", "all figures", "calls/s", "of the C loop", "min-max", "goal");
        var costs = new List<string>();
        using var linux = new LinuxFactory(
            new LinuxOptions { LockPatience = TimeSpan.FromMinutes(5) });
        string program = KernelLoop.Build();
        foreach (Mix mix in Mix.Short)
        {
            costs.Add(Rows(table, program, mix, linux));
        }

        output.WriteLine("Calls on the running kernel, by turns with a C loop:\n");
        output.WriteLine(table);
        output.WriteLine($"All figures once: {string.Join(", ", costs)}.\n");
    }

    /// <returns>What reading all figures costs.</returns>
    private string Rows(Table table, string program, Mix mix, LinuxFactory linux)
    {
        using var bare = new KernelLoop(program, mix);
        var agent = new AgentLoop(linux, mix);
        Func<double>[] ways =
        [
            bare.Run, () => agent.Run(Observed.Never), () => agent.Run(Observed.AtEnds),
            () => agent.Run(Observed.Always),
        ];
        double[][] times = Measure(ways);
        double[] medians = [.. times.Select(SideBySide.Median)];
        double observed = 1e9 / medians[3];
        table.Add("", mix.Name, "C loop", "never", $"{1e9 / medians[0]:0}", "", "", "");
        AddRow("L1", "never", 1, Goal($"{Share:P0} of the C loop", Shares(1).Median, Share));
        AddRow("", "behind every 200th call", 2, "");
        AddRow("L2", "behind every call", 3, Goal($"{ObservedCalls}/s", observed, ObservedCalls));
        return $"{mix.Name} {(medians[3] - medians[1]) / 1000:0} us";

        void AddRow(string row, string figures, int way, string goal)
        {
            (double median, double least, double most) = Shares(way);
            table.Add(row, mix.Name, "agent", figures, $"{1e9 / medians[way]:0}",
                $"{median:P0}", $"{least:P0}-{most:P0}", goal);
        }

        (double Median, double Least, double Most) Shares(int way)
        {
            double[] shares = [.. times[0].Zip(times[way], (c, ours) => c / ours)];
            return (SideBySide.Median(shares), shares.Min(), shares.Max());
        }
    }

    private static string Goal(string text, double value, double goal) =>
        $">= {text} {(value >= goal ? "reached" : "MISSED")}";

    /// <summary>Times each way once in every round, after one round that does not count.
    /// </summary>
    private double[][] Measure(Func<double>[] ways)
    {
        double[][] times = [.. ways.Select(_ => new double[options.Rounds])];
        for (int round = -1; round < options.Rounds; round++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                double time = ways[way]();
                times[way][Math.Max(round, 0)] = time;
            }
        }

        return times;
    }
}
