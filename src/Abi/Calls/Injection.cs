namespace ShmCheck.Abi;

/// <summary>What a call allocates, and what can therefore be made to fail in it.</summary>
public enum AllocationKind
{
    /// <summary>A frame for a base page.</summary>
    Frame,
    /// <summary>A slot of the swap device.</summary>
    Slot,
    /// <summary>A huge page: taken from the pool, or found to make the pool larger.</summary>
    Huge,
    /// <summary>An identifier of a segment.</summary>
    Id,
    /// <summary>Bookkeeping memory: segment, mapping, process.</summary>
    Bookkeeping,
}

/// <summary>Makes one allocation of one call fail.</summary>
/// <param name="Kind">What is allocated.</param>
/// <param name="Nth">Which one, counted from 1 within the call. When fewer happen, nothing
/// fails and the result is the ordinary one.</param>
public readonly record struct Injection(AllocationKind Kind, int Nth)
{
    /// <summary>As in traces: <c>frame#1</c>.</summary>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()}#{Nth}";
}
