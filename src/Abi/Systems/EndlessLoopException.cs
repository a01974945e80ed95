namespace ShmCheck.Abi;

/// <summary>A loop of a system in this process has gone round more often than any that ends: the
/// call does not come back. Thrown by an implementation that was compiled with bounds for its
/// loops.</summary>
public sealed class EndlessLoopException() : Exception("a loop does not end");
