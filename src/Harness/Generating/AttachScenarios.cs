using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Calls in a row about how attaches end, in all the ways there are, and what the last
/// of them takes with it.</summary>
internal sealed class AttachScenarios(Arguments arguments)
{
    private readonly Random64 _random = arguments.Random;
    private readonly World _world = arguments.World;

    private ulong PageSize => arguments.Machine.PageSize;

    /// <summary>A segment that is to go with its last attach, which is detached, replaced, moved,
    /// or ends with its process.</summary>
    public IEnumerable<Call> Endings()
    {
        ProcessHandle caller = arguments.Process();
        bool huge = _random.Percent(arguments.Swarm.HugePercent / 2);
        var ending = new Ending(
            caller, _world.NewProcess(), _world.NewSegment(),
            huge ? arguments.Machine.HugePageSize : PageSize, 1 + (ulong)_random.Below(3));
        foreach (Call call in Make(ending, huge))
        {
            yield return call;
        }

        for (int i = 3 + _random.Below(5); i > 0; i--)
        {
            yield return Next(ending);
        }
    }

    private IEnumerable<Call> Make(Ending ending, bool huge)
    {
        ProcessHandle owner = _random.OneIn(3) ? ending.Child : ending.Caller;
        bool forced = _random.OneIn(3);
        if (forced)
        {
            yield return new SetSysctl(Sysctl.ShmRmidForced, 1, ending.Caller);
        }

        if (owner == ending.Child)
        {
            yield return new Fork(ending.Caller, ending.Child);
        }

        yield return new ShmGet(
            owner, new ShmKey(_random.Below(3)), ending.Pages * ending.Unit,
            new ShmGetFlags(ShmGetFlags.IPC_CREAT | 0x180
                | (huge ? ShmGetFlags.SHM_HUGETLB : 0)
                | (_random.OneIn(4) ? ShmGetFlags.SHM_NORESERVE : 0)), ending.Segment);
        yield return Attach(ending, AddressRef.Null);
        if (_random.OneIn(2))
        {
            yield return new Store(ending.Caller, ending.Mapping, new TouchedPage(0, huge), 1);
        }

        if (owner != ending.Child && _random.OneIn(3))
        {
            yield return new Fork(ending.Caller, ending.Child);
        }

        if (!forced || _random.OneIn(3))
        {
            yield return new ShmCtlRmid(owner, ending.Segment);
        }
    }

    private Call Next(Ending ending)
    {
        ProcessHandle caller = _random.OneIn(4) ? ending.Child : ending.Caller;
        ulong length = ending.Pages * ending.Unit;
        ulong part = (1 + (ulong)_random.Below((int)ending.Pages)) * ending.Unit;
        long offset = (long)((ulong)_random.Below((int)ending.Pages) * ending.Unit);
        MappingHandle mapping = ending.Mapping;
        switch (_random.Below(14))
        {
            case 0:
                return new ShmDt(caller, mapping);
            case 1 or 2 or 3:
                return Attach(ending, AddressRef.Of(mapping, _random.OneIn(3) ? offset : 0));
            case 4:
                return Attach(ending, AddressRef.Null);
            case 5:
                return new MMap(
                    caller, AddressRef.Of(mapping, offset), part,
                    Protection.PROT_READ | Protection.PROT_WRITE, MapFlags.MAP_FIXED,
                    _world.NewMapping());
            case 6:
                return new MUnmap(caller, AddressRef.Of(mapping, offset), part);
            case 7 or 8:
                return Move(ending, AddressRef.Of(mapping, offset), ending.Unit);
            case 9:
                return Move(ending, mapping, length);
            case 10:
                return _random.OneIn(2) ? new Exec(ending.Child) : new ExitGroup(ending.Child);
            case 11:
                return new MProtect(caller, AddressRef.Of(mapping, offset), part,
                    Protection.PROT_READ);
            case 12:
                return new ShmCtlRmid(caller, ending.Segment);
            default:
                return new Fork(ending.Caller, _world.NewProcess());
        }
    }

    /// <summary>An attach, which may take the place of the one that is there.</summary>
    private ShmAt Attach(Ending ending, AddressRef place)
    {
        MappingHandle mapping = _world.NewMapping();
        ending.Mappings.Add(mapping);
        return new ShmAt(
            ending.Caller, ending.Segment, place,
            new ShmAtFlags(place == AddressRef.Null ? 0 : ShmAtFlags.SHM_REMAP), mapping);
    }

    /// <summary>Moves a part of an attach elsewhere, or over another part or another attach.
    /// </summary>
    private MRemap Move(Ending ending, AddressRef start, ulong length)
    {
        AddressRef target = _random.OneIn(2) ? arguments.Window(ending.Unit > PageSize)
            : AddressRef.Of(ending.Mappings[_random.Below(ending.Mappings.Count)], 0);
        MRemapFlags keeps = _random.OneIn(4) ? MRemapFlags.MREMAP_DONTUNMAP : MRemapFlags.None;
        return new MRemap(
            ending.Caller, start, _random.OneIn(5) ? 0 : length, length,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED | keeps, target,
            _world.NewMapping());
    }

    /// <summary>A segment, its pages and their size in bytes, those who map it, and where.</summary>
    private sealed record Ending(
        ProcessHandle Caller, ProcessHandle Child, SegmentHandle Segment, ulong Unit, ulong Pages)
    {
        public List<MappingHandle> Mappings { get; } = [];

        public MappingHandle Mapping => Mappings[^1];
    }
}
