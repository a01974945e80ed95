using ShmCheck.Abi;

namespace ShmCheck.Systems.Machines;

/// <summary>The addresses that processes of an architecture can have. The specification has those
/// of x86-64; calls in which the difference would matter are left out.</summary>
/// <param name="SameBelow">Numbers below this are addresses on both, or lengths that fit.</param>
/// <param name="HintsWiden">Whether a process gets addresses above those that it has otherwise by
/// asking for one, however high (Documentation/arch/arm64/memory.rst, and DEFAULT_MAP_WINDOW of
/// arch/powerpc).</param>
internal sealed record UserAddresses(ulong SameBelow, bool HintsWiden = false)
{
    /// <summary>Nothing that is so long fits anywhere.</summary>
    private const ulong TooLong = 1ul << 56;

    /// <summary>No process has addresses from here on, not even where the first byte of an address
    /// is ignored.</summary>
    private const ulong NowhereFrom = 0xff80ul << 48;

    /// <summary>Those of x86-64.</summary>
    public static UserAddresses Usual { get; } = new(NowhereFrom);

    /// <summary>Whether a call means the same as on x86-64.</summary>
    public bool Allows(Call call) => call switch
    {
        ShmGet get => IsSame(get.Size),
        ShmAt at => IsSame(at.Address),
        MMap map => IsSame(map.Start, IsHint(map)) && IsSame(map.Length),
        MUnmap unmap => IsSame(unmap.Start) && IsSame(unmap.Length),
        MProtect protect => IsSame(protect.Start) && IsSame(protect.Length),
        MRemap remap when IsLowHint(remap) => this == Usual,
        MRemap remap => IsSame(remap.Start) && IsSame(remap.Length) && IsSame(remap.NewLength)
            && IsSame(remap.NewAddress, IsHint(remap)),
        RangeCall range => IsSame(range.Start),
        _ => true,
    };

    private static bool IsHint(MMap map) =>
        (map.Flags & (MapFlags.MAP_FIXED | MapFlags.MAP_FIXED_NOREPLACE)) == 0;

    private static bool IsHint(MRemap remap) =>
        (remap.Flags & MRemapFlags.MREMAP_FIXED) == 0;

    /// <summary>x86-64 takes a hint below vm.mmap_min_addr that mremap gives, others do not
    /// (arch/x86/kernel/sys_x86_64.c:arch_get_unmapped_area_topdown,
    /// mm/mmap.c:generic_get_unmapped_area).</summary>
    private static bool IsLowHint(MRemap remap) => IsHint(remap)
        && remap.NewAddress is
            { Kind: AddressRefKind.Literal, Base: > 0 and < MachineConfig.MinMapAddress };

    private bool IsSame(AddressRef address, bool isHint = false) =>
        address.Kind != AddressRefKind.Literal || address.Base < SameBelow
        || (address.Base >= NowhereFrom && !(isHint && HintsWiden));

    private bool IsSame(ulong length) => length < SameBelow || length >= TooLong;
}
