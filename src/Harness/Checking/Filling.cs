using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Which calls fill whole mappings, because of locks or because they are asked to.
/// </summary>
internal static class Filling
{
    /// <summary>Bytes of the longest mapping that a call fills by the specification, or more;
    /// 0 when it fills none.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="call">The call.</param>
    /// <param name="bindings">What its handles stand for.</param>
    public static ulong LongestBy(SpecState state, Call call, Bindings bindings)
    {
        if (Caller.SpaceOf(call, state, bindings) is not { } space)
        {
            return 0;
        }

        return call switch
        {
            ShmAt at when space.LockFuture => SizeOf(state, at, bindings),
            MMap map when space.LockFuture => map.Length,
            MRemap remap when space.LockFuture || space.LockedPages > 0 => remap.NewLength,
            MLockAll => Longest(space),
            MLock lockCall => ulong.Min(lockCall.Length, Longest(space)),
            MAdvise { Advice: Advice.MADV_POPULATE_READ or Advice.MADV_POPULATE_WRITE } advise =>
                ulong.Min(advise.Length, Longest(space)),
            _ => 0,
        };
    }

    /// <summary>Bytes of the segment that a call attaches; 0 where there is none.</summary>
    public static ulong SizeOf(SpecState state, ShmAt at, Bindings bindings) =>
        Caller.Of(at, state, bindings) is { Namespace: var ns }
        && bindings.TryResolve(at.Segment, out int id) && id >= 0
        && state.Segments.TryGet(
            SegmentKey.Of(ns, new ShmId(id).Index).Value, out Segment? segment)
                ? segment.Size : 0;

    private static ulong Longest(AddressSpace space)
    {
        ulong longest = 0;
        foreach (Mapping mapping in space.Mappings.Rows)
        {
            longest = ulong.Max(longest, mapping.Length);
        }

        return longest;
    }
}
