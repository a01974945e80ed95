using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Rights on segments.</summary>
internal static class Permissions
{
    public const int Read = 0x124;
    public const int Write = 0x92;
    public const int Execute = 0x49;

    /// <summary>Whether a segment's mode grants what some mode bits ask for: the three rwx
    /// triads together, of the one class the caller belongs to. CAP_IPC_OWNER grants all
    /// (ipc/util.c:ipcperms).</summary>
    public static bool Grants(Credentials who, Segment segment, int asked)
    {
        bool owner = who.Euid == segment.Uid || who.Euid == segment.Cuid;
        bool group = who.IsInGroup(segment.Gid) || who.IsInGroup(segment.Cgid);
        int requested = (asked >> 6) | (asked >> 3) | asked;
        int granted = segment.Mode >> (owner ? 6 : group ? 3 : 0);
        return (requested & ~granted & 7) == 0 || who.Has(CapabilitySet.CAP_IPC_OWNER);
    }

    /// <summary>Whether the caller may change or remove a segment
    /// (ipc/util.c:ipcctl_obtain_check).</summary>
    public static bool Controls(Credentials who, Segment segment) =>
        who.Euid == segment.Uid || who.Euid == segment.Cuid
        || who.Has(CapabilitySet.CAP_SYS_ADMIN);
}
