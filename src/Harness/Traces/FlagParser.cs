using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Traces;

/// <summary>Reads flag words: names and numbers joined by <c>|</c>.</summary>
internal static class FlagParser
{
    private static readonly ImmutableDictionary<string, int> ShmGetNames =
        new Dictionary<string, int>
        {
            [nameof(ShmGetFlags.IPC_CREAT)] = ShmGetFlags.IPC_CREAT,
            [nameof(ShmGetFlags.IPC_EXCL)] = ShmGetFlags.IPC_EXCL,
            [nameof(ShmGetFlags.SHM_HUGETLB)] = ShmGetFlags.SHM_HUGETLB,
            [nameof(ShmGetFlags.SHM_NORESERVE)] = ShmGetFlags.SHM_NORESERVE,
        }.ToImmutableDictionary();

    private static readonly ImmutableDictionary<string, int> ShmAtNames =
        new Dictionary<string, int>
        {
            [nameof(ShmAtFlags.SHM_RDONLY)] = ShmAtFlags.SHM_RDONLY,
            [nameof(ShmAtFlags.SHM_RND)] = ShmAtFlags.SHM_RND,
            [nameof(ShmAtFlags.SHM_REMAP)] = ShmAtFlags.SHM_REMAP,
            [nameof(ShmAtFlags.SHM_EXEC)] = ShmAtFlags.SHM_EXEC,
        }.ToImmutableDictionary();

    public static ShmGetFlags ShmGet(LineCursor line) =>
        new((int)Parse(line, Named("shmget", ShmGetNames), name =>
            ShmGetNames.TryGetValue(name, out int bit) ? (uint)bit : null));

    public static ShmAtFlags ShmAt(LineCursor line) =>
        new((int)Parse(line, Named("shmat", ShmAtNames), name =>
            ShmAtNames.TryGetValue(name, out int bit) ? (uint)bit : null));

    public static MapFlags Map(LineCursor line) =>
        (MapFlags)Parse(line, "a flag of mmap", name =>
            name is "MAP_PRIVATE" or "MAP_ANONYMOUS" ? 0 : Named<MapFlags>(name));

    public static CapabilitySet Capabilities(LineCursor line) =>
        (CapabilitySet)Parse(line, "a capability", name =>
            name == "ALL" ? (ulong)CapabilitySet.All : Named<CapabilitySet>(name));

    public static T Parse<T>(LineCursor line)
        where T : struct, Enum =>
        (T)Enum.ToObject(typeof(T), (long)Parse(
            line, $"one of {string.Join(", ", Enum.GetNames<T>())}", Named<T>));

    private static string Named(string call, ImmutableDictionary<string, int> flags) =>
        $"a flag of {call}: {string.Join(", ", flags.Keys.Order(StringComparer.Ordinal))}";

    private static ulong? Named<T>(string name)
        where T : struct, Enum =>
        Enum.TryParse(name, out T value) && Enum.IsDefined(value)
            ? Convert.ToUInt64(value) : null;

    private static ulong Parse(LineCursor line, string expected, Func<string, ulong?> named)
    {
        ulong flags = 0;
        do
        {
            line.SkipBlanks();
            int start = line.Position;
            flags |= char.IsAsciiDigit(line.Peek)
                ? Number(line, expected)
                : named(line.Word(expected)) ?? throw line.Error(start, $"expected {expected}");
        }
        while (line.TryTake("|"));
        return flags;
    }

    private static ulong Number(LineCursor line, string expected)
    {
        int start = line.Position;
        ulong number = line.Unsigned(expected);
        if (line.TryTake("<<SHM_HUGE_SHIFT"))
        {
            return number <= ShmGetFlags.SHM_HUGE_MASK ? number << ShmGetFlags.SHM_HUGE_SHIFT
                : throw line.Error(start, "expected a power of two below 64");
        }

        return number <= uint.MaxValue ? number
            : throw line.Error(start, $"expected {expected}: a number of 32 bits");
    }
}
