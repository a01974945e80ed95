using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>What a system answered to a call, and what it shows afterwards.</summary>
/// <param name="Reply">Its reply.</param>
/// <param name="Figures">Its figures.</param>
internal readonly record struct Seen(Reply Reply, Observation Figures);
