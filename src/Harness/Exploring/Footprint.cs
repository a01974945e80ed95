using System.Diagnostics;
using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Exploring;

/// <summary>What a call reads or changes of a state, as bits: two calls whose bits are disjoint
/// do the same in either order. A call that is not known here touches everything.</summary>
internal static class Footprint
{
    /// <summary>Processes and segments that have a bit of their own.</summary>
    private const int Most = 16;

    /// <summary>Frames that the calls of two footprints together can take at most, with room to
    /// spare: while so many are free, who takes one first does not matter.</summary>
    private const ulong FramesToSpare = 8;

    private const ulong Everything = ulong.MaxValue;
    private const ulong Tasks = 1ul << 60;
    private const ulong Identifiers = 1ul << 61;
    private const ulong Slots = 1ul << 62;
    private const ulong Pool = 1ul << 63;
    private const ulong Destruction = Identifiers | Slots | Pool;

    /// <summary>What a call touches in the state that a view shows.</summary>
    public static ulong Of(Call call, ScopeView view) => call switch
    {
        ShmGet c => Caller(c) | Identifiers | (c.Flags.HugeTlb ? Pool : 0),
        ShmAt c => Caller(c) | Segment(view, c.Segment),
        ShmDt c => Caller(c) | Mapped(view, c, c.Address, ends: true),
        MUnmap c => Caller(c) | Mapped(view, c, c.Start, ends: true),
        Store c => Caller(c) | Mapped(view, c, c.Start) | Memory(view, c, c.Start),
        Load c => Caller(c) | Mapped(view, c, c.Start) | Memory(view, c, c.Start),
        Fork c => Caller(c) | Tasks | AllMapped(view, c, ends: false),
        ExitGroup c => view.AliveCount == 1 ? Everything
            : Caller(c) | Tasks | AllMapped(view, c, ends: true) | Created(view, c),
        ShmCtlRmid c => Caller(c) | Tasks | Segment(view, c.Segment) | Destruction,
        ShmCtlStat c => Caller(c) | Tasks | Segment(view, c.Segment),
        Reclaim c => Segment(view, c.Segment) | Slots | Mappers(view, c.Segment),
        _ => Everything,
    };

    private static ulong Caller(ProcessCall call) => Process(call.Caller.Number - 1);

    private static ulong Process(int process)
    {
        Debug.Assert(process < Most, "a scope has few processes");
        return 1ul << process;
    }

    private static ulong Segment(ScopeView view, SegmentRef reference) =>
        Segment(view.SegmentAt(reference.Value - 1)!);

    private static ulong Segment(Segment segment)
    {
        Debug.Assert(segment.Id.Index < Most, "a scope has few segments");
        return 1ul << (Most + segment.Id.Index);
    }

    private static ulong Mapped(
        ScopeView view, ProcessCall call, AddressRef address, bool ends = false) =>
        view.MappedAt(call.Caller.Number - 1, view.AttachOf(address)) is { } segment
            ? Segment(segment) | (ends && MayEnd(view, segment) ? Destruction : 0) : 0;

    private static ulong AllMapped(ScopeView view, ProcessCall call, bool ends)
    {
        ulong touched = 0;
        for (int attach = 0; attach < view.Attaches; attach++)
        {
            touched |= view.MappedAt(call.Caller.Number - 1, attach) is { } segment
                ? Segment(segment) | (ends && MayEnd(view, segment) ? Destruction : 0) : 0;
        }

        return touched;
    }

    private static bool MayEnd(ScopeView view, Segment segment) =>
        segment.Destroyed || view.State.Namespaces.Rows.Any(ns => ns.RmidForced);

    /// <summary>A touch takes a frame or a huge page, or brings back a page from swap.</summary>
    private static ulong Memory(ScopeView view, ProcessCall call, AddressRef address) =>
        view.MappedAt(call.Caller.Number - 1, view.AttachOf(address)) is not { } segment ? 0
            : segment.Object.IsHuge ? Pool
            : segment.Object.Swapped > 0 || view.State.FreeFrames < FramesToSpare ? Slots : 0;

    /// <summary>The segments that a process created, and has to lose.</summary>
    private static ulong Created(ScopeView view, ProcessCall call)
    {
        ulong touched = 0;
        foreach (Segment segment in view.State.Segments.Rows)
        {
            touched |= view.IsProcess(call.Caller.Number - 1, segment.Creator)
                ? Segment(segment) | (MayEnd(view, segment) ? Destruction : 0) : 0;
        }

        return touched;
    }

    private static ulong Mappers(ScopeView view, SegmentHandle handle)
    {
        ulong touched = 0;
        for (int process = 0; process < view.Processes; process++)
        {
            for (int attach = 0; attach < view.Attaches; attach++)
            {
                touched |= view.MappedAt(process, attach)?.Location
                    == view.SegmentAt(handle.Number - 1)!.Location ? Process(process) : 0;
            }
        }

        return touched;
    }
}
