using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row about what is promised of memory, up to the last page that may be.
/// </summary>
internal sealed class PromiseScenarios(Arguments arguments, SystemCapabilities capabilities)
{
    /// <summary>Memory that is small enough to be filled for a single look.</summary>
    private const ulong MostFrames = 256;

    /// <summary>A place of the window that memory moves to.</summary>
    private const ulong Occupied = 8;

    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;
    private readonly MachineConfig _machine = arguments.Machine;

    private ulong PageSize => _machine.PageSize;

    /// <summary>Pages without a promise, which are refused one when they are wanted or have it
    /// still after they are gone; memory that moves, grows or is copied where nothing may be
    /// promised; and all of memory behind that.</summary>
    public IEnumerable<Call> Promises()
    {
        ProcessHandle caller = arguments.Process();
        var late = new Late(
            caller, _world.NewSegment(), _world.NewMapping(), 2 + _random.Below(4));
        AddressRef moves = AddressRef.Window((ulong)_random.Below(4));
        foreach (Call call in Begin(late, moves).Concat(Limit(caller)))
        {
            yield return call;
        }

        for (int i = 2 + _random.Below(5); i > 0; i--)
        {
            yield return Wants(late, moves);
        }

        yield return Create(
            caller, (1 + (ulong)_random.Below(2)) * _machine.TotalPages, _world.NewSegment());
        yield return new SetSysctl(Sysctl.OvercommitMemory, (ulong)_random.Below(2));
        if (_machine.Frames is > 0 and <= MostFrames)
        {
            SegmentHandle all = _world.NewSegment();
            MappingHandle over = _world.NewMapping();
            yield return Create(caller, _machine.Frames, all, ShmGetFlags.SHM_NORESERVE);
            yield return PlainCalls.Attach(caller, all, over);
            yield return new MAdvise(
                caller, over, _machine.Frames * PageSize, Advice.MADV_POPULATE_WRITE);
        }
    }

    private IEnumerable<Call> Begin(Late late, AddressRef moves)
    {
        yield return Create(
            late.Caller, (ulong)late.Pages, late.Segment, ShmGetFlags.SHM_NORESERVE);
        yield return PlainCalls.Attach(late.Caller, late.Segment, late.Mapping);
        if (_random.OneIn(2))
        {
            for (int i = 1 + _random.Below(late.Pages); i > 0; i--)
            {
                yield return Touch(late);
            }

            yield return new Reclaim(late.Segment, new PageRange(0, (ulong)late.Pages - 1));
        }

        yield return new MMap(
            late.Caller, moves, 2 * PageSize, _random.OneIn(3) ? Protection.PROT_READ
                : Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED,
            _world.NewMapping());
        if (_random.OneIn(2))
        {
            yield return new ShmAt(
                late.Caller, late.Segment, AddressRef.Window(Occupied),
                new ShmAtFlags(ShmAtFlags.SHM_REMAP), _world.NewMapping());
        }
    }

    /// <summary>Promises are limited, and may be made up to the last page, or to a few before it.
    /// </summary>
    private IEnumerable<Call> Limit(ProcessHandle caller)
    {
        yield return new SetSysctl(
            Sysctl.OvercommitRatio, _random.Of<ulong>([0, 0, 10, 100, 200]));
        if (_random.OneIn(5))
        {
            yield return new SetSysctl(
                Sysctl.OvercommitMemory, (ulong)OvercommitMode.Heuristic);
            yield break;
        }

        yield return new SetSysctl(Sysctl.OvercommitMemory, (ulong)OvercommitMode.Never);
        if (_random.OneIn(2))
        {
            ulong most = 2 * (_machine.TotalPages + _machine.SwapSlots);
            var made = new List<SegmentHandle>();
            for (ulong pages = System.Numerics.BitOperations.RoundUpToPowerOf2(most);
                pages > 0; pages /= 2)
            {
                made.Add(_world.NewSegment());
                yield return Create(caller, pages, made[^1]);
            }

            if (made.Count > 0 && _random.OneIn(2))
            {
                int few = Math.Min(made.Count, 3);
                yield return new ShmCtlRmid(caller, made[^(1 + _random.Below(few))]);
            }
        }
    }

    private Call Wants(Late late, AddressRef moves)
    {
        ulong page = (ulong)_random.Below(late.Pages);
        return _random.Below(10) switch
        {
            0 => new Reclaim(late.Segment, new PageRange(page, page)),
            1 or 2 => Moves(late.Caller, moves),
            3 => new Fork(late.Caller, _world.NewProcess()),
            4 => new MProtect(
                late.Caller, moves, PageSize,
                _random.OneIn(2) ? Protection.PROT_READ
                    : Protection.PROT_READ | Protection.PROT_WRITE),
            5 => new MMap(
                late.Caller, AddressRef.Null, (1 + (ulong)_random.Below(2)) * PageSize,
                Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.None,
                _world.NewMapping()),
            _ => Touch(late),
        };
    }

    /// <summary>Memory moves, and grows by little or by more than may be promised, to a place where
    /// something is, which a refusal may leave there or not.</summary>
    private MRemap Moves(ProcessHandle caller, AddressRef moves)
    {
        ulong most = _machine.TotalPages + _machine.SwapSlots;
        AddressRef occupied = AddressRef.Window(Occupied);
        bool back = _random.OneIn(4);
        return new MRemap(
            caller, back ? occupied : moves, PageSize,
            _random.Of<ulong>([1, 2, 2, 3, 5, 9, most, most + 1]) * PageSize,
            MRemapFlags.MREMAP_MAYMOVE
                | (_random.OneIn(3) ? MRemapFlags.None : MRemapFlags.MREMAP_FIXED),
            back ? moves : occupied, _world.NewMapping());
    }

    private Call Touch(Late late)
    {
        var page = new TouchedPage((ulong)_random.Below(late.Pages));
        Call touch = _random.OneIn(2) ? new Load(late.Caller, late.Mapping, page)
            : new Store(late.Caller, late.Mapping, page, 1);
        return capabilities.Injections.Contains(AllocationKind.Frame) && _random.OneIn(8)
            ? touch with { Injection = new Injection(AllocationKind.Frame, 1) } : touch;
    }

    private ShmGet Create(
        ProcessHandle caller, ulong pages, SegmentHandle segment, int flags = 0) =>
        PlainCalls.Create(caller, pages * PageSize, segment, flags);

    /// <summary>A segment whose pages are promised only when they are there.</summary>
    private sealed record Late(
        ProcessHandle Caller, SegmentHandle Segment, MappingHandle Mapping, int Pages);
}
