using ShmCheck.Abi;

namespace ShmCheck.Harness.Exploring;

/// <summary>A call of a scope's alphabet.</summary>
/// <param name="Call">The call.</param>
/// <param name="IsEnabled">Whether it is made in a state: its handles stand for something, what
/// it makes stays within the bounds, and no other call of the alphabet does just the same.</param>
/// <param name="Rank">Its place in an order of the calls in which those that differ in handles
/// only have the same place.</param>
internal sealed record ScopeCall(Call Call, Func<ScopeView, bool> IsEnabled, int Rank);
