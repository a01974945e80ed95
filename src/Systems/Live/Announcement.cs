using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>What a program that speaks the agent protocol says of itself when it is asked
/// (<c>caps</c>). What it does not speak of, it has.</summary>
internal sealed record Announcement
{
    private static readonly FrozenDictionary<string, CallKind> Operations =
        new Dictionary<string, CallKind>
        {
            ["get"] = CallKind.ShmGet,
            ["at"] = CallKind.ShmAt,
            ["dt"] = CallKind.ShmDt,
            ["stat"] = CallKind.ShmCtlStat,
            ["set"] = CallKind.ShmCtlSet,
            ["rmid"] = CallKind.ShmCtlRmid,
            ["lock"] = CallKind.ShmCtlLock,
            ["unlock"] = CallKind.ShmCtlUnlock,
            ["ipcinfo"] = CallKind.ShmCtlIpcInfo,
            ["shminfo"] = CallKind.ShmCtlShmInfo,
            ["statindex"] = CallKind.ShmCtlStatIndex,
            ["ctl"] = CallKind.ShmCtlOther,
            ["sysctl"] = CallKind.SetSysctl,
            ["rlimit"] = CallKind.SetRLimit,
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Type> Tables = new Dictionary<string, Type>
    {
        ["machine"] = typeof(GlobalField),
        ["ipc"] = typeof(NamespaceField),
        ["segment"] = typeof(SegmentField),
        ["process"] = typeof(ProcessField),
        ["mapping"] = typeof(MappingField),
    }.ToFrozenDictionary();

    private static readonly ImmutableHashSet<Enum> Keys =
    [
        NamespaceField.Namespace, SegmentField.Namespace, SegmentField.shmid, ProcessField.Pid,
        MappingField.Pid, MappingField.Start,
    ];

    /// <summary>The calls it makes.</summary>
    public ImmutableHashSet<CallKind> Calls { get; private init; } = SystemCapabilities.AllCalls;

    /// <summary>The figures it shows; none where it shows all.</summary>
    public ImmutableHashSet<Enum>? Figures { get; private init; }

    /// <summary>The settings it can turn, by name.</summary>
    public ImmutableHashSet<string> Sysctls { get; private init; } = [];

    /// <summary>Release of the kernel that it is.</summary>
    public string? Release { get; private init; }

    /// <summary>The kernel that it follows.</summary>
    public KernelProfile Profile { get; private init; } = KernelProfile.Linux6_18;

    /// <summary>Its memory in base pages, if it says.</summary>
    public ulong? Memory { get; private init; }

    /// <summary>The lowest address that a process without CAP_SYS_RAWIO may map.</summary>
    public ulong LowestAddress { get; private init; } = MachineConfig.MinMapAddress;

    /// <summary>Sizes of its huge pages in bytes, the default one first.</summary>
    public ImmutableArray<ulong> HugePageSizes { get; private init; } = [];

    /// <summary>Whether it numbers segments by a rule of its own.</summary>
    public bool ChoosesIdentifiersFreely { get; private init; }

    /// <summary>Asks an agent.</summary>
    /// <exception cref="SystemUnavailableException">It is lost, or does not answer well.
    /// </exception>
    public static Announcement AskOf(AgentProcess agent)
    {
        try
        {
            agent.Send("0 caps\n"u8);
            return Parse(agent.ReadLine());
        }
        catch (Exception problem) when (problem is AgentLostException or FormatException)
        {
            throw new SystemUnavailableException(problem.Message);
        }
    }

    /// <summary>Reads the answer to <c>caps</c>.</summary>
    /// <param name="line">The line; one that begins with <c>bad</c> is that of a program that
    /// has everything.</param>
    /// <exception cref="FormatException">It is no such answer.</exception>
    public static Announcement Parse(ReadOnlySpan<byte> line)
    {
        string[] words = Encoding.UTF8.GetString(line).Split(' ');
        return words[0] switch
        {
            "bad" => new Announcement(),
            "ok" => words.Skip(1).Aggregate(new Announcement(), (all, word) => all.With(word)),
            _ => throw new FormatException(
                $"unexpected answer to caps '{string.Join(' ', words)}'"),
        };
    }

    private Announcement With(string word)
    {
        string[] pair = word.Split('=', 2);
        string value = pair.Length == 2 ? pair[1]
            : throw new FormatException($"'{word}' is not NAME=VALUE");
        string[] list = value.Split(',', StringSplitOptions.RemoveEmptyEntries);
        return pair[0] switch
        {
            "calls" => this with { Calls = [.. list.Select(CallOf)] },
            "figures" => this with { Figures = [.. list.SelectMany(FiguresOf)] },
            "sysctls" => this with { Sysctls = [.. list] },
            "release" => WithRelease(value),
            "profile" => this with { Profile = ProfileOf(value) },
            "memory" => this with { Memory = Number(value) },
            "lowest" => this with { LowestAddress = Number(value) },
            "hugepages" => this with { HugePageSizes = [.. list.Select(Number)] },
            "ids" => this with { ChoosesIdentifiersFreely = value == "free" },
            _ => this,
        };
    }

    /// <summary>A release before the first that there is a profile for is a number without a
    /// meaning: the program is to be as the newest kernel.</summary>
    private Announcement WithRelease(string value) => LinuxFeatures.IsBeforeProfiles(value) ? this
        : this with { Release = value, Profile = LinuxFeatures.ProfileOf(value) };

    private static CallKind CallOf(string name) =>
        Operations.TryGetValue(name, out CallKind kind)
        || (!char.IsAsciiDigit(name[0]) && Enum.TryParse(name, ignoreCase: true, out kind))
            ? kind : throw new FormatException($"'{name}' is no operation");

    /// <summary>A table, or a field of it with the keys that say what it is a field of.</summary>
    private static IEnumerable<Enum> FiguresOf(string name)
    {
        string[] parts = name.Split('.', 2);
        Type table = Tables.GetValueOrDefault(parts[0])
            ?? throw new FormatException($"'{parts[0]}' is no table of figures");
        IEnumerable<Enum> all = Enum.GetValues(table).Cast<Enum>();
        return parts.Length == 1 ? all
            : all.Any(field => field.ToString() == parts[1])
                ? all.Where(field => Keys.Contains(field) || field.ToString() == parts[1])
                : throw new FormatException($"'{parts[0]}' has no figure '{parts[1]}'");
    }

    private static KernelProfile ProfileOf(string name) => SystemCapabilities.AllProfiles
        .Where(profile => KernelProfileText.Of(profile) == name)
        .Append((KernelProfile)(-1)).First() is >= 0 and var found ? found
            : throw new FormatException($"there is no profile '{name}'");

    private static ulong Number(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number : throw new FormatException($"'{text}' is not a number");
}
