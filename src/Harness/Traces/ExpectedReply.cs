using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>A reply as a trace writes it: handles instead of ids, addresses and pids.</summary>
public abstract record ExpectedReply
{
    private ExpectedReply()
    {
    }

    /// <summary>The call succeeds and binds the handle that it names as its result.</summary>
    public sealed record Bound : ExpectedReply;

    /// <summary>The call succeeds.</summary>
    /// <param name="Result">Its value.</param>
    /// <param name="Fields">The fields of the structure that it fills in, as far as they matter.
    /// </param>
    public sealed record Value(ExpectedValue Result, ImmutableArray<ExpectedField> Fields)
        : ExpectedReply
    {
        /// <inheritdoc/>
        public bool Equals(Value? other) => other is not null && Result == other.Result
            && Fields.AsSpan().SequenceEqual(other.Fields.AsSpan());

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Result, Fields.Length);
    }

    /// <summary>The call fails.</summary>
    /// <param name="Errno">Why.</param>
    public sealed record Error(Errno Errno) : ExpectedReply;

    /// <summary>The call raises a signal.</summary>
    /// <param name="Signal">Which.</param>
    public sealed record Raised(Signal Signal) : ExpectedReply;
}

/// <summary>What kind of figure an <see cref="ExpectedValue"/> is.</summary>
public enum ExpectedValueKind
{
    /// <summary>A number.</summary>
    Number,
    /// <summary>The pid of a process handle.</summary>
    Process,
    /// <summary>The identifier of a segment handle.</summary>
    Segment,
    /// <summary>A time stamp that has been set.</summary>
    Set,
}

/// <summary>A figure as a trace writes it.</summary>
/// <param name="Kind">How to read <paramref name="Number"/>.</param>
/// <param name="Number">The number (signed ones sign-extended), or the handle's.</param>
public readonly record struct ExpectedValue(ExpectedValueKind Kind, ulong Number)
{
    /// <summary>A number.</summary>
    public static implicit operator ExpectedValue(ulong number) =>
        new(ExpectedValueKind.Number, number);

    /// <summary>The pid of a process.</summary>
    public static implicit operator ExpectedValue(ProcessHandle handle) =>
        new(ExpectedValueKind.Process, (ulong)handle.Number);

    /// <summary>The identifier of a segment.</summary>
    public static implicit operator ExpectedValue(SegmentHandle handle) =>
        new(ExpectedValueKind.Segment, (ulong)handle.Number);

    /// <summary>A time stamp other than 0.</summary>
    public static ExpectedValue Set { get; } = new(ExpectedValueKind.Set, 0);
}

/// <summary>A named figure.</summary>
/// <param name="Name">Name of the field, for instance <c>nattch</c>.</param>
/// <param name="Value">Its value.</param>
public readonly record struct ExpectedField(string Name, ExpectedValue Value);

/// <summary>What a row of an <c>observe</c> line is about.</summary>
public enum ExpectedRowKind
{
    /// <summary>The machine: the fields stand alone.</summary>
    Global,
    /// <summary>The IPC namespace with a number (<c>ipc0</c>).</summary>
    Namespace,
    /// <summary>A segment (<c>s1</c>).</summary>
    Segment,
    /// <summary>A process (<c>p1</c>).</summary>
    Process,
    /// <summary>The mapping of a process that holds an address (<c>p1:a1+4096</c>).</summary>
    Mapping,
}

/// <summary>Figures of one thing.</summary>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Number">Number of the namespace, or of the handle.</param>
/// <param name="Address">For a mapping: an address in it.</param>
/// <param name="Fields">The figures.</param>
public sealed record ExpectedRow(
    ExpectedRowKind Kind, int Number, AddressRef Address, ImmutableArray<ExpectedField> Fields)
{
    /// <inheritdoc/>
    public bool Equals(ExpectedRow? other) => other is not null
        && (Kind, Number, Address) == (other.Kind, other.Number, other.Address)
        && Fields.AsSpan().SequenceEqual(other.Fields.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Number, Address, Fields.Length);
}
