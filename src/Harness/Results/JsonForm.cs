using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ShmCheck.Harness.Results;

/// <summary>How results are written as JSON (docs/json.md).</summary>
public static class JsonForm
{
    /// <summary>Version of the format.</summary>
    public const int Version = 1;

    /// <summary>Names, layout, and what a reader insists on.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };
}
