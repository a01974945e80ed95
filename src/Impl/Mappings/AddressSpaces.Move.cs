using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>What mremap does to a mapping.</summary>
internal sealed partial class AddressSpaces
{
    /// <summary>Moves the end of a mapping up into free space.</summary>
    /// <returns>False when the growth may not be charged.</returns>
    public bool TryGrow(int mapping, ulong end)
    {
        int space = _mappings[mapping].Space;
        ulong pages = (end - _mappings[mapping].End) >> _pageShift;
        bool locked = _mappings.Has(mapping, MappingFlags.Locked);
        if (_mappings.Has(mapping, MappingFlags.Account) && !_commit.TryCharge(pages))
        {
            return false;
        }

        ulong start = _mappings[mapping].End;
        if (!_rules.GrowthMerges || JoinNew(space, start, end, PartLike(mapping, start, end)) == 0)
        {
            _mappings.MoveEnd(mapping, end);
        }

        _spaces.Change(space).TotalPages += pages;
        _spaces.Change(space).LockedPages += locked ? pages : 0;
        return true;
    }

    /// <summary>Moves a part of a mapping, with its page table entries, to a free place, or
    /// duplicates it there when the length is 0 (move_vma).</summary>
    /// <param name="mapping">The mapping.</param>
    /// <param name="start">Start of the part.</param>
    /// <param name="length">Length of the part.</param>
    /// <param name="target">Where to.</param>
    /// <param name="newLength">Length there.</param>
    /// <param name="keepsOld">The old range stays mapped, without its entries.</param>
    public Errno Move(
        int mapping, ulong start, ulong length, ulong target, ulong newLength, bool keepsOld)
    {
        int space = _mappings[mapping].Space;
        bool locked = _mappings.Has(mapping, MappingFlags.Locked);
        if (keepsOld && locked && _rules.LockedCopiesSplitFirst)
        {
            Errno error = Isolate(space, start, start + length);
            if (error != Errno.None)
            {
                return error;
            }

            mapping = _mappings.At(space, start);
        }

        ulong charge = (keepsOld ? newLength : newLength - length) >> _pageShift;
        bool charges = _mappings.Has(mapping, MappingFlags.Account)
            && (charge > 0 || _rules.EveryMoveIsCharged);
        if (_plan.Strikes(AllocationKind.Bookkeeping) || (charges && !_commit.TryCharge(charge)))
        {
            return Errno.ENOMEM;
        }

        bool isPrivate = _mappings.IsPrivate(mapping);
        CopyTo(mapping, start, target, newLength, keepsOld);
        MovePages(space, isPrivate, start, length, target);
        _spaces.Change(space).TotalPages += newLength >> _pageShift;
        _spaces.Change(space).LockedPages += locked ? newLength >> _pageShift : 0;
        if (keepsOld)
        {
            LeaveBehind(_mappings.At(space, start), start, start + length);
            return Errno.None;
        }

        return length == 0 ? Errno.None : Unmap(space, start, start + length, keepCharge: true);
    }

    /// <summary>Makes the mapping at the new place, or joins it to a neighbour there (copy_vma).
    /// Private memory without pages takes its offset from the new address.</summary>
    private void CopyTo(int mapping, ulong start, ulong target, ulong length, bool keepsOld)
    {
        int space = _mappings[mapping].Space;
        bool bare = _mappings.IsPrivate(mapping) && _mappings[mapping].PageOwner == 0;
        ulong offset = bare ? target >> _pageShift : OffsetAt(mapping, start);
        var part = new Part(_mappings[mapping].Attach, offset, offset + (length >> _pageShift),
            _mappings.FlagsOf(mapping), _mappings[mapping].Policy, mapping);
        ulong end = target + length;
        int apart = bare && keepsOld && _rules.CopiesStayApart ? mapping : 0;
        bool alone = apart != 0 && _rules.AdjacentCopiesStandAlone
            && (target == _mappings[mapping].End || end == _mappings[mapping].Start);
        if (alone || JoinNew(space, target, end, part, apart) == 0)
        {
            AddLike(mapping, space, target, end, offset);
        }
    }

    private void MovePages(int space, bool isPrivate, ulong start, ulong length, ulong target)
    {
        ulong first = start >> _pageShift;
        ulong end = (start + length) >> _pageShift;
        if (!isPrivate)
        {
            _paging.MoveEntries(space, first, end, target >> _pageShift);
            return;
        }

        ByteMap bytes = _spaces.Bytes(space);
        for (ulong page = first; bytes.Next(ref page, out byte value) && page < end; page++)
        {
            bytes[page] = 0;
            bytes[page - first + (target >> _pageShift)] = value;
        }
    }

    /// <summary>What stays of the old mapping under MREMAP_DONTUNMAP is not locked any more, and
    /// if all of it was copied, has no pages of its own (dontunmap_complete).</summary>
    private void LeaveBehind(int mapping, ulong start, ulong end)
    {
        if (_mappings.Has(mapping, MappingFlags.Locked))
        {
            _spaces.Change(_mappings[mapping].Space).LockedPages -= _mappings.PagesOf(mapping);
            _mappings.Change(mapping).Flags &= (int)~MappingFlags.AnyLock;
        }

        if (_mappings[mapping].Start != start || _mappings[mapping].End != end)
        {
            return;
        }

        _mappings.Change(mapping).PageOwner = 0;
        _mappings.Change(mapping).ForkChild = 0;
        if (_rules.CopiesStayApart && _mappings.IsPrivate(mapping))
        {
            _mappings.Change(mapping).Offset = _mappings.FirstPage(mapping);
        }
    }

    private Part PartLike(int mapping, ulong start, ulong end) => new(
        _mappings[mapping].Attach, OffsetAt(mapping, start), OffsetAt(mapping, end),
        _mappings.FlagsOf(mapping), _mappings[mapping].Policy, mapping);
}
