namespace ShmCheck.Harness.Exploring;

/// <summary>How to explore a scope.</summary>
public sealed record ExplorationOptions
{
    /// <summary>Bytes that nodes may take when nothing else is said: 4 GiB.</summary>
    public const long DefaultMemory = 4L << 30;

    /// <summary>Calls in the longest sequences; none for no limit.</summary>
    public int? Depth { get; init; }

    /// <summary>Threads that make calls.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Bytes that nodes may take.</summary>
    public long Memory { get; init; } = DefaultMemory;

    /// <summary>Whether states that differ only in which process or segment is which are one
    /// node.</summary>
    public bool Symmetry { get; init; } = true;

    /// <summary>Whether calls that do not touch what the other touches are made in one order
    /// only.</summary>
    public bool PartialOrder { get; init; } = true;

    /// <summary>Processor time after which a call does not come back any more; 5 s when not
    /// given.</summary>
    public TimeSpan? Patience { get; init; }
}
