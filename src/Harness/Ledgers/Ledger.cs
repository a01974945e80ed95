using System.Collections.Immutable;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Ledgers;

/// <summary>What has been decided about a known divergence.</summary>
public abstract record LedgerStatus
{
    private LedgerStatus()
    {
    }

    /// <summary>A defect of the system that nobody has mended yet.</summary>
    public sealed record Defect : LedgerStatus
    {
        /// <inheritdoc/>
        public override string ToString() => "defect";
    }

    /// <summary>The system departs from Linux on purpose.</summary>
    public sealed record Intended : LedgerStatus
    {
        /// <inheritdoc/>
        public override string ToString() => "intended";
    }

    /// <summary>A defect that a later version does not have.</summary>
    /// <param name="Version">The first version without it.</param>
    /// <param name="Link">The change or its discussion.</param>
    public sealed record Fixed(string Version, string Link) : LedgerStatus
    {
        /// <inheritdoc/>
        public override string ToString() => $"fixed {Version} {Link}";
    }
}

/// <summary>A known divergence.</summary>
public sealed record LedgerRow
{
    /// <summary>Short name, unique in the ledger.</summary>
    public required string Name { get; init; }

    /// <summary>The fingerprint that the trace has without the ledger.</summary>
    public required Fingerprint Fingerprint { get; init; }

    /// <summary>Other fingerprints that the same defect has in other sequences.</summary>
    public ImmutableArray<Fingerprint> Others { get; init; } = [];

    /// <summary>Whether nobody has reviewed it: it was found a moment ago, and is stepped around
    /// to see what comes behind.</summary>
    public bool IsProvisional { get; init; }

    /// <summary>What has been decided about it.</summary>
    public required LedgerStatus Status { get; init; }

    /// <summary>Kernels that have it; none where that is no matter of the kernel's version.
    /// </summary>
    public ImmutableArray<KernelRange> Kernels { get; init; } = [];

    /// <summary>Versions of the system itself that have it, where it is not a kernel; none for
    /// all.</summary>
    public ImmutableArray<KernelRange> Versions { get; init; } = [];

    /// <summary>The figures that are wrong, and how.</summary>
    public required ImmutableArray<WrongFigure> Figures { get; init; }

    /// <summary>What is wrong and why, in words; lines without their indentation.</summary>
    public required ImmutableArray<string> About { get; init; }

    /// <summary>The shortest sequence that shows it.</summary>
    public required Trace Trace { get; init; }

    /// <summary>Whether a kernel has it.</summary>
    public bool HoldsFor(KernelVersion kernel) =>
        Kernels.IsEmpty || Kernels.Any(range => range.Contains(kernel));

    /// <summary>Whether a version of the system has it.</summary>
    public bool HoldsForVersion(string? version) => Versions.IsEmpty
        || (version is not null && KernelVersion.TryParse(version, out KernelVersion number)
            && Versions.Any(range => range.Contains(number)));

    /// <summary>Whether a divergence is known to be this one, whatever it shows.</summary>
    /// <param name="met">Its fingerprint.</param>
    /// <param name="state">What the specification has reached.</param>
    /// <param name="fired">Rules that have fired in the sequence.</param>
    public bool Ends(Fingerprint met, SpecState state, IReadOnlySet<string> fired) => Figures
        .OfType<WrongFigure.Everything>().Any(everything => everything switch
        {
            { HugeAbove: { } size } => IsOfFields(met)
                && state.Segments.Rows.Any(s => s.Object.IsHuge && s.Size > size),
            { SegmentAbove: { } size } => IsOfFields(met)
                && state.Segments.Rows.Any(s => s.Size > size),
            { SwapSlots: { } slots } => IsOfFields(met) && state.Config.SwapSlots == slots,
            { After: { } rule } => Has(met) && fired.Contains(rule),
            _ => Has(met),
        });

    /// <summary>Whether a fingerprint is one of the row.</summary>
    public bool Has(Fingerprint met) =>
        Others.Prepend(Fingerprint).Any(known => Covers(known, met));

    private bool IsOfFields(Fingerprint met) =>
        Others.Prepend(Fingerprint).Any(known => CoversFields(known, met));

    /// <summary>Among the fields of a fingerprint, any others.</summary>
    internal const string AndOthers = "*";

    private static bool Covers(Fingerprint known, Fingerprint met) =>
        known.Rule == met.Rule && known.Call == met.Call && CoversFields(known, met);

    private static bool CoversFields(Fingerprint known, Fingerprint met) =>
        known.Fields.SequenceEqual(met.Fields)
        || (known.Fields.Contains(AndOthers)
            && known.Fields.All(field => field == AndOthers || met.Fields.Contains(field)));
}

/// <summary>The known divergences of a system (docs/ledger.md).</summary>
/// <param name="System">Name of the system.</param>
/// <param name="Rows">Its known divergences.</param>
public sealed record Ledger(string System, ImmutableArray<LedgerRow> Rows)
{
    /// <summary>Versions of the system that it is about; none for all.</summary>
    public ImmutableArray<KernelRange> Versions { get; init; } = [];

    /// <summary>Version of the format.</summary>
    public const int Version = 1;
}
