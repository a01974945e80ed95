using System.Text.Json.Serialization;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Reporting;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of <c>shrink</c>.</summary>
internal sealed record ShrinkJson(string System, string Verdict)
{
    [JsonPropertyOrder(-1)]
    public int Version { get; } = Json.Version;

    public string? Fingerprint { get; init; }

    public string? Rule { get; init; }

    public int? Steps { get; init; }

    public string? Certificate { get; init; }

    public int? LowerBound { get; init; }

    public int Executions { get; init; }

    public string? Trace { get; init; }

    public string? Text { get; init; }

    public bool? Interrupted { get; init; }

    public static ShrinkJson Of(
        string system, RunRecord record, ShrinkResult? result, string? output) =>
        new(system, ReplayedFileJson.Diverges)
        {
            Fingerprint = record.Divergence!.Fingerprint.ToString(),
            Rule = record.Divergence.Fingerprint.Rule,
            Steps = record.Calls.Count,
            Certificate = CertificateText.Of(
                result?.Certificate ?? Harness.Shrinking.Certificate.None),
            LowerBound = result?.LowerBound ?? 0,
            Executions = result?.Executions ?? 0,
            Trace = output,
            Text = DivergenceText.Trace(record),
        };
}
