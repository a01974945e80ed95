using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Properties.OwnSystem;

/// <summary>Starts toys, and says what a toy can be asked and what it shows.</summary>
public sealed class ToyFactory(bool forgetful) : ISystemFactory
{
    private static readonly Precision Hidden = Precision.NotObservable("the toy has no such figure");

    private static readonly HashSet<Enum> Shown =
    [
        SegmentField.Namespace, SegmentField.shmid, SegmentField.segsz, SegmentField.cpid,
        SegmentField.nattch,
    ];

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
            ShmDt dt => dt.Address.Offset % 4096 == 0,
            _ => true,
        },
        Profiles = SystemCapabilities.AllProfiles,
        ChoosesIdentifiersFreely = true,
        Precisions = Fields().Where(field => !Shown.Contains(field))
            .ToImmutableDictionary(field => field, _ => Hidden),
    };

    public ISystemUnderTest Start(MachineConfig config) => new ToyShm(forgetful);

    private static IEnumerable<Enum> Fields() =>
        new[]
        {
            typeof(GlobalField), typeof(NamespaceField), typeof(SegmentField),
            typeof(ProcessField), typeof(MappingField),
        }.SelectMany(table => Enum.GetValues(table).Cast<Enum>());
}
