using System.Collections.Immutable;
using System.Text.Json.Serialization;
using ShmCheck.Harness.Results;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of <c>replay</c>.</summary>
internal sealed record ReplayJson(string System, ImmutableArray<ReplayedFileJson> Files)
{
    [JsonPropertyOrder(-1)]
    public int Version { get; } = Json.Version;

    public string? Error { get; init; }
}

/// <summary>What became of one file.</summary>
internal sealed record ReplayedFileJson(
    string File, string Verdict, int Calls, ImmutableArray<string> Problems,
    ImmutableArray<KnownResult> Known)
{
    public const string Conforms = "conforms";
    public const string Diverges = "diverges";
    public const string Unreadable = "unreadable";

    /// <summary>The trace is about a machine that the system cannot be.</summary>
    public const string NotApplicable = "not applicable";
}
