using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Who makes a call.</summary>
internal static class Caller
{
    /// <summary>The task that makes a call; none where nobody does, or it does not exist.
    /// </summary>
    public static KernelTask? Of(Call? call, SpecState state, Bindings bindings) =>
        call is ProcessCall { Caller: var caller } && bindings.TryResolve(caller, out int tid)
            && state.Tasks.TryGet((ulong)tid, out KernelTask? task) ? task : null;

    /// <summary>Whether MCL_FUTURE is in force for who makes a call.</summary>
    public static bool LocksFuture(Call call, SpecState state, Bindings bindings) =>
        SpaceOf(call, state, bindings) is { LockFuture: true };

    /// <summary>Its address space.</summary>
    public static AddressSpace? SpaceOf(Call? call, SpecState state, Bindings bindings) =>
        Of(call, state, bindings) is { } task ? state.Spaces[task.Space] : null;
}
