using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row about how ranges come apart and together again: pieces of a mapping, and
/// the gaps between mappings.</summary>
internal sealed class PieceScenarios(Arguments arguments, SystemCapabilities capabilities)
{
    /// <summary>Where in the window another mapping is that pieces move to.</summary>
    private const ulong Elsewhere = 40;

    /// <summary>Parts of the address space, of which few attaches leave none.</summary>
    private const int Shares = 8;

    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;

    /// <summary>What pieces differ in: one property, which calls give and take again.</summary>
    private enum Property
    {
        Protection,
        Lock,
        Policy,
        Fork,
        Dump,
        Order,
    }

    private ulong PageSize => arguments.Machine.PageSize;

    /// <summary>Elsewhere an address space has more in it than the calls put there.</summary>
    private bool IsSimulated => !capabilities.Injections.IsEmpty;

    /// <summary>A mapping, parts of which are made different from the rest and like it again.
    /// Which of them have come together shows where a call takes one mapping only.</summary>
    public IEnumerable<Call> Pieces()
    {
        var pieces = new Pieced(
            [arguments.Process()], Range.Of((ulong)_random.Below(4), 2 + (ulong)_random.Below(3)),
            _random.Percent(70), _random.Percent(60), [Draw(), Draw()]);
        foreach (Call call in Begin(pieces))
        {
            yield return call;
        }

        for (int i = 6 + _random.Below(9); i > 0; i--)
        {
            foreach (Call call in Changes(pieces))
            {
                yield return call;
            }
        }

        yield return Spans(pieces.Callers[_random.Below(pieces.Callers.Count)], pieces.All);
    }

    private IEnumerable<Call> Changes(Pieced pieces)
    {
        ProcessHandle caller = pieces.Callers[_random.OneIn(4) ? 0 : pieces.Callers.Count - 1];
        Range part = pieces.ByPage ? PageOf(pieces.All) : PartOf(pieces.All);
        switch (_random.Below(20))
        {
            case < 6:
                return
                [
                    new Store(caller, AddressRef.Window(part.First), new TouchedPage(0), 1),
                ];
            case < 11 when pieces.Different.Count > 0:
                (Property property, Range range) =
                    pieces.Different[_random.Below(pieces.Different.Count)];
                pieces.Different.Remove((property, range));
                return [Set(property, caller, range, on: false), IsOne(caller, pieces.All)];
            case 17 when pieces.Callers.Count == 1:
                pieces.Callers.Add(_world.NewProcess());
                return [new Fork(caller, pieces.Callers[^1])];
            case 18 when part != pieces.All:
                return
                [
                    new MUnmap(caller, AddressRef.Window(part.First), part.Pages * PageSize),
                    new Store(
                        caller, AddressRef.Window(_random.OneIn(2) ? part.End : pieces.All.First),
                        new TouchedPage(0), 1),
                    Again(caller, pieces, part),
                    IsOne(caller, pieces.All),
                ];
            case 16 or 19:
                return
                [
                    Spans(caller, pieces.All), IsOne(caller, pieces.Twice),
                    Set(Property.Protection, caller, part, on: !_random.OneIn(3)),
                ];
            default:
                (Property Property, Range Range) different =
                    (pieces.Properties[_random.Below(pieces.Properties.Length)], part);
                pieces.Different.Add(different);
                return [Set(different.Property, caller, part, on: true)];
        }
    }

    /// <summary>Attaches wherever there is room, some of which go and leave gaps of several lengths
    /// and alignments, which others may fit into or not; some so long that there is no other place.
    /// </summary>
    public IEnumerable<Call> Places()
    {
        ProcessHandle caller = arguments.Process();
        (ulong unit, int most) = _random.Below(6) switch
        {
            0 => (1ul, 70),
            1 or 2 when IsSimulated => (MachineConfig.TaskSize / PageSize / Shares, 2),
            _ => (1ul, 4),
        };
        var attached = new List<MappingHandle>();
        for (int i = unit == 1 ? 6 + _random.Below(8) : 12 + _random.Below(14); i > 0; i--)
        {
            if (attached.Count > 1 && _random.OneIn(3))
            {
                int at = _random.Below(attached.Count - 1);
                yield return new ShmDt(caller, attached[at]);
                attached.RemoveAt(at);
                continue;
            }

            bool huge = unit == 1 && _random.Percent(arguments.Swarm.HugePercent / 2);
            ulong pages = unit * (1 + (ulong)_random.Below(most));
            SegmentHandle segment = _world.NewSegment();
            yield return PlainCalls.Create(
                caller, huge ? arguments.Machine.HugePageSize : pages * PageSize, segment,
                ShmGetFlags.SHM_NORESERVE | (huge ? ShmGetFlags.SHM_HUGETLB : 0));
            attached.Add(_world.NewMapping());
            yield return PlainCalls.Attach(caller, segment, attached[^1]);
            if (_random.OneIn(4))
            {
                yield return new MRemap(
                    caller, attached[^1], pages * PageSize,
                    (pages + (ulong)_random.Below(3)) * PageSize, MRemapFlags.None,
                    AddressRef.Null, _world.NewMapping());
            }
        }
    }

    private IEnumerable<Call> Begin(Pieced pieces)
    {
        ProcessHandle caller = pieces.Callers[0];
        Range all = pieces.All;
        if (pieces.Anonymous)
        {
            bool closed = _random.OneIn(4);
            yield return closed ? Map(caller, all) with { Protection = Protection.PROT_READ }
                : Map(caller, all);
            if (closed)
            {
                pieces.Different.AddRange(Enumerable.Range(0, 3).Select(
                    _ => (Property.Protection, PartOf(all))));
            }
        }
        else
        {
            SegmentHandle segment = _world.NewSegment();
            yield return PlainCalls.Create(caller, all.Pages * PageSize, segment);
            yield return new ShmAt(
                caller, segment, AddressRef.Window(all.First),
                new ShmAtFlags(ShmAtFlags.SHM_REMAP), _world.NewMapping());
        }

        if (!_random.OneIn(4))
        {
            yield return Map(caller, Range.Of(all.End, 1 + (ulong)_random.Below(2))) with
            {
                Protection = _random.OneIn(4) ? Protection.PROT_READ | Protection.PROT_WRITE
                    : Protection.PROT_NONE,
            };
        }
    }

    private MMap Map(ProcessHandle caller, Range range) => new(
        caller, AddressRef.Window(range.First), range.Pages * PageSize,
        Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED, _world.NewMapping());

    /// <summary>A call that takes a range as one mapping, or several, or fails.</summary>
    private MRemap Spans(ProcessHandle caller, Range all)
    {
        Range range = _random.Below(4) switch
        {
            0 => PageOf(all),
            1 => PartOf(all),
            _ => Range.Of(all.First, all.Pages + (ulong)_random.Below(2)),
        };
        ulong length = range.Pages * PageSize;
        MRemapFlags flags = _random.Of<MRemapFlags>(
        [
            MRemapFlags.None, MRemapFlags.None, MRemapFlags.MREMAP_MAYMOVE,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_DONTUNMAP,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED
                | MRemapFlags.MREMAP_DONTUNMAP,
        ]);
        bool grows = (flags & MRemapFlags.MREMAP_DONTUNMAP) == 0 && !_random.OneIn(3);
        return new MRemap(
            caller, AddressRef.Window(range.First), length,
            grows ? length + PageSize : length, flags,
            (flags & MRemapFlags.MREMAP_FIXED) == 0 ? AddressRef.Null
                : AddressRef.Window(_random.OneIn(2) ? all.End : Elsewhere),
            _world.NewMapping());
    }

    /// <summary>Whether two pages or more are one mapping, which shows in why they may not grow
    /// over what is behind them.</summary>
    private MRemap IsOne(ProcessHandle caller, Range all)
    {
        ulong from = all.First + (ulong)_random.Below((int)all.Pages - 1);
        ulong length = (2 + (ulong)_random.Below((int)(all.End - from - 1))) * PageSize;
        return new MRemap(
            caller, AddressRef.Window(from), length, length + PageSize, MRemapFlags.None,
            AddressRef.Null, _world.NewMapping());
    }

    /// <summary>Maps anew what was unmapped, or has what lies before grow over it.</summary>
    private Call Again(ProcessHandle caller, Pieced pieces, Range hole) =>
        pieces.Anonymous && _random.Percent(70) ? Map(caller, hole)
            : new MRemap(
                caller, AddressRef.Window(pieces.All.First),
                (hole.First - pieces.All.First) * PageSize,
                (hole.End - pieces.All.First) * PageSize, MRemapFlags.None, AddressRef.Null,
                _world.NewMapping());

    private Call Set(Property property, ProcessHandle caller, Range range, bool on)
    {
        AddressRef start = AddressRef.Window(range.First);
        ulong length = range.Pages * PageSize;
        return property switch
        {
            Property.Protection => new MProtect(
                caller, start, length,
                on ? Protection.PROT_READ : Protection.PROT_READ | Protection.PROT_WRITE),
            Property.Lock when on => new MLock(caller, start, length, _random.OneIn(3)),
            Property.Lock => new MUnlock(caller, start, length),
            Property.Policy => new MBind(caller, start, length, on ? 1 : 0),
            Property.Fork => new MAdvise(
                caller, start, length, on ? Advice.MADV_DONTFORK : Advice.MADV_DOFORK),
            Property.Dump => new MAdvise(
                caller, start, length, on ? Advice.MADV_DONTDUMP : Advice.MADV_DODUMP),
            _ => new MAdvise(
                caller, start, length,
                on ? _random.Of<Advice>([Advice.MADV_RANDOM, Advice.MADV_SEQUENTIAL])
                    : Advice.MADV_NORMAL),
        };
    }

    private Property Draw() => _random.Of<Property>(
    [
        Property.Protection, Property.Protection, Property.Protection, Property.Lock,
        Property.Policy, Property.Policy, Property.Fork, Property.Dump, Property.Dump,
        Property.Order,
    ]);

    private Range PageOf(Range all) =>
        _random.OneIn(8) ? all : Range.Of(all.First + (ulong)_random.Below((int)all.Pages), 1);

    private Range PartOf(Range all)
    {
        ulong first = all.First + (ulong)_random.Below((int)all.Pages);
        return Range.Of(first, 1 + (ulong)_random.Below((int)(all.End - first)));
    }

    /// <summary>A mapping in pieces: who has it, where it is, of what kind, what is done to it, and
    /// which parts of it differ now.</summary>
    private sealed record Pieced(
        List<ProcessHandle> Callers, Range All, bool Anonymous, bool ByPage,
        Property[] Properties)
    {
        public List<(Property Property, Range Range)> Different { get; } = [];

        /// <summary>With what may have moved behind it.</summary>
        public Range Twice => Range.Of(All.First, 2 * All.Pages);
    }

    /// <summary>Pages of the window.</summary>
    private readonly record struct Range(ulong First, ulong End)
    {
        public ulong Pages => End - First;

        public static Range Of(ulong first, ulong pages) => new(first, first + pages);
    }
}
