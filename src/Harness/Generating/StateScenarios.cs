using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row on all pages of a segment at once, each of which has become something
/// else before: what a call does to one of them it may do to another one, or forget.</summary>
internal sealed class StateScenarios(Arguments arguments, SystemCapabilities capabilities)
{
    /// <summary>Memory that is small enough to be filled.</summary>
    private const ulong MostFrames = 130;

    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;
    private readonly MachineConfig _machine = arguments.Machine;

    /// <summary>What a page can have become.</summary>
    private enum State
    {
        Hole,
        Read,
        Written,
        Unmapped,
        Swapped,
        Prefetched,
        Back,
        Punched,
    }

    private bool SwapCanGo => _machine.SwapSlots > 0 && !capabilities.SwapIsCostly;

    /// <summary>Pages in several states, something that holds them or has let go of them, and calls
    /// that meet all of them.</summary>
    public IEnumerable<Call> States()
    {
        Held held = Draw();
        yield return new ShmGet(
            held.Caller, ShmKey.Private, held.End * held.Unit, Flags(held), held.Segment);
        yield return new ShmAt(
            held.Caller, held.Segment, _random.OneIn(2) ? AddressRef.Null : Place(held),
            new ShmAtFlags(0), held.Mapping);
        for (ulong page = held.First; page < held.End; page++)
        {
            foreach (Call call in Becomes(held, page, DrawState(held)))
            {
                yield return call;
            }
        }

        for (int i = 1 + _random.Below(2); i > 0; i--)
        {
            foreach (Call call in Circumstance(held))
            {
                yield return call;
            }
        }

        for (int i = 2 + _random.Below(4); i > 0; i--)
        {
            yield return Fails(Meets(held), held);
        }

        if (_random.OneIn(2))
        {
            yield return new ShmCtlRmid(held.Caller, held.Segment);
            yield return new ShmDt(held.Caller, held.Mapping);
        }
    }

    private Held Draw()
    {
        bool huge = _machine.HugePages + _machine.NrOvercommitHugePages > 0
            && _random.Percent(arguments.Swarm.HugePercent / 2);
        ulong first = huge || !_random.OneIn(4) ? 0 : _random.Of<ulong>([62, 62, 63, 510, 4094]);
        return new Held(
            arguments.Process(), _world.NewProcess(), _world.NewSegment(), _world.NewMapping(),
            huge, huge ? _machine.HugePageSize : _machine.PageSize, first,
            first + 1 + (ulong)_random.Below(4));
    }

    private ShmGetFlags Flags(Held held) => new(ShmGetFlags.IPC_CREAT | 0x180
        | (held.Huge ? ShmGetFlags.SHM_HUGETLB : 0)
        | (held.First > 0 || _random.OneIn(4) ? ShmGetFlags.SHM_NORESERVE : 0));

    /// <summary>A place where the pages lie on both sides of a word's end, or not.</summary>
    private AddressRef Place(Held held) => AddressRef.Window(
        held.Huge ? _machine.PagesPerHugePage * (ulong)_random.Below(3)
            : held.First > 0 ? 64 * (ulong)_random.Below(2)
            : _random.OneIn(3) ? (ulong)_random.Of<int>([29, 61]) + (ulong)_random.Below(4)
            : (ulong)_random.Below(3));

    private State DrawState(Held held) => held.Huge
        ? _random.Of<State>(
            [State.Hole, State.Read, State.Written, State.Unmapped, State.Punched, State.Punched])
        : _machine.SwapSlots == 0
        ? _random.Of<State>(
            [State.Hole, State.Read, State.Written, State.Unmapped, State.Punched])
        : _random.Of<State>(
        [
            State.Hole, State.Read, State.Written, State.Unmapped, State.Swapped, State.Swapped,
            State.Prefetched, State.Back, State.Punched,
        ]);

    private static ImmutableArray<Call> Becomes(Held held, ulong page, State state)
    {
        AddressRef at = At(held, page);
        var touched = new TouchedPage(page, held.Huge);
        var load = new Load(held.Caller, held.Mapping, touched);
        var store = new Store(held.Caller, held.Mapping, touched, 1);
        var reclaim = new Reclaim(held.Segment, new PageRange(page, page));
        MAdvise Advise(Advice advice) => new(held.Caller, at, held.Unit, advice);
        return state switch
        {
            State.Read => [load],
            State.Written => [store],
            State.Unmapped => [store, Advise(Advice.MADV_DONTNEED)],
            State.Swapped => [store, reclaim],
            State.Prefetched => [store, reclaim, Advise(Advice.MADV_WILLNEED)],
            State.Back => [store, reclaim, load],
            State.Punched => [store, Advise(Advice.MADV_REMOVE)],
            _ => [],
        };
    }

    /// <summary>Who else has the pages, who keeps them, or what there is no more of. A pool that
    /// takes all runs of frames that it can get moves pages on its way.</summary>
    private ImmutableArray<Call> Circumstance(Held held)
    {
        ProcessHandle caller = held.Caller;
        (AddressRef start, ulong length) = Range(held);
        switch (_random.Below(held.Huge ? 16 : 15))
        {
            case 0 or 1:
                return [new ShmCtlLock(caller, held.Segment)];
            case 2:
                return [new MLock(caller, start, length, _random.OneIn(2))];
            case 3 or 4:
                return [Fork(held)];
            case 5:
                return [new ShmAt(
                    caller, held.Segment, AddressRef.Null,
                    new ShmAtFlags(_random.OneIn(3) ? ShmAtFlags.SHM_RDONLY : 0),
                    _world.NewMapping())];
            case 6:
                return [new ShmDt(caller, held.Mapping)];
            case 7:
                return [new ShmCtlRmid(caller, held.Segment)];
            case 8:
                return [new MProtect(
                    caller, start, length,
                    _random.OneIn(2) ? Protection.PROT_READ : Protection.PROT_NONE)];
            case 9:
                return [Move(held, start, length)];
            case 10:
                return [new MUnmap(caller, start, length)];
            case 11:
                return [new MAdvise(caller, start, length, Advice.MADV_DONTFORK), Fork(held)];
            case 12:
                return [new SetSysctl(Sysctl.NrHugePages, _machine.Frames),
                    new SetSysctl(Sysctl.NrHugePages, (ulong)_random.Below(3))];
            case 13:
                return [Grow(held),
                    new Store(
                        caller, held.Mapping, new TouchedPage(held.End, held.Huge), 1)];
            case 15:
                return [new SetSysctl(Sysctl.NrHugePages, (ulong)_random.Below(2))];
            default:
                return TakeTheRest(held);
        }
    }

    /// <summary>The first child, or one more.</summary>
    private Fork Fork(Held held)
    {
        ProcessHandle child = held.HasChild ? _world.NewProcess() : held.Child;
        held.HasChild = true;
        return new Fork(held.Caller, child);
    }

    /// <summary>Another segment takes all frames, or huge pages that nobody was promised.</summary>
    private ImmutableArray<Call> TakeTheRest(Held held)
    {
        if (!held.Huge && _machine.Frames > MostFrames)
        {
            return [];
        }

        SegmentHandle other = _world.NewSegment();
        MappingHandle mapping = _world.NewMapping();
        ulong length = held.Unit
            * (held.Huge ? 1 + (ulong)_random.Below(3) : Math.Max(_machine.Frames, 1));
        return
        [
            PlainCalls.Create(
                held.Caller, length, other,
                ShmGetFlags.SHM_NORESERVE | (held.Huge ? ShmGetFlags.SHM_HUGETLB : 0)),
            PlainCalls.Attach(held.Caller, other, mapping),
            new MAdvise(held.Caller, mapping, length, Advice.MADV_POPULATE_WRITE),
        ];
    }

    /// <summary>Now and then there is none of what a call takes for a page.</summary>
    private Call Fails(Call call, Held held)
    {
        AllocationKind kind = call is Reclaim or MAdvise { Advice: Advice.MADV_PAGEOUT }
            ? AllocationKind.Slot : held.Huge ? AllocationKind.Huge : AllocationKind.Frame;
        return call is Reclaim or MAdvise or Load or Store && _random.OneIn(6)
            && capabilities.Injections.Contains(kind)
            ? call with { Injection = new Injection(kind, 1 + _random.Below(2)) } : call;
    }

    private Call Meets(Held held)
    {
        ProcessHandle caller = _random.OneIn(4) ? held.Child : held.Caller;
        ulong page = _random.OneIn(8) ? held.End : Page(held);
        ulong there = Math.Min(page, held.End - 1);
        (AddressRef start, ulong length) = Range(held);
        return _random.Below(18) switch
        {
            0 or 1 or 2 => new Reclaim(held.Segment, new PageRange(
                _random.OneIn(3) ? there : 0, _random.OneIn(3) ? there : held.End - 1)),
            3 => new Load(caller, held.Mapping, new TouchedPage(page, held.Huge)),
            4 or 5 => new Store(caller, held.Mapping, new TouchedPage(page, held.Huge), 1),
            6 when SwapCanGo => new SwapOff(caller),
            7 when SwapCanGo => new SwapOn(caller),
            8 => new ShmDt(caller, held.Mapping),
            9 => new MUnmap(caller, start, length),
            10 => new MLock(caller, start, length, _random.OneIn(3)),
            11 => _random.OneIn(2) ? new MUnlock(caller, start, length)
                : new ShmCtlUnlock(caller, held.Segment),
            12 => Move(held, start, length),
            13 => _random.OneIn(2) ? new ExitGroup(held.Child)
                : Fork(held),
            _ => new MAdvise(caller, start, length, _random.Of<Advice>(
            [
                Advice.MADV_PAGEOUT, Advice.MADV_WILLNEED, Advice.MADV_DONTNEED,
                Advice.MADV_REMOVE, Advice.MADV_POPULATE_READ, Advice.MADV_POPULATE_WRITE,
            ])),
        };
    }

    private MRemap Move(Held held, AddressRef start, ulong length) => new(
        held.Caller, start, length, length,
        MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED
            | (_random.OneIn(3) ? MRemapFlags.MREMAP_DONTUNMAP : MRemapFlags.None),
        arguments.Window(held.Huge), _world.NewMapping());

    /// <summary>Maps a page behind those that there are.</summary>
    private MRemap Grow(Held held) => new(
        held.Caller, held.Mapping, held.End * held.Unit, (held.End + 1) * held.Unit,
        _random.OneIn(3) ? MRemapFlags.MREMAP_MAYMOVE : MRemapFlags.None, AddressRef.Null,
        _world.NewMapping());

    private ulong Page(Held held) =>
        held.First + (ulong)_random.Below((int)(held.End - held.First));

    /// <summary>All pages, one of them, or from one on.</summary>
    private (AddressRef Start, ulong Length) Range(Held held)
    {
        ulong page = Page(held);
        (ulong first, ulong end) = _random.Below(5) switch
        {
            0 => (page, page + 1),
            1 => (page, held.End),
            2 => (0ul, page + 1),
            _ => (_random.OneIn(2) ? 0 : held.First, held.End),
        };
        return (At(held, first), (end - first) * held.Unit);
    }

    private static AddressRef At(Held held, ulong page) =>
        AddressRef.Of(held.Mapping, (long)(page * held.Unit));

    /// <summary>A segment, who attached it where, a child that there may be, and which of its pages
    /// it is about, of how many bytes.</summary>
    private sealed record Held(
        ProcessHandle Caller, ProcessHandle Child, SegmentHandle Segment, MappingHandle Mapping,
        bool Huge, ulong Unit, ulong First, ulong End)
    {
        public bool HasChild { get; set; }
    }
}
