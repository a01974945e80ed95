namespace ShmCheck.Abi;

/// <summary>What the handles of a sequence stand for on the system it runs on: identifiers,
/// addresses and pids as that system handed them out. Filled from replies by whoever runs the
/// sequence; specification and system read the same bindings.</summary>
public sealed class Bindings
{
    private readonly List<ulong?> _mappings = [];
    private readonly List<int?> _segments = [];
    private readonly List<int?> _processes = [];

    /// <summary>The highest number of a process handle that is bound.</summary>
    public int ProcessCount => _processes.Count;

    /// <summary>The process handle that a pid is bound to, if any.</summary>
    public ProcessHandle? FindProcess(int pid) =>
        _processes.LastIndexOf(pid) is int at and >= 0 ? new ProcessHandle(at + 1) : null;

    /// <summary>The newest segment handle that an identifier is bound to, if any.</summary>
    public SegmentHandle? FindSegment(int id) =>
        _segments.LastIndexOf(id) is int at and >= 0 ? new SegmentHandle(at + 1) : null;

    /// <summary>The newest address handle that is bound to an address, or else to the nearest one
    /// below it.</summary>
    /// <param name="address">The address.</param>
    /// <param name="handle">The handle.</param>
    /// <param name="offset">Bytes from there to the address.</param>
    /// <returns>False when none is bound at or below it.</returns>
    public bool FindMapping(ulong address, out MappingHandle handle, out ulong offset)
    {
        int best = -1;
        for (int at = _mappings.Count - 1; at >= 0; at--)
        {
            if (_mappings[at] <= address && (best < 0 || _mappings[at] > _mappings[best]))
            {
                best = at;
            }
        }

        handle = new MappingHandle(best + 1);
        offset = best < 0 ? 0 : address - _mappings[best]!.Value;
        return best >= 0;
    }

    /// <summary>Address that a literal, window or handle reference means.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="pageSize">Base page size in bytes.</param>
    /// <param name="address">The address; arithmetic wraps as the kernel's does.</param>
    /// <returns>False when the handle is not bound.</returns>
    public bool TryResolve(AddressRef reference, ulong pageSize, out ulong address)
    {
        ulong? origin = reference.Kind switch
        {
            AddressRefKind.Literal => reference.Base,
            AddressRefKind.Window => MachineConfig.WindowStart + reference.Base * pageSize,
            AddressRefKind.Handle => Find(_mappings, (int)reference.Base),
            _ => throw new ArgumentOutOfRangeException(nameof(reference)),
        };
        address = unchecked((origin ?? 0) + (ulong)reference.Offset);
        return origin is not null;
    }

    /// <summary>Identifier that a reference means.</summary>
    /// <returns>False when the handle is not bound.</returns>
    public bool TryResolve(SegmentRef reference, out int id)
    {
        int? bound = reference.Kind == SegmentRefKind.Literal
            ? reference.Value : Find(_segments, reference.Value);
        id = reference.Kind switch
        {
            SegmentRefKind.Stale => (bound ?? 0) ^ SegmentRef.StaleBit,
            SegmentRefKind.Index => new ShmId(bound ?? 0).Index,
            _ => bound ?? 0,
        };
        return bound is not null;
    }

    /// <summary>Pid that a handle means.</summary>
    /// <returns>False when the handle is not bound.</returns>
    public bool TryResolve(ProcessHandle handle, out int pid)
    {
        int? bound = Find(_processes, handle.Number);
        pid = bound ?? 0;
        return bound is not null;
    }

    /// <summary>Binds a process handle.</summary>
    public void Bind(ProcessHandle handle, int pid) => Set(_processes, handle.Number, pid);

    /// <summary>Binds a segment handle.</summary>
    public void Bind(SegmentHandle handle, int id) => Set(_segments, handle.Number, id);

    /// <summary>Binds an address handle.</summary>
    public void Bind(MappingHandle handle, ulong address) =>
        Set(_mappings, handle.Number, address);

    /// <summary>Binds what a call that succeeded names as its result.</summary>
    public void Bind(Call call, Reply reply)
    {
        if (reply is not Reply.Value value)
        {
            return;
        }

        switch (call)
        {
            case ShmGet get: Bind(get.Result, (int)value.Result); break;
            case ShmAt at: Bind(at.Result, (ulong)value.Result); break;
            case MMap map: Bind(map.Result, (ulong)value.Result); break;
            case MRemap remap: Bind(remap.Result, (ulong)value.Result); break;
            case SpawnCall spawn: Bind(spawn.Result, (int)value.Result); break;
            default: break;
        }
    }

    /// <summary>Whether every handle that a call uses is bound.</summary>
    public bool AreBound(Call call) => UsesBoundCaller(call) && UsesBoundThings(call);

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _mappings.Clear();
        _segments.Clear();
        _processes.Clear();
    }

    /// <summary>Becomes the same as <paramref name="other"/>.</summary>
    public void CopyFrom(Bindings other)
    {
        Clear();
        _mappings.AddRange(other._mappings);
        _segments.AddRange(other._segments);
        _processes.AddRange(other._processes);
    }

    private bool UsesBoundCaller(Call call) => call switch
    {
        ProcessCall made => Find(_processes, made.Caller.Number) is not null,
        Kill kill => Find(_processes, kill.Victim.Number) is not null,
        Reclaim reclaim => Find(_segments, reclaim.Segment.Number) is not null,
        SetSysctl set => set.InNamespaceOf.Number == 0
            || Find(_processes, set.InNamespaceOf.Number) is not null,
        _ => true,
    };

    private bool UsesBoundThings(Call call) => call switch
    {
        ShmAt at => IsBound(at.Segment) && IsBound(at.Address),
        SegmentCall segment => IsBound(segment.Segment),
        ShmDt detach => IsBound(detach.Address),
        MRemap remap => IsBound(remap.Start) && IsBound(remap.NewAddress),
        RangeCall range => IsBound(range.Start),
        Load load => IsBound(load.Start),
        Store store => IsBound(store.Start),
        SetNs join => Find(_processes, join.Target.Number) is not null,
        _ => true,
    };

    private bool IsBound(SegmentRef reference) =>
        reference.Kind == SegmentRefKind.Literal || Find(_segments, reference.Value) is not null;

    private bool IsBound(AddressRef reference) => reference.Kind != AddressRefKind.Handle
        || Find(_mappings, (int)reference.Base) is not null;

    private static T? Find<T>(List<T?> list, int number)
        where T : struct =>
        number > 0 && number <= list.Count ? list[number - 1] : null;

    private static void Set<T>(List<T?> list, int number, T value)
        where T : struct
    {
        if (number <= 0)
        {
            return;
        }

        while (list.Count < number)
        {
            list.Add(null);
        }

        list[number - 1] = value;
    }
}
