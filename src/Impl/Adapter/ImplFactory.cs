using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Starts machines of this implementation as systems under test.</summary>
public sealed class ImplFactory : ISystemFactory
{
    /// <inheritdoc/>
    public string Name => "impl";

    /// <inheritdoc/>
    public SystemCapabilities Capabilities { get; } = new()
    {
        Calls = SystemCapabilities.AllCalls,
        Profiles = SystemCapabilities.AllProfiles,
        Injections = [.. Enum.GetValues<AllocationKind>()],
    };

    /// <inheritdoc/>
    public ISystemUnderTest Start(MachineConfig config) => new ImplSystem(new ShmMachine(config));
}
