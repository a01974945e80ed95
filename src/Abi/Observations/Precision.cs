namespace ShmCheck.Abi;

/// <summary>How exactly a system shows a figure.</summary>
public enum PrecisionKind
{
    /// <summary>The figure is what it says.</summary>
    Exact,
    /// <summary>It may be off by the slack.</summary>
    Bounded,
    /// <summary>It becomes right, within its slack, some time after the call.</summary>
    Eventual,
    /// <summary>The system does not show it.</summary>
    NotObservable,
}

/// <summary>Precision of one field on one system.</summary>
/// <param name="Kind">How exactly.</param>
/// <param name="Slack">For <see cref="PrecisionKind.Bounded"/> and
/// <see cref="PrecisionKind.Eventual"/>: by how much it may be off, in the unit of the field.
/// </param>
/// <param name="Source">Why: manual page, kernel function or measurement.</param>
public sealed record Precision(PrecisionKind Kind, ulong Slack = 0, string Source = "")
{
    /// <summary>Name under which uses of the tolerance are counted, for instance
    /// <c>percpu-batch</c>; the name of the field when empty. Of no matter when exact.</summary>
    public string Tolerance { get; init; } = "";

    /// <summary>Why the figure is off, in a few words; the source when empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Exact.</summary>
    public static Precision Exact { get; } = new(PrecisionKind.Exact);

    /// <summary>Not observable, for the given reason.</summary>
    public static Precision NotObservable(string source) =>
        new(PrecisionKind.NotObservable, 0, source);
}
