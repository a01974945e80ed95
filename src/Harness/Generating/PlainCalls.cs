using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls with nothing special about them, which scenarios begin with.</summary>
internal static class PlainCalls
{
    private const int ForTheOwner = 0x180;

    /// <summary>Makes a segment without a key, which its owner may read and write.</summary>
    public static ShmGet Create(
        ProcessHandle caller, ulong bytes, SegmentHandle segment, int flags = 0) => new(
            caller, ShmKey.Private, bytes,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | ForTheOwner | flags), segment);

    /// <summary>Attaches a segment wherever there is room.</summary>
    public static ShmAt Attach(
        ProcessHandle caller, SegmentHandle segment, MappingHandle mapping) =>
        new(caller, segment, AddressRef.Null, new ShmAtFlags(0), mapping);
}
