namespace ShmCheck.Faults.Patches;

/// <summary>What it takes to see a fault.</summary>
public enum FaultKind
{
    /// <summary>A sequence of calls.</summary>
    Sequential,
    /// <summary>A sequence of calls in which an allocation fails.</summary>
    Injected,
}
