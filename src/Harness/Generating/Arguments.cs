using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>Draws arguments of calls: sensible ones for the most part, boundary values and
/// nonsense as often as the swarm says.</summary>
internal sealed class Arguments(Random64 random, MachineConfig machine, Swarm swarm, World world)
{
    /// <summary>Pages behind a mapping that a range may reach, over gaps and other mappings.
    /// </summary>
    private const int MostBeyond = 8;

    public Random64 Random => random;

    public MachineConfig Machine => machine;

    public Swarm Swarm => swarm;

    public World World => world;

    /// <summary>Whether the next argument is to be an odd one.</summary>
    public bool Odd() => random.Percent(swarm.OddPercent);

    public ProcessHandle Process() => world.Processes[random.Below(world.Processes.Count)];

    public SegmentRef Segment()
    {
        if (world.Segments.Count == 0 || (Odd() && random.OneIn(3)))
        {
            return random.Below(3) switch
            {
                0 => SegmentRef.Literal(-1),
                1 => SegmentRef.Literal(random.Below(3)),
                _ => SegmentRef.Literal(random.Of<int>([32768, 65536, 100, int.MaxValue])),
            };
        }

        SegmentHandle handle = SegmentHandle();
        return Odd() && random.OneIn(3) ? SegmentRef.Stale(handle)
            : Odd() && random.OneIn(4) ? SegmentRef.Index(handle) : handle;
    }

    /// <summary>A segment handle; the newest ones come most often.</summary>
    public SegmentHandle SegmentHandle()
    {
        int count = world.Segments.Count;
        int back = random.OneIn(3) ? random.Below(count) : random.Below(Math.Min(count, 3));
        return world.Segments[count - 1 - back].Handle;
    }

    /// <summary>A range that a call returned; the newest ones come most often.</summary>
    public MadeMapping? Mapping()
    {
        int count = world.Mappings.Count;
        if (count == 0)
        {
            return null;
        }

        int back = random.OneIn(3) ? random.Below(count) : random.Below(Math.Min(count, 3));
        return world.Mappings[count - 1 - back];
    }

    /// <summary>The process to make a call on a range: for the most part its owner.</summary>
    public ProcessHandle CallerFor(MadeMapping mapping) =>
        random.Percent(75) && world.Processes.Contains(mapping.Owner) ? mapping.Owner : Process();

    /// <summary>A place in the window: one of few, so that ranges meet.</summary>
    public AddressRef Window(bool huge)
    {
        ulong perHuge = machine.PagesPerHugePage;
        ulong page = huge && random.Percent(80) ? (ulong)random.Below(6) * perHuge
            : random.OneIn(8) ? perHuge * (ulong)random.Below(3) + (ulong)random.Below(4)
            : random.OneIn(16) ? (ulong)random.Of<int>([30, 62]) + (ulong)random.Below(4)
            : (ulong)random.Below(16);
        return AddressRef.Window(page, Odd() ? random.Of<long>([1, BitWithin(), -1, 4095]) : 0);
    }

    /// <summary>A power of two within a page.</summary>
    public long BitWithin() =>
        1L << random.Below(System.Numerics.BitOperations.Log2(machine.PageSize));

    /// <summary>An address that no mapping should be at.</summary>
    public AddressRef WildAddress()
    {
        ulong page = machine.PageSize;
        return AddressRef.Literal(random.Of<ulong>(
        [
            0, 1, page, page - 1, MachineConfig.MinMapAddress, MachineConfig.MinMapAddress - page,
            MachineConfig.TaskSize, MachineConfig.TaskSize - page, ulong.MaxValue & ~(page - 1),
            1ul << 63, ulong.MaxValue,
        ]));
    }

    /// <summary>Part of a mapping: its start and its length in bytes.</summary>
    public (AddressRef Start, ulong Length) Range(MadeMapping mapping)
    {
        if (random.OneIn(5) && WrittenIn(mapping.Handle) is { } page)
        {
            return AtPage(mapping, page);
        }

        ulong unit = mapping.Huge && random.Percent(85) ? machine.HugePageSize : machine.PageSize;
        int units = (int)Math.Min(Math.Max(mapping.Length / unit, 1), 1 << 20);
        int first = random.Below(10) switch
        {
            < 4 => 0,
            < 6 => Math.Min(1, units - 1),
            < 8 => random.Below(units),
            8 => units - 1,
            _ => Odd() ? random.Of<int>([-1, units]) : 0,
        };
        int rest = Math.Max(units - first, 1);
        int count = random.Below(10) switch
        {
            < 4 => rest,
            < 7 => 1,
            < 9 => 1 + random.Below(rest),
            _ => rest + random.Below(MostBeyond),
        };
        long offset = first * (long)unit;
        ulong length = (ulong)count * unit;
        if (Odd())
        {
            offset += random.Of<long>([0, 0, 1, BitWithin(), (long)machine.PageSize]);
            length = random.Of<ulong>([length, length - 1, length + 1, 0, ulong.MaxValue, 1]);
        }

        return (AddressRef.Of(mapping.Handle, offset), length);
    }

    /// <summary>A page of a mapping that was written to lately.</summary>
    private TouchedPage? WrittenIn(MappingHandle mapping)
    {
        for (int at = world.Written.Count - 1; at >= 0; at--)
        {
            if (world.Written[at].Start == mapping)
            {
                return world.Written[at].Page;
            }
        }

        return null;
    }

    /// <summary>A range that begins or ends at a page, or just beside it.</summary>
    private (AddressRef Start, ulong Length) AtPage(MadeMapping mapping, TouchedPage page)
    {
        ulong unit = page.Huge ? machine.HugePageSize : machine.PageSize;
        ulong place = Math.Min(page.Index + (ulong)random.Below(2), mapping.Length / unit);
        return place > 0 && random.OneIn(2)
            ? (AddressRef.Of(mapping.Handle, 0), place * unit)
            : (AddressRef.Of(mapping.Handle, (long)(place * unit)),
                random.OneIn(2) ? unit : Math.Max(unit, mapping.Length - place * unit));
    }

    /// <summary>A page to read: half of the time one that was written to, by whatever handle.
    /// </summary>
    public (MappingHandle Start, TouchedPage Page) PageToLoad(MadeMapping mapping) =>
        world.Written.Count > 0 && random.OneIn(2)
            ? world.Written[random.Below(world.Written.Count)]
            : (mapping.Handle, Page(mapping));

    /// <summary>A page of a mapping, or the one behind its end.</summary>
    public TouchedPage Page(MadeMapping mapping)
    {
        bool huge = mapping.Huge && random.Percent(80);
        ulong unit = huge ? machine.HugePageSize : machine.PageSize;
        int units = (int)Math.Min(Math.Max(mapping.Length / unit, 1), 1 << 20);
        int page = random.Below(8) switch
        {
            < 3 => 0,
            3 => units - 1,
            4 => Odd() ? units : 0,
            _ => random.Below(units),
        };
        return new TouchedPage((ulong)page, huge);
    }

    /// <summary>A length in bytes of a few pages; where runs are about overcommit, often the
    /// longest that is granted, or the next one.</summary>
    public ulong Length()
    {
        ulong page = machine.PageSize;
        if (swarm.AimsAtOvercommit && random.OneIn(4))
        {
            return (machine.TotalPages + machine.SwapSlots + (ulong)random.Below(2)) * page;
        }

        ulong pages = (ulong)(1 + random.Below(4));
        return Odd() ? random.Of<ulong>(
            [
                0, 1, page - 1, page + 1, ulong.MaxValue, ulong.MaxValue - page, 1ul << 47,
                MachineConfig.TaskSize - page, (machine.TotalPages + machine.SwapSlots) * page,
                (machine.TotalPages + machine.SwapSlots + 1) * page,
            ])
            : pages * page;
    }

    public Protection Protection() => random.Of<Protection>(
    [
        Abi.Protection.PROT_NONE, Abi.Protection.PROT_READ,
        Abi.Protection.PROT_READ | Abi.Protection.PROT_WRITE,
        Abi.Protection.PROT_READ | Abi.Protection.PROT_WRITE, Abi.Protection.PROT_WRITE,
        Abi.Protection.PROT_READ | Abi.Protection.PROT_EXEC,
    ]);

    public int User() => random.Of<int>(Odd() ? [-1, 65534] : [0, 1000, 1000, 1001]);
}
