using ShmCheck.Abi;

namespace ShmCheck.Harness.Shrinking;

/// <summary>Simpler versions of a machine: one property at a time as a machine has it by default,
/// or smaller.</summary>
internal static class MachineSimplifier
{
    private static readonly MachineConfig Default = new();

    /// <summary>The simpler versions.</summary>
    public static IEnumerable<MachineConfig> Simplify(MachineConfig m)
    {
        yield return Default with { Profile = m.Profile };
        yield return m with { Profile = Default.Profile };
        yield return m with { PageSize = Default.PageSize };
        yield return m with { Frames = Default.Frames };
        yield return m with { HugePageSize = Default.HugePageSize };
        yield return m with { OtherHugePageSizes = Default.OtherHugePageSizes };
        yield return m with { SwapKind = Default.SwapKind };
        yield return m with { ShmMax = Default.ShmMax };
        yield return m with { ShmAll = Default.ShmAll };
        yield return m with { ShmMni = Default.ShmMni };
        yield return m with { ShmRmidForced = Default.ShmRmidForced };
        yield return m with { Overcommit = Default.Overcommit };
        yield return m with { OvercommitRatio = Default.OvercommitRatio };
        yield return m with { HugetlbShmGroup = Default.HugetlbShmGroup };
        foreach (ulong fewer in Fewer(m.HugePages))
        {
            yield return m with { HugePages = fewer };
        }

        foreach (ulong fewer in Fewer(m.SwapSlots))
        {
            yield return m with { SwapSlots = fewer };
        }

        foreach (ulong fewer in Fewer(m.NrOvercommitHugePages))
        {
            yield return m with { NrOvercommitHugePages = fewer };
        }
    }

    private static IEnumerable<ulong> Fewer(ulong number) =>
        new ulong[] { 0, 1, 2, number / 2, number - 1 }.Where(fewer => fewer < number).Distinct();
}
