using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Tolerances;

namespace ShmCheck.Harness.Results;

/// <summary>A tolerance of the system, and how often it was needed.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Fields">The fields that it is about.</param>
/// <param name="Extent">How far off they may be.</param>
/// <param name="Reason">Why.</param>
/// <param name="Source">Who says so.</param>
/// <param name="Count">Figures that were let pass because of it.</param>
public sealed record ToleranceResult(
    string Id, ImmutableArray<string> Fields, string Extent, string Reason, string Source,
    long Count)
{
    /// <summary>The tolerances of a system.</summary>
    public static ImmutableArray<ToleranceResult> Of(
        SystemCapabilities capabilities, Allowances allowances) =>
    [
        .. Tolerance.Of(capabilities).GroupBy(t => t.Id).Select(group => new ToleranceResult(
            group.Key, [.. group.Select(t => t.FieldName)], group.First().Extent,
            group.First().Reason, group.First().Source,
            allowances.Tolerated.GetValueOrDefault(group.Key))),
    ];
}

/// <summary>A field that the system does not show, and why.</summary>
/// <param name="Field">Row and name.</param>
/// <param name="Reason">Why not.</param>
public sealed record HiddenFieldResult(string Field, string Reason)
{
    /// <summary>The fields that a system does not show.</summary>
    public static ImmutableArray<HiddenFieldResult> Of(SystemCapabilities capabilities) =>
    [
        .. capabilities.Precisions
            .Where(p => p.Value.Kind == PrecisionKind.NotObservable)
            .Select(p => (Field: p.Key, Reason: p.Value.Source))
            .Concat(HiddenFrames(capabilities))
            .Select(p => new HiddenFieldResult($"{TableOf(p.Field)}.{p.Field}", p.Reason))
            .OrderBy(f => f.Field, StringComparer.Ordinal),
    ];

    private static string TableOf(Enum field) =>
        field.GetType().Name.Replace("Field", "", StringComparison.Ordinal);

    private static IEnumerable<(Enum Field, string Reason)> HiddenFrames(
        SystemCapabilities capabilities) => capabilities.ShowsFrames ? []
            : Enum.GetValues<FrameField>().Where(field => field > FrameField.Start)
                .Select(field => ((Enum)field, "the system shows no page frames"));
}
