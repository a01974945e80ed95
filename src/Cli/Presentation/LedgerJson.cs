using System.Collections.Immutable;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of <c>ledger</c>.</summary>
internal sealed record LedgerJson(ImmutableArray<LedgerRowJson> Rows)
{
    public int Version { get; } = Json.Version;

    public static LedgerJson Of(IEnumerable<LedgerRowJson> rows) => new([.. rows]);
}

/// <summary>A row of a ledger; with its verdict when it was verified.</summary>
internal sealed record LedgerRowJson(
    string System, string Row, string Fingerprint, string Status, string Kernels,
    ImmutableArray<string> Wrong, string About, string Trace)
{
    public string? Verdict { get; init; }

    public string? Detail { get; init; }

    public static LedgerRowJson Of(string system, LedgerRow row) => new(
        system, row.Name, row.Fingerprint.ToString(), row.Status.ToString(),
        string.Join(", ", row.Kernels), [.. row.Figures.Select(figure => figure.ToString())],
        string.Join("\n", row.About), TracePrinter.Print(row.Trace));

    public static string Text(RowVerdict verdict) => verdict switch
    {
        RowVerdict.Holds => "holds",
        RowVerdict.Changed => "changed",
        RowVerdict.Vanished => "vanished",
        RowVerdict.OtherKernel => "other kernel",
        RowVerdict.NotRun => "not run",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "unknown verdict"),
    };

    public static string Text(ProgramVerdict verdict) => verdict switch
    {
        ProgramVerdict.Proven => "proven",
        ProgramVerdict.PassesOnSystem => "passes on the system",
        ProgramVerdict.FailsOnLinux => "fails on Linux",
        ProgramVerdict.FailsEarlier => "fails earlier",
        ProgramVerdict.CannotBeAsked => "cannot be asked",
        ProgramVerdict.NoProgram => "no program",
        ProgramVerdict.OtherKernel => "other kernel",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "unknown verdict"),
    };
}
