using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Draws calls on memory: mappings, locks, advice, touches.</summary>
internal sealed class MemoryCalls(Arguments arguments)
{
    /// <summary>One call in so many looks at a place of the window, whatever should be there.
    /// </summary>
    private const int CallsForOneInWindow = 16;

    private static readonly Advice[] Advices = Enum.GetValues<Advice>();

    /// <summary>The advices that change books, drawn more often than the rest.</summary>
    private static readonly Advice[] BookAdvices =
    [
        Advice.MADV_PAGEOUT, Advice.MADV_PAGEOUT, Advice.MADV_DONTNEED, Advice.MADV_REMOVE,
        Advice.MADV_REMOVE,
        Advice.MADV_POPULATE_READ, Advice.MADV_POPULATE_WRITE, Advice.MADV_WILLNEED,
        Advice.MADV_DONTFORK,
    ];

    private readonly Random64 _random = arguments.Random;

    public Call? Draw(CallKind kind)
    {
        if (kind == CallKind.MMap)
        {
            return Map();
        }

        if (kind is not (CallKind.MUnmap or CallKind.MProtect or CallKind.MRemap or CallKind.MLock
            or CallKind.MUnlock or CallKind.MAdvise or CallKind.MBind or CallKind.Load
            or CallKind.Store))
        {
            return null;
        }

        if (_random.OneIn(CallsForOneInWindow) || arguments.Mapping() is not { } mapping)
        {
            return OnWindow(kind);
        }

        ProcessHandle caller = arguments.CallerFor(mapping);
        if (kind == CallKind.Load)
        {
            (MappingHandle start, TouchedPage page) = arguments.PageToLoad(mapping);
            return new Load(caller, start, page);
        }

        return kind == CallKind.Store
            ? Touch(kind, caller, mapping.Handle, arguments.Page(mapping))
            : OnRange(kind, caller, mapping);
    }

    private Call OnWindow(CallKind kind)
    {
        AddressRef start = arguments.Odd() ? arguments.WildAddress() : arguments.Window(false);
        return kind is CallKind.Load or CallKind.Store
            ? Touch(kind, arguments.Process(), start, new TouchedPage(0))
            : RangeCall(kind, arguments.Process(), start, arguments.Length());
    }

    private Call OnRange(CallKind kind, ProcessHandle caller, MadeMapping mapping)
    {
        (AddressRef start, ulong length) = arguments.Range(mapping);
        return kind == CallKind.MRemap ? Remap(caller, mapping, start, length)
            : RangeCall(kind, caller, start, length);
    }

    private Call Touch(CallKind kind, ProcessHandle caller, AddressRef start, TouchedPage page) =>
        kind == CallKind.Load ? new Load(caller, start, page)
            : new Store(caller, start, page, (byte)(1 + _random.Below(255)));

    private Call RangeCall(
        CallKind kind, ProcessHandle caller, AddressRef start, ulong length) => kind switch
        {
            CallKind.MUnmap => new MUnmap(caller, start, length),
            CallKind.MProtect => new MProtect(caller, start, length, arguments.Protection()),
            CallKind.MLock => new MLock(caller, start, length, _random.OneIn(4)),
            CallKind.MUnlock => new MUnlock(caller, start, length),
            CallKind.MAdvise => new MAdvise(caller, start, length, DrawAdvice()),
            CallKind.MBind => new MBind(
                caller, start, length, arguments.Odd() ? _random.Of<int>([-1, 3, 4, 5, 6, 7])
                    : _random.Below(3)),
            CallKind.MRemap => new MRemap(
                caller, start, length, arguments.Length(), RemapFlags(), AddressRef.Null,
                arguments.World.NewMapping()),
            _ => throw new InvalidOperationException($"{kind} is no call on a range"),
        };

    private Advice DrawAdvice()
    {
        ImmutableArray<Advice> wanted = arguments.Swarm.Advices;
        return !wanted.IsEmpty && _random.OneIn(2) ? _random.Of(wanted.AsSpan())
            : arguments.Odd() && _random.OneIn(6) ? (Advice)99
            : _random.Of<Advice>(_random.Percent(80) ? BookAdvices : Advices);
    }

    private MMap Map()
    {
        MapFlags flags = _random.OneIn(5) ? MapFlags.MAP_NORESERVE : MapFlags.None;
        AddressRef start = AddressRef.Null;
        ulong length = arguments.Length();
        ProcessHandle caller = arguments.Process();
        if (_random.Percent(70))
        {
            flags |= _random.Of<MapFlags>(
                [MapFlags.MAP_FIXED, MapFlags.MAP_FIXED, MapFlags.MAP_FIXED_NOREPLACE, 0]);
            start = arguments.Odd() && _random.OneIn(3) ? arguments.WildAddress()
                : arguments.Window(false);
            if (_random.Percent(60) && arguments.Mapping() is { } mapping)
            {
                caller = arguments.CallerFor(mapping);
                (start, length) = arguments.Range(mapping);
            }
        }

        return new MMap(
            caller, start, length, arguments.Protection(), flags, arguments.World.NewMapping());
    }

    private MRemap Remap(
        ProcessHandle caller, MadeMapping mapping, AddressRef start, ulong length)
    {
        ulong unit = mapping.Huge ? arguments.Machine.HugePageSize : arguments.Machine.PageSize;
        ulong old = _random.OneIn(8) ? 0 : length;
        ulong wanted = _random.Below(6) switch
        {
            0 or 1 => length,
            2 => length + unit,
            3 => length > unit ? length - unit : length,
            4 => unit,
            _ => arguments.Length(),
        };
        MRemapFlags flags = RemapFlags();
        AddressRef to = (flags & MRemapFlags.MREMAP_FIXED) == 0 ? AddressRef.Null
            : arguments.Odd() && _random.OneIn(3) ? arguments.WildAddress()
            : _random.OneIn(4) && arguments.Mapping() is { } other
                ? TargetIn(other, start) : arguments.Window(mapping.Huge);
        return new MRemap(caller, start, old, wanted, flags, to, arguments.World.NewMapping());
    }

    /// <summary>Somewhere in another mapping, or as far from its start as what moves is from the
    /// start of its own.</summary>
    private AddressRef TargetIn(MadeMapping other, AddressRef moved) => _random.OneIn(2)
        ? arguments.Range(other).Start : AddressRef.Of(other.Handle, moved.Offset);

    private MRemapFlags RemapFlags() => _random.Of<MRemapFlags>(
    [
        0, MRemapFlags.MREMAP_MAYMOVE, MRemapFlags.MREMAP_MAYMOVE,
        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_DONTUNMAP,
        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED | MRemapFlags.MREMAP_DONTUNMAP,
        arguments.Odd() ? _random.Of<MRemapFlags>([MRemapFlags.MREMAP_FIXED, (MRemapFlags)8])
            : MRemapFlags.MREMAP_MAYMOVE,
    ]);
}
