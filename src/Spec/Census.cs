using ShmCheck.Abi;

namespace ShmCheck.Spec;

/// <summary>Figures of a state counted from its tables alone: from segments and their pages, from
/// mappings and page table entries.</summary>
internal sealed class Census
{
    private readonly Dictionary<SegmentKey, ulong> _attaches = [];
    private readonly Dictionary<(SegmentKey Segment, ulong Page), ulong> _mappers = [];
    private ulong _chargedMappings;

    public Census(SpecState state)
    {
        foreach (AddressSpace space in state.Spaces.Rows)
        {
            foreach (Mapping mapping in space.Mappings.Rows)
            {
                CountMapping(state, space, mapping);
            }
        }

        foreach (Segment segment in state.Segments.Rows)
        {
            Promises += segment.Object.OpenPromises;
            foreach (ObjectPage page in segment.Object.Pages.Rows)
            {
                Frames += page.HoldsFrame ? 1ul : 0;
                Resident += page.State is PageState.Clean or PageState.Dirty ? 1ul : 0;
                Swapped += page.HoldsSlot ? 1ul : 0;
                SwapCached += page.State is PageState.SwapCached ? 1ul : 0;
                Huge += page.State is PageState.HugeResident ? 1ul : 0;
            }
        }
    }

    public ulong Frames { get; }

    public ulong Resident { get; }

    public ulong Swapped { get; }

    public ulong SwapCached { get; }

    public ulong Huge { get; }

    public ulong Promises { get; }

    public ulong Attaches(SegmentKey segment) => _attaches.GetValueOrDefault(segment);

    public ulong Mappers(SegmentKey segment, ulong page) =>
        _mappers.GetValueOrDefault((segment, page));

    public ulong Committed(SpecState state)
    {
        ulong pages = _chargedMappings;
        foreach (Segment segment in state.Segments.Rows)
        {
            MemoryObject holder = segment.Object;
            pages += holder.IsHuge ? 0
                : holder.Promised ? new ByteCount(segment.Size).InUnitsOf(new(holder.PageSize))
                : holder.Charged;
        }

        return pages;
    }

    /// <summary>Index of the page of the object, in its own units, that a mapping shows at a
    /// virtual page number.</summary>
    public static ulong IndexOf(SpecState state, Mapping mapping, ulong page)
    {
        ulong bytes = page * state.Config.PageSize - mapping.Start
            + mapping.Offset * state.Config.PageSize;
        return bytes / mapping.PageSize;
    }

    private void CountMapping(SpecState state, AddressSpace space, Mapping mapping)
    {
        _chargedMappings += mapping.Has(MappingFlags.Account)
            ? mapping.Length / state.Config.PageSize : 0;
        if (mapping.Segment is not { } key)
        {
            return;
        }

        _attaches[key] = _attaches.GetValueOrDefault(key) + 1;
        foreach ((ulong at, _) in space.Pages.Between(
            mapping.Start / state.Config.PageSize, mapping.End / state.Config.PageSize))
        {
            (SegmentKey, ulong) page = (key, IndexOf(state, mapping, at));
            _mappers[page] = _mappers.GetValueOrDefault(page) + 1;
        }
    }
}
