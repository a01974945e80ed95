using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Draws shmget, shmat, shmdt and shmctl.</summary>
internal sealed class SegmentCalls(Arguments arguments)
{
    private readonly Random64 _random = arguments.Random;

    public Call? Draw(CallKind kind, Observation observation, Bindings bindings) => kind switch
    {
        CallKind.ShmGet => Get(observation),
        CallKind.ShmAt => Attach(bindings),
        CallKind.ShmDt => Detach(),
        CallKind.ShmCtlStat => new ShmCtlStat(Caller(), arguments.Segment(), Bad()),
        CallKind.ShmCtlSet => new ShmCtlSet(
            Caller(), arguments.Segment(), arguments.User(), arguments.User(), Mode(), Bad()),
        CallKind.ShmCtlRmid => new ShmCtlRmid(Caller(), arguments.Segment()),
        CallKind.ShmCtlLock => new ShmCtlLock(Caller(), arguments.Segment()),
        CallKind.ShmCtlUnlock => new ShmCtlUnlock(Caller(), arguments.Segment()),
        CallKind.ShmCtlIpcInfo => new ShmCtlIpcInfo(Caller(), Ignored(), Bad()),
        CallKind.ShmCtlShmInfo => new ShmCtlShmInfo(Caller(), Ignored(), Bad()),
        CallKind.ShmCtlStatIndex => new ShmCtlStatIndex(
            Caller(), arguments.Segment(), _random.OneIn(2), Bad()),
        CallKind.ShmCtlOther => new ShmCtlOther(
            Caller(), arguments.Segment(), _random.Of<int>([0x102, 0x100, 10, 16, 99, -1])),
        CallKind.Reclaim => Reclaim(),
        _ => null,
    };

    private ProcessHandle Caller() => arguments.Process();

    private bool Bad() => arguments.Odd() && _random.OneIn(3);

    private SegmentRef Ignored() =>
        arguments.Odd() ? arguments.Segment() : SegmentRef.Literal(0);

    private int Mode() => _random.Of<int>(
        [0x180, 0x180, 0x1b6, 0, 0x100, 0x1a0, 0x1b0, 0x80, 0x1ff, 0x38, 0x7]);

    private ShmGet Get(Observation observation)
    {
        ObservationRows<SegmentField> rows = observation.Segments;
        bool existing = rows.Count > 0 && _random.OneIn(4);
        ulong size;
        int key;
        if (existing)
        {
            ReadOnlySpan<ulong> row = rows[_random.Below(rows.Count)];
            ulong segsz = row[(int)SegmentField.segsz];
            key = (int)row[(int)SegmentField.key];
            size = _random.Of<ulong>([0, segsz, segsz, segsz - 1, segsz + 1]);
        }
        else
        {
            key = Key();
            size = 0;
        }

        int flags = Mode() | (_random.Percent(existing ? 30 : 90) ? ShmGetFlags.IPC_CREAT : 0);
        flags |= arguments.Odd() || _random.OneIn(12) ? ShmGetFlags.IPC_EXCL : 0;
        flags |= _random.OneIn(6) ? ShmGetFlags.SHM_NORESERVE : 0;
        bool huge = _random.Percent(arguments.Swarm.HugePercent);
        var word = new ShmGetFlags(flags | (huge ? ShmGetFlags.SHM_HUGETLB : 0));
        return new ShmGet(
            Caller(), new ShmKey(key), existing ? size : Size(huge), HugeSize(word),
            arguments.World.NewSegment());
    }

    /// <summary>Mostly one of few keys, so that they meet; else any.</summary>
    private int Key() => !_random.Percent(arguments.Swarm.KeyPercent) ? 0
        : _random.OneIn(2) ? 1 + _random.Below(4)
        : _random.Of<int>([5 + _random.Below(100), -1 - _random.Below(100), (int)_random.Next()]);

    private ShmGetFlags HugeSize(ShmGetFlags flags)
    {
        if (!_random.OneIn(5))
        {
            return flags;
        }

        int own = System.Numerics.BitOperations.Log2(arguments.Machine.HugePageSize);
        return flags.WithHugeSize(_random.Of<int>([own, 30, 30, 29, 1, 63]));
    }

    private ulong Size(bool huge)
    {
        MachineConfig machine = arguments.Machine;
        ulong unit = huge ? machine.HugePageSize : machine.PageSize;
        if (arguments.Odd())
        {
            return _random.Of<ulong>(
            [
                0, 1, unit - 1, unit + 1, machine.ShmMax, machine.ShmMax + 1, ulong.MaxValue,
                1ul << 63, long.MaxValue, machine.TotalPages * machine.PageSize,
                (machine.TotalPages + machine.SwapSlots + 1) * machine.PageSize,
                MachineConfig.TaskSize,
            ]);
        }

        ulong units = (ulong)(1 + _random.Below(
            arguments.Swarm.IsAboutLocks ? 2 : _random.OneIn(4) ? 12 : 4));
        return _random.OneIn(4) ? units * unit - _random.Of<ulong>([1, unit - 1, 100])
            : units * unit;
    }

    private ShmAt Attach(Bindings bindings)
    {
        SegmentRef segment = arguments.Segment();
        bool huge = arguments.World.Segments.Any(s => s.Handle == segment.Handle && s.Huge);
        int flags = (_random.OneIn(4) ? ShmAtFlags.SHM_RDONLY : 0)
            | (_random.OneIn(8) ? ShmAtFlags.SHM_EXEC : 0)
            | (arguments.Odd() && _random.OneIn(5) ? 0x100 : 0);
        AddressRef address = AddressRef.Null;
        bool wild = (arguments.Odd() && _random.OneIn(3)) || _random.OneIn(20);
        if (wild || _random.Percent(55))
        {
            MadeMapping? over = arguments.Mapping();
            address = wild ? arguments.WildAddress()
                : over is { } mapping && bindings.TryResolve(
                    mapping.Handle, arguments.Machine.PageSize, out _) && _random.OneIn(5)
                    ? arguments.Range(mapping).Start
                    : arguments.Window(huge);
            flags |= _random.OneIn(5) ? ShmAtFlags.SHM_REMAP : 0;
        }

        flags |= arguments.Odd() || _random.OneIn(wild ? 3 : 12) ? ShmAtFlags.SHM_RND : 0;
        return new ShmAt(
            Caller(), segment, address, new ShmAtFlags(flags), arguments.World.NewMapping());
    }

    private ShmDt Detach()
    {
        if (arguments.Mapping() is not { } mapping || (arguments.Odd() && _random.OneIn(3)))
        {
            return new ShmDt(Caller(), _random.OneIn(2)
                ? arguments.WildAddress() : arguments.Window(false));
        }

        AddressRef address = !arguments.Odd() ? mapping.Handle
            : _random.OneIn(2) ? AddressRef.Of(mapping.Handle, arguments.BitWithin())
            : arguments.Range(mapping).Start;
        return new ShmDt(arguments.CallerFor(mapping), address);
    }

    private Call Reclaim()
    {
        if (arguments.World.Segments.Count == 0)
        {
            return Get(new Observation());
        }

        SegmentHandle handle = arguments.SegmentHandle();
        ulong first = (ulong)_random.Below(4);
        ulong last = first + (ulong)_random.Of<int>([0, 1, 3, 1000]);
        return new Reclaim(handle, new PageRange(_random.OneIn(2) ? 0 : first, last));
    }
}
