using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Exploring;

/// <summary>Segments of one size and kind.</summary>
/// <param name="Size">Size in bytes.</param>
/// <param name="Flags">Flags that such a segment is made with.</param>
/// <param name="Most">How many may exist at once, those marked for destruction included.</param>
public sealed record SegmentKind(ulong Size, ShmGetFlags Flags, int Most);

/// <summary>How much there may be in a scope.</summary>
public sealed record ScopeBounds
{
    /// <summary>Processes alive at once.</summary>
    public required int Processes { get; init; }

    /// <summary>Segments that exist at once, those marked for destruction included.</summary>
    public required int Segments { get; init; }

    /// <summary>Attaches of one process at once. The first has the lowest address that is free.
    /// </summary>
    public required int Attaches { get; init; }

    /// <summary>The kinds of segments.</summary>
    public required ImmutableArray<SegmentKind> Kinds { get; init; }

    /// <summary>Pages of the window between two attach addresses: twice a huge page.</summary>
    internal static ulong AttachPages(MachineConfig machine) => 2 * machine.PagesPerHugePage;

    /// <summary>Bytes at an attach address that belong to it.</summary>
    internal static ulong AttachLength(MachineConfig machine) =>
        AttachPages(machine) * machine.PageSize;

    /// <summary>The address of an attach.</summary>
    internal static ulong AttachAddress(MachineConfig machine, int attach) =>
        MachineConfig.WindowStart + (ulong)attach * AttachLength(machine);

    /// <summary>The address of a page of an attach, as a call names it.</summary>
    internal static AddressRef AttachRef(MachineConfig machine, int attach, ulong page = 0) =>
        AddressRef.Window((ulong)attach * AttachPages(machine) + page);
}
