using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Ledgers;

/// <summary>What a figure is a figure of.</summary>
public enum FigureSubject
{
    /// <summary>The machine (<see cref="GlobalField"/>).</summary>
    Machine,
    /// <summary>An IPC namespace (<see cref="NamespaceField"/>).</summary>
    Namespace,
    /// <summary>A segment (<see cref="SegmentField"/>).</summary>
    Segment,
    /// <summary>A process (<see cref="ProcessField"/>).</summary>
    Process,
    /// <summary>A mapping of a segment (<see cref="MappingField"/>).</summary>
    Mapping,
    /// <summary>The structure that SHM_INFO fills in (<see cref="ShmTotals"/>).</summary>
    ShmInfo,
}

/// <summary>Which segments show a wrong figure.</summary>
/// <param name="Huge">True: those of huge pages; false: those of base pages; none: all.</param>
/// <param name="PageSize">Bytes of the huge pages; none for any size.</param>
public readonly record struct SegmentKind(bool? Huge = null, ulong? PageSize = null)
{
    /// <inheritdoc/>
    public override string ToString() => Huge switch
    {
        null => "any",
        false => "normal",
        _ => PageSize is { } size ? $"huge={MachineText.PrintSize(size)}" : "huge",
    };
}

/// <summary>A figure that a system shows wrong, in a known way.</summary>
public abstract record WrongFigure
{
    private WrongFigure()
    {
    }

    /// <summary>A figure of its own.</summary>
    /// <param name="Subject">What it is a figure of.</param>
    /// <param name="Field">Its name.</param>
    /// <param name="Kind">For segments and mappings: of which.</param>
    /// <param name="Value">What is shown.</param>
    /// <param name="SizeAbove">For the machine: only while a segment of more bytes exists that is
    /// charged to committed memory in full; none for always.</param>
    public sealed record Single(
        FigureSubject Subject, string Field, SegmentKind Kind, WrongValue Value,
        ulong? SizeAbove = null) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() =>
            FigureNames.HasSegments(Subject)
                ? $"{FigureNames.Of(Subject)} {Field} {Kind} {Value}"
                : $"{FigureNames.Of(Subject)} {Field} {Value}"
                    + (SizeAbove is { } size ? $" while charged above {size}" : "");
    }

    /// <summary>A counter of an address space that forgets to lose the pages which a rule takes
    /// from it. The error adds up and stays as long as the address space, and what is decided
    /// from the counter is decided wrong.</summary>
    /// <param name="Field">The figure of processes that shows the counter.</param>
    /// <param name="Rule">The rule.</param>
    public sealed record Kept(string Field, string Rule) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() =>
            $"{FigureNames.Of(FigureSubject.Process)} {Field} keeps {Rule}";
    }

    /// <summary>A total of a namespace that adds up wrong figures of its segments.</summary>
    /// <param name="Subject">The namespace, or SHM_INFO of it.</param>
    /// <param name="Field">Name of the total.</param>
    /// <param name="Of">The figure of segments that it adds up, itself a wrong one of the same
    /// row.</param>
    public sealed record Total(FigureSubject Subject, string Field, SegmentField Of) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() =>
            $"{FigureNames.Of(Subject)} {Field} sum of {Of}";
    }

    /// <summary>A call that fails with another errno than it should; all else is as it
    /// should be.</summary>
    /// <param name="Rule">The rule that decides.</param>
    /// <param name="Right">The errno of the rule.</param>
    /// <param name="Wrong">The errno that is returned.</param>
    public sealed record Answer(string Rule, Errno Right, Errno Wrong) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"errno {Rule} {Right} is {Wrong}";
    }

    /// <summary>Calls that look for what is wrong in another order than they should: where several
    /// things are, they fail with the errno of another; all else is as it should be.</summary>
    /// <param name="Calls">The calls.</param>
    public sealed record Order(CallPattern Calls) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"order of {Calls}";
    }

    /// <summary>A call that succeeds and returns another value than it should; all else is as it
    /// should be.</summary>
    /// <param name="Rule">The rule that decides.</param>
    /// <param name="Value">What is returned.</param>
    public sealed record Returned(string Rule, WrongValue Value) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"value {Rule} {Value}";
    }

    /// <summary>A call that succeeds where it should fail, and changes nothing.</summary>
    /// <param name="Rule">The rule that decides.</param>
    public sealed record Acceptance(string Rule) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"acceptance {Rule}";
    }

    /// <summary>A call that fails where it should succeed, or should fail halfway, and changes
    /// nothing.</summary>
    /// <param name="Rule">The rule that decides.</param>
    /// <param name="Errno">The errno that is returned.</param>
    public sealed record Refusal(string Rule, Errno Errno) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"refusal {Rule} {Errno}";
    }

    /// <summary>Calls that fail whatever they are asked for, and change nothing.</summary>
    /// <param name="Calls">The calls.</param>
    /// <param name="Errno">The errno that is returned.</param>
    public sealed record RefusedCalls(CallPattern Calls, Errno Errno) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"refusal {Calls} {Errno}";
    }

    /// <summary>Calls that the system takes for other ones: it does what Linux does by those, and
    /// the run goes on from there.</summary>
    /// <param name="Calls">The calls.</param>
    /// <param name="Other">What it does instead; none for nothing, successfully.</param>
    /// <param name="Always">Whether it always does; else only where it is seen not to do what it
    /// should.</param>
    /// <param name="WhileLocking">Whether only while MCL_FUTURE is in force for the caller.</param>
    public sealed record Substituted(
        CallPattern Calls, CallPattern? Other, bool Always, bool WhileLocking = false)
        : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() =>
            $"call {Calls} {(Always ? "does" : "may do")} {Other?.ToString() ?? "nothing"}"
                + (WhileLocking ? " while MCL_FUTURE" : "");
    }

    /// <summary>A shmget of so many bytes loses the system, at once or with a later call. It is not
    /// made, and the run goes on without it.</summary>
    /// <param name="Least">The least size, in bytes.</param>
    /// <param name="Most">The greatest.</param>
    public sealed record Deadly(ulong Least, ulong Most) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"loss shmget of {Least}..{Most} bytes";
    }

    /// <summary>What is mapped is mapped as it should be, but divided into other mappings, and
    /// segments have as many attaches as they have mappings. Where it differs the sequence
    /// ends.</summary>
    /// <param name="But">A rule that decides calls which this does not hold for; none where it
    /// holds for all.</param>
    public sealed record Divided(string? But = null) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => But is null ? "division" : $"division but {But}";
    }

    /// <summary>Private mappings that lie side by side and have the same rights, marks and policy
    /// are one mapping for mremap, whoever has written them and whether they are charged or not.
    /// Where it shows the sequence ends.</summary>
    public sealed record DividedMemory : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => "division of memory";
    }

    /// <summary>Private mappings that a call makes one, or longer, stay divided where they began
    /// and ended, and mremap of a range that reaches over such a place fails with EFAULT. Where
    /// it shows the sequence ends.</summary>
    /// <param name="Calls">The calls.</param>
    /// <param name="UnderPolicy">Whether only mappings do that have a policy by mbind.</param>
    public sealed record DividedAt(CallPattern Calls, bool UnderPolicy) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() =>
            $"division at {Calls}{(UnderPolicy ? " with policy" : "")}";
    }

    /// <summary>A call succeeds that a rule refuses, and that would succeed if what it replaces
    /// (MAP_FIXED, MREMAP_FIXED, SHM_REMAP) had been unmapped before. The sequence ends.</summary>
    /// <param name="Rule">The rule.</param>
    public sealed record Replaced(string Rule) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"acceptance {Rule} behind munmap";
    }

    /// <summary>What a process may do. In a sequence in which a rule has fired, a call that
    /// asks for rights succeeds where it should be refused, or the other way round, and the
    /// sequence ends.</summary>
    /// <param name="After">The rule.</param>
    public sealed record Rights(string After) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"rights after {After}";
    }

    /// <summary>What a process may lock is less than it should be. In a sequence in which a rule has
    /// fired, any call may fail as a limit on locked memory makes it fail, and the sequence ends.
    /// </summary>
    /// <param name="After">The rule.</param>
    public sealed record Limit(string After) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"limit after {After}";
    }

    /// <summary>A process ends, or hangs, within a call. In a sequence in which a rule has fired
    /// any call may have that, and the sequence ends.</summary>
    /// <param name="After">The rule.</param>
    public sealed record Death(string After) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"death after {After}";
    }

    /// <summary>A process ends, or hangs, within a call that a rule decides, and the sequence ends.
    /// </summary>
    /// <param name="Rule">The rule.</param>
    public sealed record DeathAt(string Rule) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => $"death at {Rule}";
    }

    /// <summary>Whatever diverges with a fingerprint of the row. Nothing is known of the state
    /// that the system is in then: the sequence ends there.</summary>
    /// <param name="HugeAbove">Only while a segment of huge pages with more bytes exists, but
    /// behind whatever call the fields of a fingerprint differ; none for always.</param>
    /// <param name="SegmentAbove">Likewise, while a segment of any pages with more bytes exists.
    /// </param>
    /// <param name="SwapSlots">Likewise, on a machine with so many slots of swap.</param>
    /// <param name="After">Only when a rule has fired in the sequence; none for always.</param>
    public sealed record Everything(
        ulong? HugeAbove = null, ulong? SegmentAbove = null, ulong? SwapSlots = null,
        string? After = null) : WrongFigure
    {
        /// <inheritdoc/>
        public override string ToString() => "fingerprint"
            + (HugeAbove is { } huge ? $" while huge above {huge}" : "")
            + (SegmentAbove is { } size ? $" while segment above {size}" : "")
            + (SwapSlots is { } slots ? $" while swap is {slots}" : "")
            + (After is not null ? $" after {After}" : "");
    }
}

/// <summary>The names of subjects and fields in ledgers.</summary>
internal static class FigureNames
{
    public static ImmutableArray<string> Totals { get; } =
        ["used_ids", "shm_tot", "shm_rss", "shm_swp"];

    /// <summary>Figures of processes that are counters of an address space.</summary>
    public static ImmutableArray<string> Counters { get; } =
    [
        nameof(ProcessField.VmSize), nameof(ProcessField.VmLck), nameof(ProcessField.RssShmem),
        nameof(ProcessField.HugetlbPages),
    ];

    public static string Of(FigureSubject subject) => subject switch
    {
        FigureSubject.Machine => "machine",
        FigureSubject.Namespace => "ipc",
        FigureSubject.Segment => "segment",
        FigureSubject.Process => "process",
        FigureSubject.Mapping => "mapping",
        FigureSubject.ShmInfo => "shm_info",
        _ => throw new ArgumentOutOfRangeException(nameof(subject), subject, "unknown subject"),
    };

    /// <summary>The fields of a subject, in the order of its table.</summary>
    public static IReadOnlyList<string> FieldsOf(FigureSubject subject) => subject switch
    {
        FigureSubject.Machine => Enum.GetNames<GlobalField>(),
        FigureSubject.Namespace => Enum.GetNames<NamespaceField>(),
        FigureSubject.Segment => Enum.GetNames<SegmentField>(),
        FigureSubject.Process => Enum.GetNames<ProcessField>(),
        FigureSubject.Mapping => Enum.GetNames<MappingField>(),
        FigureSubject.ShmInfo => Totals,
        _ => throw new ArgumentOutOfRangeException(nameof(subject), subject, "unknown subject"),
    };

    public static bool HasSegments(FigureSubject subject) =>
        subject is FigureSubject.Segment or FigureSubject.Mapping;
}
