using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Reads and writes of memory: page faults as a program causes them.</summary>
public sealed partial class ShmMachine
{
    /// <summary>Reads the first byte of the page of an address.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="address">The address.</param>
    /// <returns>The byte.</returns>
    public Outcome Load(int pid, ulong address)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        ref readonly MappingRow mapping = ref _mappings.RowAt(_space, address);
        ulong page = address >> _pageShift;
        if (!mapping.Has(MappingFlags.Access))
        {
            return Leave(Outcome.SegmentationFault);
        }

        int segment = _mappings.SegmentOf(in mapping);
        if (segment == 0 || _segments.IsHuge(segment))
        {
            return Leave(LoadByte(in mapping, segment, page));
        }

        return Leave(_paging.TryTouch(in mapping, segment, page, write: false, out PageEntry entry)
            ? new Outcome(entry.Content) : Outcome.BusError);
    }

    /// <summary>Writes the first byte of the page of an address.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="address">The address.</param>
    /// <param name="value">The byte.</param>
    public Outcome Store(int pid, ulong address, byte value)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        ref readonly MappingRow mapping = ref _mappings.RowAt(_space, address);
        ulong page = address >> _pageShift;
        if (!mapping.Has(MappingFlags.Write))
        {
            return Leave(Outcome.SegmentationFault);
        }

        int segment = _mappings.SegmentOf(in mapping);
        if (segment == 0)
        {
            return Leave(StorePrivate(address, value));
        }

        if (_segments.IsHuge(segment))
        {
            return Leave(StoreHuge(in mapping, segment, page, value));
        }

        return Leave(_paging.TryTouch(in mapping, segment, page, write: true, out _, value)
            ? Outcome.Zero : Outcome.BusError);
    }

    /// <summary>Reads private memory, or a page of a huge segment.</summary>
    private Outcome LoadByte(in MappingRow mapping, int segment, ulong page) =>
        segment == 0 ? new Outcome(_spaces.Bytes(_space)[page])
            : _paging.TryTouchHuge(in mapping, segment, page)
            ? new Outcome(_segments.Bytes(segment)[_mappings.ObjectPage(in mapping, page)])
            : Outcome.BusError;

    private Outcome StorePrivate(ulong address, byte value)
    {
        _addressSpaces.PrepareOwner(_mappings.At(_space, address));
        ByteMap bytes = _spaces.Bytes(_space);
        bytes[address >> _pageShift] = value;
        return Outcome.Zero;
    }

    private Outcome StoreHuge(in MappingRow mapping, int segment, ulong page, byte value)
    {
        if (!_paging.TryTouchHuge(in mapping, segment, page))
        {
            return Outcome.BusError;
        }

        ByteMap bytes = _segments.Bytes(segment);
        bytes[_mappings.ObjectPage(in mapping, page)] = value;
        return Outcome.Zero;
    }
}
