using ShmCheck.Abi;

namespace ShmCheck.Harness.Exploring;

/// <summary>Whether a sequence is one of those that a scope covers, but for the names and
/// addresses of things.</summary>
public static class ScopeCover
{
    /// <summary>Whether all calls are in the alphabet of a scope, and what they make stays within
    /// its bounds. Memory that the sequence cannot fill may be larger.</summary>
    /// <param name="scope">The scope.</param>
    /// <param name="machine">The machine that the sequence runs on.</param>
    /// <param name="calls">The sequence.</param>
    public static bool Covers(Scope scope, MachineConfig machine, IReadOnlyCollection<Call> calls)
    {
        MachineConfig nearest = scope.Machine with
        {
            Profile = machine.Profile,
            Frames = machine.Frames,
            SwapSlots = machine.SwapSlots,
        };
        return machine == nearest && machine.Frames >= scope.Machine.Frames
            && machine.SwapSlots <= scope.Machine.SwapSlots
            && calls.All(call => IsIn(scope, call)) && StayWithin(scope.Bounds, calls);
    }

    private static bool IsIn(Scope scope, Call call) => call.Injection is null
        && scope.Calls.Any(other => other.Kind == call.Kind && (call, other) switch
        {
            (ShmGet get, ShmGet same) => (get.Key, get.Size, get.Flags.Raw | ShmGetFlags.IPC_CREAT)
                == (same.Key, same.Size, same.Flags.Raw),
            (ShmAt at, ShmAt same) => at.Flags.Raw == same.Flags.Raw
                && at.Segment.Handle is not null && at.Address == AddressRef.Null,
            (SegmentCall named, _) => named.Segment.Handle is not null
                || call is ShmCtlShmInfo or ShmCtlIpcInfo,
            (ShmDt detach, _) => IsStart(detach.Address),
            (Store store, Store same) => IsStart(store.Start) && store.Page == same.Page,
            (Load load, Load same) => IsStart(load.Start) && load.Page == same.Page,
            (RangeCall range, RangeCall same) =>
                IsStart(range.Start) && range.Length == same.Length,
            _ => true,
        });

    private static bool IsStart(AddressRef address) =>
        address.Handle is not null && address.Offset == 0;

    /// <summary>Counts processes, segments, and attaches of each process at once.</summary>
    private static bool StayWithin(ScopeBounds bounds, IReadOnlyCollection<Call> calls)
    {
        var attaches = new Dictionary<ProcessHandle, int> { [ProcessHandle.First] = 0 };
        foreach (Call call in calls)
        {
            switch (call)
            {
                case ShmAt at:
                    attaches[at.Caller] = attaches.GetValueOrDefault(at.Caller) + 1;
                    break;
                case ShmDt detach:
                    attaches[detach.Caller] = attaches.GetValueOrDefault(detach.Caller) - 1;
                    break;
                case SpawnCall spawn:
                    attaches[spawn.Result] = attaches.GetValueOrDefault(spawn.Caller);
                    break;
                default:
                    break;
            }

            if (attaches.Values.Any(count => count > bounds.Attaches))
            {
                return false;
            }
        }

        return attaches.Count <= bounds.Processes
            && calls.OfType<ShmGet>().Count() <= bounds.Segments;
    }
}
