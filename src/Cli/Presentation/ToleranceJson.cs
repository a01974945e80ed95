using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Tolerances;

namespace ShmCheck.Cli.Presentation;

/// <summary>A tolerance of the system, and how often it was needed.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Fields">The fields that it is about.</param>
/// <param name="Extent">How far off they may be.</param>
/// <param name="Reason">Why.</param>
/// <param name="Source">Who says so.</param>
/// <param name="Count">Figures that were let pass because of it.</param>
internal sealed record ToleranceJson(
    string Id, ImmutableArray<string> Fields, string Extent, string Reason, string Source,
    long Count)
{
    public static ImmutableArray<ToleranceJson> Of(
        SystemCapabilities capabilities, Allowances allowances) =>
    [
        .. Tolerance.Of(capabilities).GroupBy(t => t.Id).Select(group => new ToleranceJson(
            group.Key, [.. group.Select(t => t.FieldName)], group.First().Extent,
            group.First().Reason, group.First().Source,
            allowances.Tolerated.GetValueOrDefault(group.Key))),
    ];
}

/// <summary>A field that the system does not show, and why.</summary>
internal sealed record HiddenFieldJson(string Field, string Reason)
{
    public static ImmutableArray<HiddenFieldJson> Of(SystemCapabilities capabilities) =>
    [
        .. capabilities.Precisions
            .Where(p => p.Value.Kind == PrecisionKind.NotObservable)
            .Select(p => new HiddenFieldJson(
                $"{p.Key.GetType().Name.Replace("Field", "", StringComparison.Ordinal)}.{p.Key}",
                p.Value.Source))
            .OrderBy(f => f.Field, StringComparer.Ordinal),
    ];
}
