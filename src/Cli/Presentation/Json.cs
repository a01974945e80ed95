using System.Text.Json;
using ShmCheck.Harness.Results;

namespace ShmCheck.Cli.Presentation;

/// <summary>Prints results as JSON (docs/json.md).</summary>
internal static class Json
{
    /// <summary>Version of the format.</summary>
    public const int Version = JsonForm.Version;

    public static void Print<T>(T value) =>
        Console.Out.WriteLine(JsonSerializer.Serialize(value, JsonForm.Options));
}
