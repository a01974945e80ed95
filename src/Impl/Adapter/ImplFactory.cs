using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Starts machines of this implementation as systems under test.</summary>
public sealed class ImplFactory : ISystemFactory
{
    private static readonly ImmutableHashSet<CallKind> Unknown =
        [CallKind.Unshare, CallKind.SetNs];

    /// <inheritdoc/>
    public string Name => "impl";

    /// <inheritdoc/>
    /// <remarks>There is one IPC namespace: no unshare, no setns, no clone with CLONE_NEWIPC.
    /// </remarks>
    public SystemCapabilities Capabilities { get; } = new()
    {
        Calls = SystemCapabilities.AllCalls.Except(Unknown),
        Profiles = SystemCapabilities.AllProfiles,
        CanBeAsked = call =>
            call is not Clone clone || (clone.Flags & CloneFlags.CLONE_NEWIPC) == 0,
        Injections = [.. Enum.GetValues<AllocationKind>()],
    };

    /// <inheritdoc/>
    public ISystemUnderTest Start(MachineConfig config) => new ImplSystem(new ShmMachine(config));
}
