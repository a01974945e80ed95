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

        int mapping = _mappings.At(_space, address);
        ulong page = address >> _pageShift;
        if (mapping == 0 || !_mappings.Has(mapping, MappingFlags.Access))
        {
            return Leave(Outcome.SegmentationFault);
        }

        int segment = _mappings.SegmentOf(mapping);
        if (segment == 0)
        {
            return Leave(new Outcome(_spaces.Bytes(_space)[page]));
        }

        return Leave(_paging.TryTouch(mapping, segment, page, write: false)
            ? new Outcome(ByteAt(mapping, segment, page)) : Outcome.BusError);
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

        int mapping = _mappings.At(_space, address);
        ulong page = address >> _pageShift;
        if (mapping == 0 || !_mappings.Has(mapping, MappingFlags.Write))
        {
            return Leave(Outcome.SegmentationFault);
        }

        int segment = _mappings.SegmentOf(mapping);
        if (segment == 0)
        {
            _addressSpaces.PrepareOwner(mapping);
            ByteMap bytes = _spaces.Bytes(_space);
            bytes[page] = value;
            return Leave(Outcome.Zero);
        }

        if (!_paging.TryTouch(mapping, segment, page, write: true, value))
        {
            return Leave(Outcome.BusError);
        }

        if (_segments.IsHuge(segment))
        {
            ByteMap bytes = _segments.Bytes(segment);
            bytes[_mappings.ObjectPage(mapping, page)] = value;
        }

        return Leave(Outcome.Zero);
    }

    private byte ByteAt(int mapping, int segment, ulong page)
    {
        ulong index = _mappings.ObjectPage(mapping, page);
        return _segments.IsHuge(segment) ? _segments.Bytes(segment)[index]
            : _pages.At(segment, index).Content;
    }
}
