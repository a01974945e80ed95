using System.Diagnostics;
using ShmCheck.Harness.Campaigns;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>A line on the terminal that says how far a campaign has come. Silent when standard
/// error is not a terminal.</summary>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly bool _shown = !Console.IsErrorRedirected;
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();

    public IProgress<CampaignProgress>? For(CampaignOptions options) =>
        _shown ? new Listener(this, options) : null;

    public void Dispose()
    {
        if (_shown)
        {
            Terminal.Error.Write(new ControlCode("\r\u001b[K"));
        }
    }

    private void Show(CampaignProgress progress, CampaignOptions options)
    {
        if (_sinceLast.Elapsed < Interval && !progress.Shrinking)
        {
            return;
        }

        _sinceLast.Restart();
        double rate = progress.Steps / Math.Max(progress.Elapsed.TotalSeconds, 0.001);
        string text = $"check: {progress.Runs:N0} runs, {progress.Steps:N0} steps ({rate:N0}/s), "
            + $"{progress.RulesFired} rules, {progress.Findings} found"
            + $"{Left(progress, options)}{(progress.Shrinking ? ", shrinking" : "")}";
        int width = Math.Max(Terminal.Error.Profile.Width - 1, 1);
        Terminal.Error.Write(new ControlCode("\r\u001b[K"));
        Terminal.Error.Write(new Text(text.Length <= width ? text : text[..width]));
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
