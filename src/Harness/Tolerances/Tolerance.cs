using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Tolerances;

/// <summary>A named allowance for a figure that a system does not show exactly.</summary>
/// <param name="Id">Its name, for instance <c>percpu-batch</c>; several fields may share one.
/// </param>
/// <param name="Field">The field, for instance <c>GlobalField.Shmem</c>; or a
/// <see cref="CallKind"/> for its reply.</param>
/// <param name="Precision">How exactly the field is shown.</param>
/// <param name="Reason">Why it is not exact.</param>
/// <param name="Source">Who says so: manual page, kernel function or measurement.</param>
public sealed record Tolerance(
    string Id, Enum Field, Precision Precision, string Reason, string Source)
{
    /// <summary>Name under which calls are counted beside which reclaim has taken pages.</summary>
    public const string SpontaneousReclaim = "spontaneous-reclaim";

    /// <summary>Name under which slots are counted that other programs have, after each call.
    /// </summary>
    public const string ForeignSlots = "foreign-slots";

    /// <summary>Name under which late figures are counted that were seen behind a call made
    /// ahead, and were right when the same calls were made one by one.</summary>
    public const string LateAhead = "late-ahead";

    /// <summary>Name under which refusals of SHM_LOCK are counted that did not last.</summary>
    public const string LateUnlock = "late-unlock";

    /// <summary>Name under which calls are counted that have found no memory for a huge page.
    /// </summary>
    public const string HugePageShortage = "huge-page-shortage";

    private const string AheadReason =
        "a figure that is late behind a call made ahead cannot be read again";

    private static readonly ImmutableArray<Enum> Reclaimed =
    [
        SegmentField.rss, SegmentField.swp, NamespaceField.shm_rss, NamespaceField.shm_swp,
        MappingField.Swap, GlobalField.SwapUsed, GlobalField.SwapCached,
    ];

    private static readonly ImmutableArray<Enum> Shared =
        [GlobalField.SwapUsed, GlobalField.SwapCached];

    private string? _extent { get; init; }

    /// <summary>The tolerances of a system, by field; what is not shown at all needs none.
    /// </summary>
    /// <exception cref="ArgumentException">A field is inexact and nothing says why.</exception>
    public static ImmutableArray<Tolerance> Of(SystemCapabilities capabilities) =>
    [
        .. capabilities.Precisions
            .Where(p => p.Value.Kind is PrecisionKind.Bounded or PrecisionKind.Eventual)
            .Select(p => Of(p.Key, p.Value))
            .Concat(Of(SpontaneousReclaim, capabilities.ReclaimSource,
                "as pages that nobody maps account for", Reclaimed))
            .Concat(Of(ForeignSlots, capabilities.ForeignSlotSource,
                "by no more than the pages that others have written", Shared))
            .Concat(Of(LateUnlock, capabilities.LateUnlockSource,
                $"ENOMEM for at most {Follower.LateLimit.TotalMilliseconds:0} ms",
                [CallKind.ShmCtlLock]))
            .Concat(Of(HugePageShortage, capabilities.HugePageShortageSource,
                "by huge pages that the pool could not grow by", [GlobalField.HugePages_Total]))
            .Concat(AheadOf(capabilities))
            .OrderBy(t => t.Id, StringComparer.Ordinal)
            .ThenBy(t => t.FieldName, StringComparer.Ordinal),
    ];

    /// <summary>The field with its table, for instance <c>Global.Shmem</c>; or the call.</summary>
    public string FieldName => Field is CallKind ? $"reply of {Field}" :
        $"{Field.GetType().Name.Replace("Field", "", StringComparison.Ordinal)}.{Field}";

    /// <summary>How far off, in words.</summary>
    public string Extent => _extent ?? (Precision.Kind == PrecisionKind.Bounded
        ? $"by at most {Precision.Slack}"
        : $"for at most {Follower.LateLimit.TotalMilliseconds:0} ms after a call");

    private static IEnumerable<Tolerance> Of(
        string id, string source, string extent, ImmutableArray<Enum> fields) =>
        source.Length == 0 ? []
            : fields.Select(field => new Tolerance(id, field, Precision.Exact, source, source)
                { _extent = extent });

    private static IEnumerable<Tolerance> AheadOf(SystemCapabilities capabilities) =>
        capabilities.Precisions
            .Where(p => p.Value.Kind == PrecisionKind.Eventual && capabilities.MostCallsAhead > 0)
            .Select(p => new Tolerance(
                LateAhead, p.Key, Precision.Exact, AheadReason, p.Value.Source)
            {
                _extent = "where the same calls made one by one show them right",
            });

    private static Tolerance Of(Enum field, Precision precision)
    {
        if (precision.Source.Length == 0)
        {
            throw new ArgumentException(
                $"{field} is not exact, and no source says why", nameof(precision));
        }

        return new Tolerance(
            precision.Tolerance.Length > 0 ? precision.Tolerance : field.ToString(), field,
            precision, precision.Reason.Length > 0 ? precision.Reason : precision.Source,
            precision.Source);
    }
}
