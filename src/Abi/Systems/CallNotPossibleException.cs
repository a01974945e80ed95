namespace ShmCheck.Abi;

/// <summary>A call that a system declares cannot be made as things stand, and has not been made:
/// it would hit the program that makes the calls, say. The call is skipped on every side.
/// </summary>
/// <param name="reason">Why.</param>
public sealed class CallNotPossibleException(string reason) : Exception(reason);
