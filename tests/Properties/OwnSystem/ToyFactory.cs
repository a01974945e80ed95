using ShmCheck.Abi;

namespace ShmCheck.Properties.OwnSystem;

/// <summary>Starts toys, and says what a toy can be asked and what it shows.</summary>
public sealed class ToyFactory(bool forgetful) : ISystemFactory
{
    public string Name => "toy";

    public SystemCapabilities Capabilities { get; } = new()
    {
        Calls =
        [
            CallKind.ShmGet, CallKind.ShmAt, CallKind.ShmDt, CallKind.ShmCtlRmid, CallKind.Fork,
            CallKind.Kill,
        ],
        CanBeAsked = call => call switch
        {
            ShmGet get => get.Key.IsPrivate && !get.Flags.HugeTlb && get.Size is > 0 and < 65536,
            ShmAt at => at.Address == AddressRef.Null,
            _ => true,
        },
        Adapt = machine => new MachineConfig { Profile = machine.Profile },
        Profiles = SystemCapabilities.AllProfiles,
        ChoosesIdentifiersFreely = true,
        Precisions = SystemCapabilities.Showing(
            SegmentField.Namespace, SegmentField.shmid, SegmentField.nattch),
    };

    public ISystemUnderTest Start(MachineConfig config) => new ToyShm(forgetful);
}
