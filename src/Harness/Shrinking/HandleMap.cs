using ShmCheck.Abi;

namespace ShmCheck.Harness.Shrinking;

/// <summary>Replaces the handles of a call, those it uses and those it binds, by others of their
/// kind. A map that returns the number it is given sees every handle and changes nothing.</summary>
internal abstract class HandleMap
{
    /// <summary>The number of the handle that replaces one.</summary>
    /// <param name="handle">The handle; never number 0.</param>
    /// <param name="binds">Whether the call binds it.</param>
    protected abstract int Map(AnyHandle handle, bool binds);

    /// <summary>The call with its handles replaced.</summary>
    public Call Apply(Call call) => call switch
    {
        Kill kill => kill with { Victim = Map(kill.Victim, false) },
        Reclaim reclaim => reclaim with { Segment = Map(reclaim.Segment, false) },
        SetSysctl { InNamespaceOf.Number: 0 } => call,
        SetSysctl set => set with { InNamespaceOf = Map(set.InNamespaceOf, false) },
        ProcessCall made => ApplyResult(ApplyArguments(
            made with { Caller = Map(made.Caller, false) })),
        _ => throw new InvalidOperationException($"unknown call {call.Kind}"),
    };

    private ProcessCall ApplyArguments(ProcessCall call) => call switch
    {
        ShmAt at => at with { Segment = Map(at.Segment), Address = Map(at.Address) },
        SegmentCall segment => segment with { Segment = Map(segment.Segment) },
        ShmDt detach => detach with { Address = Map(detach.Address) },
        MRemap remap => remap with
        {
            Start = Map(remap.Start), NewAddress = Map(remap.NewAddress),
        },
        RangeCall range => range with { Start = Map(range.Start) },
        Load load => load with { Start = Map(load.Start) },
        Store store => store with { Start = Map(store.Start) },
        SetNs join => join with { Target = Map(join.Target, false) },
        _ => call,
    };

    private ProcessCall ApplyResult(ProcessCall call) => call switch
    {
        ShmGet { Result.Number: > 0 } get => get with { Result = Map(get.Result, true) },
        ShmAt { Result.Number: > 0 } at => at with { Result = Map(at.Result, true) },
        MMap { Result.Number: > 0 } map => map with { Result = Map(map.Result, true) },
        MRemap { Result.Number: > 0 } remap => remap with { Result = Map(remap.Result, true) },
        SpawnCall { Result.Number: > 0 } spawn => spawn with { Result = Map(spawn.Result, true) },
        _ => call,
    };

    private ProcessHandle Map(ProcessHandle handle, bool binds) =>
        new(Map(AnyHandle.Of(handle), binds));

    private SegmentHandle Map(SegmentHandle handle, bool binds) =>
        new(Map(AnyHandle.Of(handle), binds));

    private MappingHandle Map(MappingHandle handle, bool binds) =>
        new(Map(AnyHandle.Of(handle), binds));

    private SegmentRef Map(SegmentRef reference) => reference.Handle is { } handle
        ? reference with { Value = Map(handle, false).Number } : reference;

    private AddressRef Map(AddressRef reference) => reference.Handle is { } handle
        ? reference with { Base = (ulong)Map(handle, false).Number } : reference;
}

/// <summary>A handle of any kind.</summary>
/// <param name="Kind">The letter it is written with.</param>
/// <param name="Number">Its number.</param>
internal readonly record struct AnyHandle(char Kind, int Number)
{
    public static AnyHandle Of(ProcessHandle handle) => new('p', handle.Number);

    public static AnyHandle Of(SegmentHandle handle) => new('s', handle.Number);

    public static AnyHandle Of(MappingHandle handle) => new('a', handle.Number);

    /// <summary>The segment or address that a difference is about, such as <c>s1</c> or
    /// <c>p1:a1+4096</c>; none where it names another thing.</summary>
    public static AnyHandle? OfSubject(string subject)
    {
        string last = subject[(subject.IndexOf(':', StringComparison.Ordinal) + 1)..];
        string digits = string.Concat(last.Skip(1).TakeWhile(char.IsAsciiDigit));
        return last.Length > 0 && last[0] is 's' or 'a' && int.TryParse(digits, out int number)
            ? new AnyHandle(last[0], number) : null;
    }
}

/// <summary>Lists the handles of calls.</summary>
internal sealed class HandleCollector : HandleMap
{
    public HashSet<AnyHandle> Used { get; } = [];

    public HashSet<AnyHandle> Bound { get; } = [];

    public static HandleCollector Of(Call call)
    {
        var collector = new HandleCollector();
        collector.Apply(call);
        return collector;
    }

    protected override int Map(AnyHandle handle, bool binds)
    {
        (binds ? Bound : Used).Add(handle);
        return handle.Number;
    }
}

/// <summary>Numbers handles in the order in which they first occur.</summary>
internal sealed class HandleRenumbering : HandleMap
{
    private readonly Dictionary<AnyHandle, int> _numbers = new()
    {
        [AnyHandle.Of(ProcessHandle.First)] = 1,
    };

    private readonly Dictionary<char, int> _next = new() { ['p'] = 2, ['s'] = 1, ['a'] = 1 };

    protected override int Map(AnyHandle handle, bool binds)
    {
        if (!_numbers.TryGetValue(handle, out int number))
        {
            number = _next[handle.Kind]++;
            _numbers.Add(handle, number);
        }

        return number;
    }
}

/// <summary>Replaces one handle by another of the same kind wherever it is used.</summary>
internal sealed class HandleReplacement(AnyHandle from, AnyHandle to) : HandleMap
{
    protected override int Map(AnyHandle handle, bool binds) =>
        !binds && handle == from ? to.Number : handle.Number;
}
