using System.Text.Json.Serialization;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of a command that could not do its work.</summary>
internal sealed record ErrorJson(string Error)
{
    [JsonPropertyOrder(-1)]
    public int Version { get; } = Json.Version;
}
