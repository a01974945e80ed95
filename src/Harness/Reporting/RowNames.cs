using ShmCheck.Abi;

namespace ShmCheck.Harness.Reporting;

/// <summary>How reports name the rows of an observation: by the handles of the trace wherever
/// one is bound, so that a figure can be found in it.</summary>
internal static class RowNames
{
    /// <summary>Pieces of a mapping are named after the handle of its start up to here.</summary>
    private const ulong FarthestPiece = 1ul << 30;

    public static string Segment(int id, Bindings bindings) =>
        bindings.FindSegment(id) is { } handle ? $"{handle}" : $"shmid {id}";

    public static string Process(int pid, Bindings bindings) =>
        bindings.FindProcess(pid) is { } handle ? $"{handle}" : $"pid {pid}";

    /// <summary>As <c>observe</c> lines have it: <c>p1:a1</c>, <c>p1:a1+4096</c>,
    /// <c>p1:@12</c>.</summary>
    public static string Mapping(int pid, ulong start, ulong pageSize, Bindings bindings) =>
        $"{Process(pid, bindings)}:{Place(start, pageSize, bindings)}";

    private static string Place(ulong start, ulong pageSize, Bindings bindings)
    {
        ulong inWindow = unchecked(start - MachineConfig.WindowStart);
        bool bound = bindings.FindMapping(start, out MappingHandle handle, out ulong offset);
        return bound && offset == 0 ? $"{handle}"
            : inWindow < MachineConfig.WindowLength ? $"@{inWindow / pageSize}"
            : bound && offset < FarthestPiece ? $"{handle}+{offset}"
            : new Address(start).ToString();
    }
}
