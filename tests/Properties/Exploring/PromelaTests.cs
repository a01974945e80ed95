using System.Diagnostics;
using System.Globalization;
using ShmCheck.Harness.Exploring;
using ShmCheck.Impl;
using ShmCheck.LiveTests;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Exploring;

/// <summary>A second hand wrote one scope as a Promela model, and SPIN counts it.</summary>
public sealed class PromelaTests
{
    private const long States = 23_086;
    private const long Transitions = 227_679;

    [Fact]
    public void The_explorer_counts_the_modelled_scope()
    {
        ExplorationReport report = Explore(new ExplorationOptions
        {
            Symmetry = false,
            PartialOrder = false,
        });
        Assert.True(report.Closed);
        Assert.Equal((States, Transitions), (report.States, report.Transitions));
    }

    [LiveFact(LiveNeed.Spin, LiveNeed.CCompiler)]
    public void Spin_counts_the_same_states_and_transitions()
    {
        string script = Path.Combine(Repository.Root, "bench", "promela", "count.sh");
        using Process spin = Process.Start(
            new ProcessStartInfo("bash", [script]) { RedirectStandardOutput = true })!;
        string[] counts = spin.StandardOutput.ReadToEnd().Split(' ');
        spin.WaitForExit();
        Assert.Equal(0, spin.ExitCode);
        Assert.Equal(
            [States, Transitions],
            counts.Take(2).Select(count => long.Parse(count, CultureInfo.InvariantCulture)));
    }

    private static ExplorationReport Explore(ExplorationOptions options) => new Explorer(
        new ImplFactory(), Scope.All.Single(scope => scope.Name == "model"), options).Run();
}
