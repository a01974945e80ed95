using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Ledgers;

/// <summary>What became of a row of a ledger when its trace was replayed.</summary>
public enum RowVerdict
{
    /// <summary>The system still shows it, exactly as the row says.</summary>
    Holds,
    /// <summary>The system shows something wrong, but not what the row says.</summary>
    Changed,
    /// <summary>The system does what the specification says.</summary>
    Vanished,
    /// <summary>The row is about other kernels.</summary>
    OtherKernel,
    /// <summary>The system cannot run the trace as things stand.</summary>
    NotRun,
}

/// <summary>A row and what became of it.</summary>
/// <param name="Row">The row.</param>
/// <param name="Verdict">What became of it.</param>
/// <param name="Detail">What the system shows instead; empty when the row holds.</param>
public sealed record VerifiedRow(LedgerRow Row, RowVerdict Verdict, string Detail)
{
    /// <summary>Whether the row is right as it stands.</summary>
    public bool Passes => Verdict is RowVerdict.Holds or RowVerdict.OtherKernel;
}

/// <summary>Replays the traces of a ledger: once without the row, which must diverge with its
/// fingerprint or one of its others, and once with it, which must explain all. The other rows hold
/// both times.</summary>
public static class LedgerVerification
{
    /// <summary>Verifies every row.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="factory">Starts the system.</param>
    public static ImmutableArray<VerifiedRow> Run(Ledger ledger, ISystemFactory factory) =>
        [.. ledger.Rows.Select(row => Verify(ledger, row, factory))];

    /// <summary>Why a row is about another kind of machine than a system can be; null when it is
    /// not.</summary>
    public static string? ReasonToPassOver(LedgerRow row, SystemCapabilities system)
    {
        MachineConfig wanted = row.Trace.Machine;
        MachineConfig machine = system.Adapt(wanted);
        return machine.PageSize != wanted.PageSize
                ? $"its trace has pages of {wanted.PageSize} bytes"
            : wanted.SwapSlots > 0 && machine.SwapKind != wanted.SwapKind
                ? "its trace has a swap device of another kind"
            : machine is { HugePages: 0, NrOvercommitHugePages: 0, OtherHugePageSizes: [] }
                && wanted.HugePages + wanted.NrOvercommitHugePages > 0 ? "its trace has huge pages"
            : !row.Kernels.IsEmpty && !row.Trace.Calls.All(c => system.Calls.Contains(c.Kind))
                ? "its trace has a call that the kernel lacks"
            : null;
    }

    private static VerifiedRow Verify(Ledger ledger, LedgerRow row, ISystemFactory factory)
    {
        if (KnownLedgers.Applicable(
            ledger with { Rows = [row] }, factory.Capabilities,
            row.Trace.Machine.Profile).Count == 0)
        {
            return new VerifiedRow(
                row, RowVerdict.OtherKernel,
                $"only on {string.Join(", ", row.Kernels.Concat(row.Versions))}");
        }

        if (ReasonToPassOver(row, factory.Capabilities) is { } other)
        {
            return new VerifiedRow(row, RowVerdict.OtherKernel, other);
        }

        Trace trace = On(factory.Capabilities, row.Trace);
        if (TraceReplay.Obstacle(trace, factory.Capabilities) is { } obstacle)
        {
            return new VerifiedRow(row, RowVerdict.NotRun, obstacle);
        }

        Ledger others = ledger with { Rows = ledger.Rows.Remove(row) };
        RunRecord plain = TraceReplay.Run(trace, factory, others).Record;
        if (plain.Divergence is not { } divergence)
        {
            if (Skipped(plain) is { } skipped)
            {
                return new VerifiedRow(row, RowVerdict.NotRun, skipped);
            }

            return new VerifiedRow(
                row, RowVerdict.Vanished, "the system does what the specification says");
        }

        if (!row.Has(divergence.Fingerprint))
        {
            return new VerifiedRow(
                row, RowVerdict.Changed, $"diverges as {divergence.Fingerprint}");
        }

        RunRecord reconciled = TraceReplay.Run(trace, factory, ledger).Record;
        return reconciled.Divergence is { } left
            ? new VerifiedRow(row, RowVerdict.Changed, string.Join("; ", left.Differences.Select(
                d => $"{d.Subject} {d.Field} is {d.Actual}, {d.Expected} would be right")))
            : new VerifiedRow(row, RowVerdict.Holds, "");
    }

    /// <summary>The trace on the profile of a system: which kernels it holds for says the row.
    /// </summary>
    private static Trace On(SystemCapabilities system, Trace trace) =>
        system.Profiles.Contains(trace.Machine.Profile) ? trace
            : trace with { Machine = trace.Machine with { Profile = system.Profiles[0] } };

    /// <summary>Which call of a trace was not made, which says nothing of the row.</summary>
    private static string? Skipped(RunRecord record)
    {
        int at = record.Replies.TakeWhile(reply => reply is not null).Count();
        return at == record.Replies.Count ? null
            : $"call {at + 1}, {record.Calls[at].Kind}, could not be made as things stand";
    }
}
