using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>A figure that the program reads at some point.</summary>
/// <param name="Text">What it is and should be, in the words of the trace.</param>
/// <param name="Wanted">What it should be, in C.</param>
/// <param name="Read">How it is read, in C.</param>
internal sealed record CFigure(string Text, string Wanted, string Read)
{
    /// <summary>Bytes of the unit of /proc/meminfo and the files of a process.</summary>
    public const ulong Kilobyte = 1024;

    /// <summary>The name of what the program adds to the shared memory of every process, in kB.
    /// </summary>
    public const string OwnMemory = "OWN_MEMORY";

    /// <summary>Whether it is read in the files of a process under /proc.</summary>
    public bool IsOfProcess => Read.Contains("/proc/%ld/", StringComparison.Ordinal);

    /// <summary>Whether it is a figure of /proc/meminfo.</summary>
    public bool IsOfMachine => Read.Contains("/proc/meminfo", StringComparison.Ordinal);

    /// <summary>Whether it is how much of the swap device is cached.</summary>
    public bool IsOfSwapCache =>
        Read.Contains(nameof(GlobalField.SwapCached), StringComparison.Ordinal);

    /// <summary>Figures that nobody but the program changes, and that are the same wherever it
    /// runs: those that an exported trace checks when it does not say which matter.</summary>
    public static IReadOnlyCollection<string> Telling { get; } =
    [
        nameof(SegmentField.nattch), nameof(SegmentField.rss), nameof(SegmentField.swp),
        nameof(NamespaceField.used_ids), nameof(NamespaceField.shm_tot),
        nameof(NamespaceField.shm_rss), nameof(NamespaceField.shm_swp),
    ];

    /// <summary>A figure of a row.</summary>
    /// <returns>None when a program cannot tell it from what else is on the machine.</returns>
    public static CFigure? Of(ExpectedRow row, ExpectedField field, Sight sight)
    {
        string? read = row.Kind switch
        {
            ExpectedRowKind.Global => OfMachine(field, sight.Machine),
            ExpectedRowKind.Namespace => row.Number != 0 ? null
                : field.Name == nameof(NamespaceField.max_index)
                    ? "shmctl(0, SHM_INFO, (void *)&(struct shm_info){ 0 })"
                : $"(long)info().{field.Name}",
            ExpectedRowKind.Segment => OfSegment(row, field, sight),
            ExpectedRowKind.Process => OfProcess(row.Number, field.Name),
            _ => OfMapping(row, field.Name, sight),
        };
        return read is null ? null
            : new CFigure($"{Subject(row)}{FieldText.Print(field)}", Value(field), read);
    }

    /// <summary>What a figure of a structure should be.</summary>
    public static string Value(ExpectedField field) => field.Value.Kind switch
    {
        ExpectedValueKind.Process => $"m->p[{field.Value.Number}]",
        ExpectedValueKind.Segment => $"m->s[{field.Value.Number}]",
        ExpectedValueKind.Set => "1",
        _ when field.Name == nameof(SegmentField.mode) =>
            $"0{Convert.ToString((long)field.Value.Number, 8)}",
        _ => ((long)field.Value.Number).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>A field of <c>struct shmid_ds</c>; stamps are read as whether they are set.
    /// </summary>
    public static string OfStructure(string structure, string name) => name switch
    {
        "key" => $"{structure}.shm_perm.__key",
        "uid" or "gid" or "cuid" or "cgid" => $"(int){structure}.shm_perm.{name}",
        "mode" => $"{structure}.shm_perm.mode",
        "atime" or "dtime" or "ctime" => $"({structure}.shm_{name} != 0)",
        _ => $"(long){structure}.shm_{name}",
    };

    private static string Subject(ExpectedRow row) => row.Kind switch
    {
        ExpectedRowKind.Global => "",
        ExpectedRowKind.Namespace => $"ipc{row.Number} ",
        ExpectedRowKind.Segment => $"s{row.Number} ",
        ExpectedRowKind.Process => $"p{row.Number} ",
        _ => $"p{row.Number}:{row.Address} ",
    };

    /// <summary>Other programs change Committed_AS too, but never by so much.</summary>
    private static string? OfMachine(ExpectedField field, MachineConfig machine)
    {
        const ulong many = 1ul << 40;
        return field.Name switch
        {
            nameof(GlobalField.Committed_AS) => field.Value.Number < many ? null
                : $"near({Value(field)}, {MemInfo(field.Name)})",
            nameof(GlobalField.SwapCached) => machine.SwapSlots == 0 ? null
                : $"(add_up(), {MemInfo(field.Name)})",
            _ => field.Name.StartsWith("HugePages_", StringComparison.Ordinal)
                ? MemInfo(field.Name) : null,
        };
    }

    /// <summary>A figure of /proc/meminfo.</summary>
    public static string MemInfo(string name) =>
        $"number(\"/proc/meminfo\", \"\", \"{name}: %ld\")";

    private static string? OfSegment(ExpectedRow row, ExpectedField field, Sight sight)
    {
        string id = $"m->s[{row.Number}]";
        string? columns = field.Name switch
        {
            nameof(SegmentField.rss) => " %%ld",
            nameof(SegmentField.swp) => " %%*s %%ld",
            _ => null,
        };
        return columns is not null
            ? $"number(\"/proc/sysvipc/shm\", \"\", line_of({id}, \"{columns}\"))"
                + $" / {sight.Machine.PageSize}"
            : field.Name == nameof(SegmentField.Namespace) ? null
            : OfStructure($"segment({id})", field.Name);
    }

    private static string? OfProcess(int number, string name) => name switch
    {
        nameof(ProcessField.VmSize) or nameof(ProcessField.Pid) => null,
        nameof(ProcessField.RssShmem) => $"{Status(number, name)} - {OwnMemory}",
        _ => Status(number, name),
    };

    private static string Status(int number, string name) =>
        $"number(text(\"/proc/%ld/status\", m->p[{number}]), \"\", \"{name}: %ld\")";

    private static string? OfMapping(ExpectedRow row, string name, Sight sight) =>
        name is nameof(MappingField.Protection) && sight.StartOf(row) is { } from
            ? $"rights(text(\"/proc/%ld/maps\", m->p[{row.Number}]), {from})"
        : name is nameof(MappingField.Pid) or nameof(MappingField.Start)
            or nameof(MappingField.End) or nameof(MappingField.shmid)
            or nameof(MappingField.Offset)
            || sight.StartOf(row) is not { } start ? null
            : $"number(text(\"/proc/%ld/smaps\", m->p[{row.Number}]), "
                + $"text(\"%lx-\", {start}), \"{name}: %ld\")";
}

/// <summary>What the specification shows at some point of a trace.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Observation">Its figures.</param>
/// <param name="Bindings">What handles stand for.</param>
internal sealed record Sight(MachineConfig Machine, Observation Observation, Bindings Bindings)
{
    /// <summary>The figures of a row; none when it is not there.</summary>
    public Dictionary<string, ExpectedValue>? Figures(ExpectedRow row) =>
        ObservedRow.Find(row, Observation, Bindings, Machine.PageSize);

    /// <summary>Where the mapping of a row starts, in C.</summary>
    public string? StartOf(ExpectedRow row)
    {
        if (Figures(row) is not { } figures
            || !Bindings.TryResolve(row.Address, Machine.PageSize, out ulong address))
        {
            return null;
        }

        long offset = (long)(figures[nameof(MappingField.Start)].Number - address);
        return CCall.Of(row.Address with { Offset = row.Address.Offset + offset }, Machine);
    }
}
