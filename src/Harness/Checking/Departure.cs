using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>A divergence, and what it is seen against.</summary>
/// <param name="Divergence">The divergence.</param>
/// <param name="Before">The state before the call.</param>
/// <param name="After">The state that the specification has reached.</param>
/// <param name="Expected">What it shows.</param>
/// <param name="Shown">What the system shows.</param>
/// <param name="Bindings">What the handles stand for.</param>
internal readonly record struct Departure(
    Divergence Divergence, SpecState Before, SpecState After, Observation Expected,
    Observation Shown, Bindings Bindings)
{
    /// <summary>The address space of the caller before the call.</summary>
    public AddressSpace? Space => Caller.SpaceOf(Divergence.Call, Before, Bindings);

    /// <summary>What an address stands for.</summary>
    public ulong? Resolve(AddressRef address) =>
        Bindings.TryResolve(address, Before.Config.PageSize, out ulong resolved) ? resolved : null;
}
