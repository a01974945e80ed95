using System.Diagnostics;
using ShmCheck.Harness.Campaigns;

namespace ShmCheck.Cli.Presentation;

/// <summary>A line on the terminal that says how far a campaign has come. Silent when standard
/// error is not a terminal.</summary>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly StatusLine _line = new();
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();

    public IProgress<CampaignProgress> For(CampaignOptions options) =>
        new Listener(this, options);

    public void Dispose() => _line.Dispose();

    private void Show(CampaignProgress progress, CampaignOptions options)
    {
        if (_sinceLast.Elapsed < Interval && !progress.Shrinking)
        {
            return;
        }

        _sinceLast.Restart();
        double rate = progress.Steps / Math.Max(progress.Elapsed.TotalSeconds, 0.001);
        _line.Show($"check: {progress.Runs:N0} runs, {progress.Steps:N0} steps ({rate:N0}/s), "
            + $"{progress.RulesFired} rules, {progress.Findings} found"
            + $"{Left(progress, options)}{(progress.Shrinking ? ", shrinking" : "")}");
    }

    private static string Left(CampaignProgress progress, CampaignOptions options)
    {
        double byTime = options.Time is { } time
            ? Math.Max((time - progress.Elapsed).TotalSeconds, 0) : 0;
        long wanted = options.Steps ?? options.LeastSteps;
        double rate = progress.Steps / Math.Max(progress.Elapsed.TotalSeconds, 0.001);
        double bySteps = rate > 0 ? Math.Max(wanted - progress.Steps, 0) / rate : 0;
        double seconds = options.Steps is not null && options.Time is not null
            ? Math.Min(byTime, bySteps) : Math.Max(byTime, bySteps);
        return $", {seconds:N0} s left";
    }

    private sealed class Listener(ProgressLine line, CampaignOptions options)
        : IProgress<CampaignProgress>
    {
        public void Report(CampaignProgress value) => line.Show(value, options);
    }
}
