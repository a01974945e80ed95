using System.Diagnostics;
using ShmCheck.Harness.Exploring;
using Spectre.Console;

namespace ShmCheck.Cli.Presentation;

/// <summary>A line on the terminal that says how far an exploration has come. Silent when standard
/// error is not a terminal.</summary>
internal sealed class ExploreProgress : IDisposable, IProgress<ExplorationProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private readonly bool _shown = !Console.IsErrorRedirected;
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();

    /// <summary>What to tell; none when nothing is shown.</summary>
    public IProgress<ExplorationProgress>? Listener => _shown ? this : null;

    /// <inheritdoc/>
    public void Report(ExplorationProgress value)
    {
        if (_sinceLast.Elapsed < Interval)
        {
            return;
        }

        _sinceLast.Restart();
        double rate = value.Transitions / Math.Max(value.Elapsed.TotalSeconds, 0.001);
        string text = $"explore: {value.States:N0} states, frontier {value.Frontier:N0}, depth "
            + $"{value.Depth}, {value.Transitions:N0} transitions ({rate:N0}/s)";
        int width = Math.Max(Terminal.Error.Profile.Width - 1, 1);
        Clear();
        Terminal.Error.Write(new Text(text.Length <= width ? text : text[..width]));
    }

    /// <summary>Removes the line.</summary>
    public void Clear()
    {
        if (_shown)
        {
            Terminal.Error.Write(new ControlCode("\r\u001b[K"));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}
