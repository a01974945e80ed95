using System.Globalization;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Exporting;

/// <summary>A file under /proc/sys that a program sets at its start.</summary>
/// <param name="Path">The file.</param>
/// <param name="Value">What it must say.</param>
/// <param name="IsOfNamespace">Whether it is of the program's own IPC namespace; else the program
/// sets it back at its end.</param>
/// <param name="IsUnsigned">Whether it takes numbers beyond those of a signed one.</param>
internal sealed record CKnob(
    string Path, ulong Value, bool IsOfNamespace = false, bool IsUnsigned = false)
{
    /// <summary>A sysctl that machines of the model have.</summary>
    public static CKnob Of(Sysctl name, ulong value) => new(
        CKnobs.PathOf(name), value, SysctlText.IsOfNamespace(name), CKnobs.IsUnsigned(name));
}

/// <summary>The sysctls that a trace needs, as files under /proc/sys.</summary>
internal static class CKnobs
{
    /// <summary>The lowest address that may be mapped without a right to more.</summary>
    public static CKnob LowestAddress { get; } =
        new("/proc/sys/vm/mmap_min_addr", MachineConfig.MinMapAddress);

    /// <summary>Whether a knob takes numbers beyond those of a signed one.</summary>
    public static bool IsUnsigned(Sysctl name) => name is Sysctl.ShmMax or Sysctl.ShmAll;

    /// <summary>The file of a knob.</summary>
    public static string PathOf(Sysctl name) =>
        "/proc/sys/" + SysctlText.Of(name).Replace('.', '/');

    /// <summary>The value that a call writes, and its format before it.</summary>
    public static string ArgumentsOf(SetSysctl set) => set switch
    {
        { Name: Sysctl.OvercommitMemory, Value: (ulong)OvercommitMode.Never } =>
            throw CCall.Cannot(set, "would refuse memory to every other program"),
        _ when IsUnsigned(set.Name) =>
            string.Create(CultureInfo.InvariantCulture, $"\"%lu\", {set.Value}UL"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\"%ld\", {(long)set.Value}L"),
    };

    private static readonly Sysctl[] OfHugePages =
        [Sysctl.NrHugePages, Sysctl.NrOvercommitHugePages, Sysctl.HugetlbShmGroup];

    /// <summary>Whether there are huge pages at some time.</summary>
    public static bool HasPool(MachineConfig machine, IEnumerable<Call> calls) =>
        machine.HugePages > 0 || machine.NrOvercommitHugePages > 0
        || calls.Any(call => call is SetSysctl set && OfHugePages.Contains(set.Name));

    /// <summary>Whether huge pages are needed, or that there are none.</summary>
    public static bool HasHugePages(MachineConfig machine, IEnumerable<Call> calls) =>
        HasPool(machine, calls) || calls.Any(call => call is ShmGet { Flags.HugeTlb: true });

    /// <summary>Knobs that have to be set at the start: those that the machine has otherwise than
    /// Linux, those of the whole machine that a call sets, and those of huge pages where there
    /// are any.</summary>
    public static IEnumerable<CKnob> Needed(
        MachineConfig machine, IReadOnlyCollection<Call> calls)
    {
        if (machine.Overcommit == OvercommitMode.Never)
        {
            throw new CannotExportException(
                "overcommit=2 would refuse memory to every other program");
        }

        HashSet<Sysctl> set =
        [
            .. calls.OfType<SetSysctl>().Select(call => call.Name)
                .Where(name => !SysctlText.IsOfNamespace(name)),
            .. HasHugePages(machine, calls) ? OfHugePages : [],
        ];
        var usual = new MachineConfig();
        return All(machine).Zip(All(usual))
            .Where(pair => set.Contains(pair.First.Name) || pair.First.Value != pair.Second.Value)
            .Select(pair => CKnob.Of(pair.First.Name, pair.First.Value));
    }

    private static IEnumerable<(Sysctl Name, ulong Value)> All(MachineConfig machine) =>
    [
        (Sysctl.ShmMax, machine.ShmMax), (Sysctl.ShmAll, machine.ShmAll),
        (Sysctl.ShmMni, (ulong)machine.ShmMni),
        (Sysctl.ShmRmidForced, machine.ShmRmidForced ? 1ul : 0),
        (Sysctl.NrOvercommitHugePages, machine.NrOvercommitHugePages),
        (Sysctl.NrHugePages, machine.HugePages),
        (Sysctl.HugetlbShmGroup, (ulong)machine.HugetlbShmGroup),
        (Sysctl.OvercommitMemory, (ulong)machine.Overcommit),
        (Sysctl.OvercommitRatio, (ulong)machine.OvercommitRatio),
    ];
}
