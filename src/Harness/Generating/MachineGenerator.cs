using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Draws machines: small ones, whose limits a few dozen calls can reach.</summary>
public static class MachineGenerator
{
    /// <summary>Machines of the given profiles.</summary>
    public static Gen<MachineConfig> Machines(IReadOnlyCollection<KernelProfile> profiles) =>
        from profile in Gen.Elements<KernelProfile>(profiles)
        from memory in Memory
        from limits in Limits
        select limits(memory with { Profile = profile });

    private static Gen<MachineConfig> Memory =>
        from frames in Gen.Frequency(
            (1, Gen.Choose(0, 6)), (3, Gen.Choose(7, 24)), (3, Gen.Constant(64)),
            (1, Gen.Elements(63, 65, 129, 200)), (1, Gen.Elements(2048, 2048, 4160)))
        from hugeSize in Gen.Frequency(
            (5, Gen.Constant(2ul << 20)), (3, Gen.Constant(8192ul)), (1, Gen.Constant(16384ul)),
            (1, Gen.Constant(256ul << 10)))
        from hugePages in Gen.Frequency(
            (4, Gen.Constant(0)), (8, Gen.Choose(1, 3)), (2, Gen.Choose(4, 10)),
            (1, Gen.Elements(64, 65, 130)))
        from surplus in Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Choose(1, 3)))
        from slots in Gen.Frequency(
            (4, Gen.Constant(0)), (6, Gen.Choose(1, 4)), (5, Gen.Choose(8, 64)),
            (1, Gen.Elements(65, 127, 128, 130)))
        from asynchronous in Gen.Frequency((2, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new MachineConfig
        {
            Frames = (ulong)frames,
            HugePageSize = hugeSize,
            HugePages = (ulong)hugePages,
            NrOvercommitHugePages = (ulong)surplus,
            SwapSlots = (ulong)slots,
            SwapKind = asynchronous ? SwapKind.Asynchronous : SwapKind.Synchronous,
        };

    private static Gen<Func<MachineConfig, MachineConfig>> Limits =>
        from mni in Gen.Frequency(
            (5, Gen.Constant(4096)), (2, Gen.Choose(1, 4)), (1, Gen.Elements(0, 32768)))
        from all in Gen.Frequency((5, Gen.Constant(0)), (1, Gen.Choose(1, 12)))
        from max in Gen.Frequency((5, Gen.Constant(0)), (1, Gen.Choose(1, 5)))
        from forced in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        from overcommit in Gen.Frequency(
            (4, Gen.Constant(0)), (1, Gen.Constant(1)), (2, Gen.Constant(2)))
        from ratio in Gen.Elements(0, 10, 50, 100)
        from admins in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Constant(1000)))
        select (Func<MachineConfig, MachineConfig>)(m => m with
        {
            ShmMni = mni,
            ShmAll = all == 0 ? MachineConfig.DefaultShmLimit : (ulong)all,
            ShmMax = max == 0 ? MachineConfig.DefaultShmLimit : (ulong)max * m.PageSize,
            ShmRmidForced = forced,
            Overcommit = (OvercommitMode)overcommit,
            OvercommitRatio = ratio,
            HugetlbShmGroup = admins,
        });
}
