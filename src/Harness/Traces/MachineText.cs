using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>The machine line of a trace: <c>machine profile=6.18 page=4096 frames=64 ...</c>.
/// Properties that have their default value are left out, but for the first three.</summary>
internal static class MachineText
{
    private static readonly MachineConfig Default = new();

    /// <summary>One property: its name, its value as text, and how text sets it.</summary>
    private sealed record Property(
        string Name, Func<MachineConfig, string> Get,
        Func<MachineConfig, LineCursor, MachineConfig> Set, bool Always = false);

    private static readonly ImmutableArray<Property> Properties =
    [
        new("profile", m => KernelProfileText.Of(m.Profile),
            (m, text) => m with { Profile = ReadProfile(text) }, Always: true),
        Size("page", m => m.PageSize, (m, v) => m with { PageSize = v }, always: true),
        Count("frames", m => m.Frames, (m, v) => m with { Frames = v }, always: true),
        Count("hugepages", m => m.HugePages, (m, v) => m with { HugePages = v }),
        Size("hugepage", m => m.HugePageSize, (m, v) => m with { HugePageSize = v }),
        new("hugesizes", m => string.Join(",", m.OtherHugePageSizes.Select(PrintSize)),
            (m, text) => m with { OtherHugePageSizes = ReadSizes(text) }),
        Count("swap", m => m.SwapSlots, (m, v) => m with { SwapSlots = v }),
        new("swapdev", m => m.SwapKind == SwapKind.Synchronous ? "sync" : "async",
            (m, text) => m with { SwapKind = ReadSwapKind(text) }),
        Count("shmmax", m => m.ShmMax, (m, v) => m with { ShmMax = v }),
        Count("shmall", m => m.ShmAll, (m, v) => m with { ShmAll = v }),
        Number("shmmni", 0, 32768, m => m.ShmMni, (m, v) => m with { ShmMni = v }),
        Number("rmid_forced", 0, 1, m => m.ShmRmidForced ? 1 : 0,
            (m, v) => m with { ShmRmidForced = v == 1 }),
        Number("overcommit", 0, 2, m => (int)m.Overcommit,
            (m, v) => m with { Overcommit = (OvercommitMode)v }),
        Number("ratio", 0, int.MaxValue, m => m.OvercommitRatio,
            (m, v) => m with { OvercommitRatio = v }),
        Count("overcommit_hugepages", m => m.NrOvercommitHugePages,
            (m, v) => m with { NrOvercommitHugePages = v }),
        Number("hugetlb_group", 0, int.MaxValue, m => m.HugetlbShmGroup,
            (m, v) => m with { HugetlbShmGroup = v }),
    ];

    public static string Print(MachineConfig machine)
    {
        var text = new StringBuilder("machine");
        foreach (Property property in Properties)
        {
            string value = property.Get(machine);
            if (property.Always || value != property.Get(Default))
            {
                text.Append(' ').Append(property.Name).Append('=').Append(value);
            }
        }

        return text.ToString();
    }

    /// <summary>Reads the properties behind the word <c>machine</c>.</summary>
    public static MachineConfig Parse(LineCursor line)
    {
        MachineConfig machine = Default;
        var seen = new HashSet<string>();
        while (line.SkipBlanks() && !line.AtEnd)
        {
            int start = line.Position;
            string name = line.Word("a property of the machine");
            Property? property = Properties.FirstOrDefault(p => p.Name == name);
            if (property is null || !seen.Add(name))
            {
                throw line.Error(start, property is null
                    ? $"expected one of {string.Join(", ", Properties.Select(p => p.Name))}"
                    : $"expected a property that is not given yet: '{name}' is given twice");
            }

            line.Expect("=");
            machine = property.Set(machine, line);
        }

        Validate(machine, line);
        return machine;
    }

    private static void Validate(MachineConfig machine, LineCursor line)
    {
        string? problem =
            !ulong.IsPow2(machine.PageSize) || machine.PageSize < 4096
                ? "a page size that is a power of two of at least 4096"
            : !ulong.IsPow2(machine.HugePageSize) || machine.HugePageSize <= machine.PageSize
                ? "a huge page size that is a power of two above the page size"
            : machine.OtherHugePageSizes.Any(s => !ulong.IsPow2(s) || s <= machine.PageSize
                    || s == machine.HugePageSize)
                ? "other huge page sizes that are powers of two above the page size"
            : machine.HugePageSize > 1ul << 34 || machine.Frames > uint.MaxValue
                || machine.SwapSlots > uint.MaxValue || machine.HugePages > uint.MaxValue
                || machine.TotalPages > uint.MaxValue
                ? "a machine of at most 2^32 - 1 frames and as many slots"
            : null;
        if (problem is not null)
        {
            throw line.Error(0, $"expected {problem}");
        }
    }

    private static Property Count(
        string name, Func<MachineConfig, ulong> get,
        Func<MachineConfig, ulong, MachineConfig> set, bool always = false) =>
        new(name, m => get(m).ToString(CultureInfo.InvariantCulture),
            (m, line) => set(m, line.Unsigned(name)), always);

    private static Property Size(
        string name, Func<MachineConfig, ulong> get,
        Func<MachineConfig, ulong, MachineConfig> set, bool always = false) =>
        new(name, m => PrintSize(get(m)), (m, line) => set(m, line.Unsigned("a size")), always);

    private static Property Number(
        string name, int least, int most, Func<MachineConfig, int> get,
        Func<MachineConfig, int, MachineConfig> set) =>
        new(name, m => get(m).ToString(CultureInfo.InvariantCulture), (m, line) =>
        {
            int start = line.Position;
            ulong value = line.Unsigned(name);
            return value >= (ulong)least && value <= (ulong)most ? set(m, (int)value)
                : throw line.Error(start, $"expected {name} from {least} to {most}");
        });

    public static string PrintSize(ulong bytes) =>
        bytes >= 1ul << 30 && bytes % (1ul << 30) == 0 ? $"{bytes >> 30}G"
        : bytes >= 1ul << 20 && bytes % (1ul << 20) == 0 ? $"{bytes >> 20}M"
        : bytes.ToString(CultureInfo.InvariantCulture);

    private static KernelProfile ReadProfile(LineCursor line)
    {
        int start = line.Position;
        string text = line.While(c => char.IsAsciiDigit(c) || c == '.');
        foreach (KernelProfile profile in Enum.GetValues<KernelProfile>())
        {
            if (KernelProfileText.Of(profile) == text)
            {
                return profile;
            }
        }

        throw line.Error(start, "expected a profile: one of "
            + string.Join(", ", Enum.GetValues<KernelProfile>().Select(KernelProfileText.Of)));
    }

    private static SwapKind ReadSwapKind(LineCursor line)
    {
        int start = line.Position;
        return line.Word("sync or async") switch
        {
            "sync" => SwapKind.Synchronous,
            "async" => SwapKind.Asynchronous,
            _ => throw line.Error(start, "expected sync or async"),
        };
    }

    private static ImmutableArray<ulong> ReadSizes(LineCursor line)
    {
        var sizes = ImmutableArray.CreateBuilder<ulong>();
        while (!line.AtEnd && line.Peek != ' ')
        {
            sizes.Add(line.Unsigned("a huge page size"));
            if (!line.TryTake(","))
            {
                break;
            }
        }

        return sizes.ToImmutable();
    }
}
