using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>A machine and what happens on it, line by line: the content of a <c>.shm</c> file
/// (docs/trace-format.md).</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Lines">The lines behind the machine line.</param>
public sealed record Trace(MachineConfig Machine, ImmutableArray<TraceLine> Lines)
{
    /// <summary>Version of the format.</summary>
    public const int Version = 1;

    /// <summary>The calls, in order.</summary>
    public IEnumerable<Call> Calls => Lines.OfType<TracedCall>().Select(line => line.Call);

    /// <summary>A trace of calls without replies.</summary>
    public static Trace Of(MachineConfig machine, IEnumerable<Call> calls) =>
        new(machine, [.. calls.Select(call => new TracedCall(call, null))]);

    /// <inheritdoc/>
    public bool Equals(Trace? other) => other is not null && Machine == other.Machine
        && Lines.AsSpan().SequenceEqual(other.Lines.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Machine, Lines.Length);
}

/// <summary>One line of a trace.</summary>
public abstract record TraceLine;

/// <summary>A line of commentary, or a blank one.</summary>
/// <param name="Text">What stands behind <c>#</c>; null for a blank line.</param>
public sealed record TraceComment(string? Text) : TraceLine;

/// <summary>A call, with the reply that the trace says it has.</summary>
/// <param name="Call">The call.</param>
/// <param name="Expected">The reply; none if the trace does not say.</param>
public sealed record TracedCall(Call Call, ExpectedReply? Expected) : TraceLine;

/// <summary>Figures that the trace says are read at this point.</summary>
/// <param name="Rows">The rows, each with the figures that matter.</param>
public sealed record TracedObservation(ImmutableArray<ExpectedRow> Rows) : TraceLine
{
    /// <inheritdoc/>
    public bool Equals(TracedObservation? other) =>
        other is not null && Rows.AsSpan().SequenceEqual(other.Rows.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Rows.Length;
}
