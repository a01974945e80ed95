using System.Collections.Immutable;
using ShmCheck.Harness.Exporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Ledgers;

/// <summary>What a row's exported program says of the row.</summary>
public enum ProgramVerdict
{
    /// <summary>It fails on the system, and passes on the running kernel.</summary>
    Proven,
    /// <summary>It passes on the system.</summary>
    PassesOnSystem,
    /// <summary>It fails on the running kernel: the row accuses the system of what Linux does.
    /// </summary>
    FailsOnLinux,
    /// <summary>It fails on the system at an earlier step than that of the row.</summary>
    FailsEarlier,
    /// <summary>It cannot be asked on one of the two.</summary>
    CannotBeAsked,
    /// <summary>The trace of the row is none that a program can follow.</summary>
    NoProgram,
    /// <summary>The row is about other kernels than the running one, where it passes.</summary>
    OtherKernel,
}

/// <summary>Runs the program of a row.</summary>
/// <param name="program">The program, in C.</param>
/// <param name="swapSlots">Pages of the swap device that it is to meet; 0 for none.</param>
public delegate ProgramOutcome ProgramRun(string program, ulong swapSlots);

/// <summary>How a program ended.</summary>
/// <param name="Code">Its exit code; negative when it was killed.</param>
/// <param name="Told">What it printed.</param>
public sealed record ProgramOutcome(int Code, string Told);

/// <summary>A row and what its program says of it.</summary>
/// <param name="Row">The row.</param>
/// <param name="Verdict">What it says.</param>
/// <param name="Detail">Why; or what was seen on the system, in a line.</param>
public sealed record ProvenRow(LedgerRow Row, ProgramVerdict Verdict, string Detail)
{
    /// <summary>Whether nobody is accused without a proof.</summary>
    public bool Passes => Verdict is ProgramVerdict.Proven or ProgramVerdict.OtherKernel;
}

/// <summary>Runs the exported program of a row on its system, where it must fail, and on the
/// running kernel, where it must pass. The rows of Linux itself must fail on a kernel that they
/// are about, and pass on any other.</summary>
public static class ProgramVerification
{
    private const int Passed = 0;
    private const int Failed = 1;
    private const int Unfit = 77;
    private const string Expectation = "expected: ";

    /// <summary>The system has died, or hangs.</summary>
    private const string Death = "system.threw";

    /// <summary>Proves a row of a system that is not the running kernel.</summary>
    /// <param name="row">The row.</param>
    /// <param name="onSystem">Runs a program on the system.</param>
    /// <param name="onLinux">Runs it on the running kernel.</param>
    public static ProvenRow Run(LedgerRow row, ProgramRun onSystem, ProgramRun onLinux)
    {
        if (!TryExport(row, out string program))
        {
            return new ProvenRow(row, ProgramVerdict.NoProgram, program);
        }

        ulong swap = row.Trace.Machine.SwapSlots;
        ProgramOutcome linux = onLinux(program, swap);
        ProgramOutcome system = linux.Code == Passed ? onSystem(program, swap) : linux;
        return linux.Code switch
        {
            Passed => OnSystem(row, system),
            Unfit => new ProvenRow(
                row, ProgramVerdict.CannotBeAsked, $"on this kernel: {Line(linux)}"),
            _ => new ProvenRow(row, ProgramVerdict.FailsOnLinux, Line(linux)),
        };
    }

    /// <summary>Proves a row of Linux.</summary>
    /// <param name="row">The row.</param>
    /// <param name="kernel">The running kernel, or that of a guest.</param>
    /// <param name="onLinux">Runs a program on it.</param>
    public static ProvenRow Run(LedgerRow row, KernelVersion kernel, ProgramRun onLinux)
    {
        if (!TryExport(row, out string program))
        {
            return new ProvenRow(row, ProgramVerdict.NoProgram, program);
        }

        ProgramOutcome linux = onLinux(program, row.Trace.Machine.SwapSlots);
        return row.HoldsFor(kernel) ? OnSystem(row, linux)
            : new ProvenRow(row, linux.Code switch
            {
                Passed => ProgramVerdict.OtherKernel,
                Unfit => linux.Told.Contains(CNeeds.OtherRelease, StringComparison.Ordinal)
                    ? ProgramVerdict.OtherKernel : ProgramVerdict.CannotBeAsked,
                _ => ProgramVerdict.FailsOnLinux,
            }, Line(linux));
    }

    private static ProvenRow OnSystem(LedgerRow row, ProgramOutcome outcome)
    {
        ProgramVerdict verdict = outcome.Code switch
        {
            Passed => ProgramVerdict.PassesOnSystem,
            Unfit => ProgramVerdict.CannotBeAsked,
            Failed => IsOfTheRow(row, outcome) ? ProgramVerdict.Proven
                : ProgramVerdict.FailsEarlier,
            _ => row.Others.Prepend(row.Fingerprint).Any(known => known.Rule == Death)
                ? ProgramVerdict.Proven : ProgramVerdict.FailsEarlier,
        };
        return new ProvenRow(row, verdict, Line(outcome));
    }

    /// <summary>Whether what failed is the last call of the row, or a figure behind it.</summary>
    private static bool IsOfTheRow(LedgerRow row, ProgramOutcome outcome)
    {
        string? failed = outcome.Told.Split('\n').FirstOrDefault(
            line => line.StartsWith(Expectation, StringComparison.Ordinal))?[Expectation.Length..];
        TracedCall[] calls = [.. row.Trace.Lines.OfType<TracedCall>()];
        return failed is null || !calls[..^1].Any(call => TracePrinter.Print(call) == failed);
    }

    private static bool TryExport(LedgerRow row, out string program)
    {
        try
        {
            program = CProgram.Of(
                row.Trace, out ImmutableArray<string> _, row.Fingerprint.Fields);
            return true;
        }
        catch (CannotExportException problem)
        {
            program = problem.Message;
            return false;
        }
    }

    private static string Line(ProgramOutcome outcome)
    {
        string[] lines = outcome.Told.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string told = string.Join("; ", lines.Take(2).Select(line => line.Trim()));
        return outcome.Code is Passed or Failed or Unfit ? told
            : $"ended with {outcome.Code}{(told.Length == 0 ? "" : $": {told}")}";
    }
}
