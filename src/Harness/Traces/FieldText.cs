using System.Collections.Immutable;
using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Traces;

/// <summary>How a field of a given name is written.</summary>
internal enum FieldStyle
{
    Decimal,
    Signed,
    Octal,
    Hexadecimal,
    Process,
    Segment,
    Stamp,
}

/// <summary>The names of figures in traces and how each is written: one list for structures that
/// calls return and for observations, since both show the same figures.</summary>
internal static class FieldText
{
    private static readonly ImmutableDictionary<string, FieldStyle> Special =
        new Dictionary<string, FieldStyle>
        {
            ["mode"] = FieldStyle.Octal,
            ["key"] = FieldStyle.Hexadecimal,
            ["Start"] = FieldStyle.Hexadecimal,
            ["End"] = FieldStyle.Hexadecimal,
            ["uid"] = FieldStyle.Signed,
            ["gid"] = FieldStyle.Signed,
            ["cuid"] = FieldStyle.Signed,
            ["cgid"] = FieldStyle.Signed,
            ["cpid"] = FieldStyle.Process,
            ["lpid"] = FieldStyle.Process,
            ["Pid"] = FieldStyle.Process,
            ["shmid"] = FieldStyle.Segment,
            ["atime"] = FieldStyle.Stamp,
            ["dtime"] = FieldStyle.Stamp,
            ["ctime"] = FieldStyle.Stamp,
        }.ToImmutableDictionary();

    /// <summary>The names of the structures' fields that no observation has.</summary>
    private static readonly ImmutableHashSet<string> LimitNames =
        ["shmmax", "shmmin", "shmmni", "shmseg", "shmall"];

    /// <summary>Figures that the kernel prints in kB.</summary>
    private static readonly ImmutableHashSet<string> Kilobytes =
    [
        "SwapCached", "Shmem", "Committed_AS", "VmSize", "VmLck", "RssShmem", "VmSwap",
        "HugetlbPages", "Rss", "Pss", "Shared_Clean", "Shared_Dirty", "Private_Clean",
        "Private_Dirty", "Swap", "Locked", "Shared_Hugetlb", "Private_Hugetlb",
    ];

    private static readonly ImmutableHashSet<string> Names =
    [
        .. LimitNames, .. Enum.GetNames<GlobalField>(), .. Enum.GetNames<NamespaceField>(),
        .. Enum.GetNames<SegmentField>(), .. Enum.GetNames<ProcessField>(),
        .. Enum.GetNames<MappingField>(),
    ];

    public static bool IsKnown(string name) => Names.Contains(name);

    public static FieldStyle StyleOf(string name) =>
        Special.GetValueOrDefault(name, FieldStyle.Decimal);

    /// <summary>The unit of a field.</summary>
    public static string UnitOf(string name) => name switch
    {
        "segsz" or "shmmax" or "shmmin" => "bytes",
        "rss" or "swp" or "shm_tot" or "shm_rss" or "shm_swp" or "shmall" or "SwapUsed"
            or "Offset" => "pages",
        "Present" or "Huge" or "SwapBacked" or "SwapCache" => "pages of the mapping",
        "Mapcount" => "page table entries",
        "nattch" => "mappings",
        "used_ids" or "shmmni" or "shmseg" => "segments",
        "atime" or "dtime" or "ctime" => "s",
        _ when name.StartsWith("HugePages_", StringComparison.Ordinal) => "huge pages",
        _ when Kilobytes.Contains(name) => "kB",
        _ => "",
    };

    /// <summary>A figure that is not what it should be.</summary>
    public static Difference Difference(
        string subject, FigureSpan expected, FigureSpan actual, Bindings bindings) =>
        new(subject, expected.Name, Print(expected, bindings), Print(actual, bindings),
            UnitOf(expected.Name));

    public static string Print(ExpectedField field) =>
        $"{field.Name}={Print(field.Name, field.Value)}";

    private static string Print(FigureSpan figure, Bindings bindings)
    {
        FieldStyle style = StyleOf(figure.Name);
        if (style == FieldStyle.Process && bindings.FindProcess((int)figure.Least) is { } process)
        {
            return process.ToString();
        }

        if (style == FieldStyle.Segment && bindings.FindSegment((int)figure.Least) is { } segment)
        {
            return segment.ToString();
        }

        string least = PrintNumber(style, figure.Least);
        return figure.Least == figure.Most ? least
            : $"{least}..{PrintNumber(style, figure.Most)}";
    }

    public static string Print(string name, ExpectedValue value) => value.Kind switch
    {
        ExpectedValueKind.Process => $"p{value.Number}",
        ExpectedValueKind.Segment => $"s{value.Number}",
        ExpectedValueKind.Set => "set",
        _ => Print(name, value.Number),
    };

    /// <summary>A figure by itself.</summary>
    public static string Print(string name, ulong figure) => PrintNumber(StyleOf(name), figure);

    private static string PrintNumber(FieldStyle style, ulong number) => style switch
    {
        FieldStyle.Octal => "0" + Convert.ToString((long)number, 8),
        FieldStyle.Hexadecimal => number == 0 ? "0" : $"0x{number:x}",
        FieldStyle.Signed => ((long)number).ToString(CultureInfo.InvariantCulture),
        _ => number.ToString(CultureInfo.InvariantCulture),
    };
}
