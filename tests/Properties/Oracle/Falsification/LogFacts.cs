using System.Globalization;
using System.Text.Json;

namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>What the sidecar of a log and its text tell a reader before he looks at any call.
/// </summary>
internal sealed class LogFacts
{
    private readonly string? _filter;
    private readonly string? _options;

    private LogFacts(string text, JsonElement? sidecar)
    {
        HasStart = sidecar is not null;
        _options = Text(sidecar, "strace");
        int trace = _options?.IndexOf("trace=", StringComparison.Ordinal) ?? -1;
        _filter = trace < 0 ? null : _options![trace..].Split(' ')[0];
        JsonElement? initial = sidecar is { } root && root.TryGetProperty("initial", out var value)
            ? value : null;
        HasSwap = Text(initial, "SwapTotal") is not ("0kB" or "0");
        HasStarted = long.TryParse(
            Text(initial, "epoch"), CultureInfo.InvariantCulture, out long epoch);
        Start = epoch;
        HasOrder = !text.StartsWith("==> ", StringComparison.Ordinal);
        HasHistory = sidecar is { } whole
            && whole.TryGetProperty("segments_before", out JsonElement rows)
            && rows.GetArrayLength() > 0;
        HasNamespaces = text.Contains("CLONE_NEWIPC", StringComparison.Ordinal)
            || text.Contains("setns(", StringComparison.Ordinal);
    }

    /// <summary>The state at the start is known.</summary>
    public bool HasStart { get; }

    /// <summary>There is, or may be, swap space.</summary>
    public bool HasSwap { get; }

    /// <summary>The time of the start is known.</summary>
    public bool HasStarted { get; }

    /// <summary>Start, in seconds since 1970.</summary>
    public long Start { get; }

    /// <summary>The order of the lines is the order of what happened.</summary>
    public bool HasOrder { get; }

    /// <summary>Segments were made before the start: what identifier comes next is not known.
    /// </summary>
    public bool HasHistory { get; }

    /// <summary>There is more than one IPC namespace.</summary>
    public bool HasNamespaces { get; }

    /// <summary>Every call that maps, unmaps or splits is shown, and every task.</summary>
    public bool ShowsMappings => Shows("munmap", "%memory") && ShowsTasks;

    /// <summary>Every task, its birth and its death, is shown.</summary>
    public bool ShowsTasks => Shows("exit_group", "%process")
        && (_options?.Contains(" -f", StringComparison.Ordinal) ?? false);

    /// <summary>Every change of credentials is shown.</summary>
    public bool ShowsCredentials => Shows("setresuid", "%creds") && ShowsTasks;

    /// <summary>Writes to settings are shown.</summary>
    public bool ShowsWrites => Shows(",write", "%desc") && ShowsTasks;

    /// <summary>Reads the facts.</summary>
    /// <param name="text">The log.</param>
    /// <param name="sidecar">Path of its sidecar, if it has one.</param>
    public static LogFacts Of(string text, string? sidecar)
    {
        if (sidecar is null)
        {
            return new LogFacts(text, null);
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(sidecar));
        return new LogFacts(text, document.RootElement);
    }

    private static string? Text(JsonElement? parent, string name) =>
        parent is { } element && element.TryGetProperty(name, out JsonElement value)
            ? value.ToString() : null;

    private bool Shows(string call, string family) => HasStart && (_filter is null
        || _filter.Contains(call, StringComparison.Ordinal)
        || _filter.Contains(family, StringComparison.Ordinal));
}
