using System.Text.Json;
using System.Text.Json.Serialization;

namespace ShmCheck.Cli.Presentation;

/// <summary>Prints results as JSON (docs/json.md).</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Version of the format.</summary>
    public const int Version = 1;

    public static void Print<T>(T value) =>
        Console.Out.WriteLine(JsonSerializer.Serialize(value, Options));
}
