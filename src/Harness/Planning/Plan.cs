using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Planning;

/// <summary>A machine and calls that hit a target, according to the specification.</summary>
/// <param name="Target">The target; the last call hits it.</param>
/// <param name="Machine">The machine.</param>
/// <param name="Calls">The calls.</param>
/// <param name="Steps">Steps of the specification that the search took.</param>
public sealed record Plan(
    Target Target, MachineConfig Machine, ImmutableArray<Call> Calls, int Steps);
