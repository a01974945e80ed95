using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row about how ranges come apart and together again: pieces of a mapping, and
/// the gaps between mappings.</summary>
internal sealed class PieceScenarios(Arguments arguments)
{
    /// <summary>Where in the window another mapping is that pieces move to.</summary>
    private const ulong Elsewhere = 40;

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

    /// <summary>A mapping, parts of which are made different from the rest and like it again.
    /// Which of them have come together shows where a call takes one mapping only.</summary>
    public IEnumerable<Call> Pieces()
    {
        var callers = new List<ProcessHandle> { arguments.Process() };
        ulong pages = 2 + (ulong)_random.Below(4);
        ulong first = (ulong)_random.Below(4);
        bool anonymous = _random.Percent(60);
        foreach (Call call in Begin(callers[0], first, pages, anonymous))
        {
            yield return call;
        }

        Property[] properties = [Draw(), Draw()];
        Range? hole = null;
        for (int i = 5 + _random.Below(8); i > 0; i--)
        {
            ProcessHandle caller = callers[_random.Below(callers.Count)];
            (AddressRef start, ulong length) = Part(first, pages);
            switch (_random.Below(12))
            {
                case 0 or 1:
                    yield return new Store(caller, start, new TouchedPage(0), 1);
                    break;
                case 2 when callers.Count == 1:
                    callers.Add(_world.NewProcess());
                    yield return new Fork(caller, callers[^1]);
                    break;
                case 3:
                    yield return Spans(caller, first, pages);
                    break;
                case 4 or 5 when hole is { } unmapped:
                    yield return Again(caller, first, unmapped, anonymous);
                    hole = null;
                    break;
                case 4 or 5:
                    hole = Part(pages);
                    yield return new MUnmap(
                        caller, AddressRef.Window(first + hole.Value.From),
                        hole.Value.Pages * PageSize);
                    break;
                default:
                    yield return Set(
                        properties[_random.Below(2)], caller, start, length, _random.OneIn(2));
                    break;
            }
        }

        yield return Spans(callers[_random.Below(callers.Count)], first, pages);
    }

    /// <summary>Attaches wherever there is room, some of which go and leave gaps of several lengths
    /// and alignments, which others may fit into or not.</summary>
    public IEnumerable<Call> Places()
    {
        ProcessHandle caller = arguments.Process();
        bool far = _random.OneIn(4);
        (int least, int most) = far ? (30, 70) : (1, 4);
        var attached = new List<MappingHandle>();
        for (int i = 6 + _random.Below(8); i > 0; i--)
        {
            if (attached.Count > 1 && _random.OneIn(3))
            {
                int at = _random.Below(attached.Count - 1);
                yield return new ShmDt(caller, attached[at]);
                attached.RemoveAt(at);
                continue;
            }

            bool huge = _random.Percent(arguments.Swarm.HugePercent / 2);
            ulong pages = (ulong)(least + _random.Below(most - least + 1));
            SegmentHandle segment = _world.NewSegment();
            yield return new ShmGet(
                caller, ShmKey.Private, huge ? arguments.Machine.HugePageSize : pages * PageSize,
                new ShmGetFlags(ShmGetFlags.IPC_CREAT | ShmGetFlags.SHM_NORESERVE | 0x180
                    | (huge ? ShmGetFlags.SHM_HUGETLB : 0)), segment);
            attached.Add(_world.NewMapping());
            yield return new ShmAt(
                caller, segment, AddressRef.Null, new ShmAtFlags(0), attached[^1]);
            if (_random.OneIn(4))
            {
                yield return new MRemap(
                    caller, attached[^1], pages * PageSize,
                    (pages + (ulong)_random.Below(3)) * PageSize, MRemapFlags.None,
                    AddressRef.Null, _world.NewMapping());
            }
        }
    }

    private IEnumerable<Call> Begin(
        ProcessHandle caller, ulong first, ulong pages, bool anonymous)
    {
        if (anonymous)
        {
            yield return Map(caller, first, pages);
            if (_random.OneIn(3))
            {
                yield return Map(caller, first + pages, 1 + (ulong)_random.Below(2));
            }

            yield break;
        }

        SegmentHandle segment = _world.NewSegment();
        yield return new ShmGet(
            caller, ShmKey.Private, pages * PageSize,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | 0x180), segment);
        yield return new ShmAt(
            caller, segment, AddressRef.Window(first),
            new ShmAtFlags(ShmAtFlags.SHM_REMAP), _world.NewMapping());
    }

    private MMap Map(ProcessHandle caller, ulong first, ulong pages) => new(
        caller, AddressRef.Window(first), pages * PageSize,
        Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED, _world.NewMapping());

    /// <summary>A call that takes a range as one mapping, or several, or fails.</summary>
    private MRemap Spans(ProcessHandle caller, ulong first, ulong pages)
    {
        (AddressRef start, ulong length) = _random.OneIn(2)
            ? (AddressRef.Window(first), (pages + (ulong)_random.Below(2)) * PageSize)
            : Part(first, pages);
        MRemapFlags flags = _random.Of<MRemapFlags>(
        [
            MRemapFlags.None, MRemapFlags.None, MRemapFlags.MREMAP_MAYMOVE,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED
                | MRemapFlags.MREMAP_DONTUNMAP,
        ]);
        bool grows = (flags & MRemapFlags.MREMAP_DONTUNMAP) == 0 && !_random.OneIn(3);
        return new MRemap(
            caller, start, length, grows ? length + PageSize : length, flags,
            (flags & MRemapFlags.MREMAP_FIXED) == 0 ? AddressRef.Null
                : AddressRef.Window(_random.OneIn(2) ? first + pages : Elsewhere),
            _world.NewMapping());
    }

    /// <summary>Maps anew what was unmapped, or has what lies before grow over it.</summary>
    private Call Again(ProcessHandle caller, ulong first, Range hole, bool anonymous) =>
        anonymous && _random.OneIn(2) ? Map(caller, first + hole.From, hole.Pages)
            : new MRemap(
                caller, AddressRef.Window(first), hole.From * PageSize,
                (hole.From + hole.Pages) * PageSize, MRemapFlags.None, AddressRef.Null,
                _world.NewMapping());

    private Call Set(
        Property property, ProcessHandle caller, AddressRef start, ulong length, bool on) =>
        property switch
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

    private Property Draw() => _random.Of<Property>(
    [
        Property.Protection, Property.Protection, Property.Lock, Property.Policy,
        Property.Fork, Property.Fork,
        Property.Dump, Property.Dump, Property.Order,
    ]);

    private (AddressRef Start, ulong Length) Part(ulong first, ulong pages)
    {
        Range part = Part(pages);
        return (AddressRef.Window(first + part.From), part.Pages * PageSize);
    }

    private Range Part(ulong pages)
    {
        ulong from = (ulong)_random.Below((int)pages);
        return new Range(from, 1 + (ulong)_random.Below((int)(pages - from)));
    }

    /// <summary>Some pages of a range, counted from its start.</summary>
    private readonly record struct Range(ulong From, ulong Pages);
}
