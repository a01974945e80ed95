using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>mremap(2) (mm/mremap.c). Before 6.17 the target of a move is unmapped before most
/// tests are made; since then all tests come first, and a move may span several mappings.
/// </summary>
public sealed partial class ShmMachine
{
    private const MRemapFlags GivesAddress =
        MRemapFlags.MREMAP_FIXED | MRemapFlags.MREMAP_DONTUNMAP;

    /// <summary>mremap(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="start">Start of the old range.</param>
    /// <param name="length">Old length in bytes; 0 duplicates a shared mapping.</param>
    /// <param name="newLength">New length in bytes.</param>
    /// <param name="flags">Flags.</param>
    /// <param name="newStart">Where to, under MREMAP_FIXED.</param>
    /// <returns>The new address.</returns>
    public Outcome MRemap(
        int pid, ulong start, ulong length, ulong newLength, MRemapFlags flags, ulong newStart)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        var remap = new Remap(start, AlignUp(length), AlignUp(newLength), flags, newStart);
        bool resizes = _rules.RemapChecksFirst
            ? remap.Length != remap.NewLength : length != newLength;
        return Leave(!AreValid(remap, resizes) ? Errno.EINVAL
            : _rules.RemapChecksFirst ? RemapChecked(remap) : RemapClassic(remap));
    }

    private bool AreValid(in Remap remap, bool resizes)
    {
        const MRemapFlags Known = GivesAddress | MRemapFlags.MREMAP_MAYMOVE;
        bool moves = remap.Has(GivesAddress);
        return (remap.Flags & ~Known) == 0
            && (!moves || remap.Has(MRemapFlags.MREMAP_MAYMOVE))
            && !(remap.Has(MRemapFlags.MREMAP_DONTUNMAP) && resizes)
            && WithinPage(remap.Start) == 0 && remap.NewLength != 0
            && (!_rules.RemapChecksFirst
                || (remap.NewLength <= MachineConfig.TaskSize && (!moves || IsTarget(remap))));
    }

    /// <summary>Whether the new range of a move is one, and apart from the old.</summary>
    private bool IsTarget(in Remap remap) => WithinPage(remap.NewStart) == 0
        && remap.NewLength <= MachineConfig.TaskSize
        && remap.NewStart <= MachineConfig.TaskSize - remap.NewLength && !remap.Overlaps;

    /// <summary>Linux before 6.17.</summary>
    private Outcome RemapClassic(Remap remap)
    {
        int mapping = _mappings.At(_space, remap.Start);
        if (_rules.RemapNeedsMapping)
        {
            if (mapping == 0)
            {
                return Errno.EFAULT;
            }

            if (!TryAlignHuge(mapping, ref remap))
            {
                return Errno.EINVAL;
            }
        }

        if (remap.Has(GivesAddress))
        {
            return RemapTo(remap);
        }

        if (remap.Length >= remap.NewLength)
        {
            Errno error = ShrinkInPlace(remap);
            return error != Errno.None ? error : Outcome.At(remap.Start);
        }

        Errno refusal = CheckResize(mapping, remap);
        return refusal != Errno.None ? refusal : Grow(mapping, remap);
    }

    /// <summary>Moves to a given place, or to any (mremap_to).</summary>
    private Outcome RemapTo(Remap remap)
    {
        if (!IsTarget(remap))
        {
            return Errno.EINVAL;
        }

        Errno error = remap.Has(MRemapFlags.MREMAP_FIXED)
            ? Unmap(remap.NewStart, remap.NewLength) : Errno.None;
        if (error == Errno.None && remap.Length > remap.NewLength)
        {
            error = ShrinkInPlace(remap);
            remap = remap with { Length = remap.NewLength };
        }

        int mapping = _mappings.At(_space, remap.Start);
        error = error == Errno.None ? CheckResize(mapping, remap) : error;
        return error != Errno.None ? error : MoveTo(mapping, remap);
    }

    /// <summary>Linux since 6.17.</summary>
    private Outcome RemapChecked(Remap remap)
    {
        if (remap.Has(MRemapFlags.MREMAP_FIXED) && remap.Length == remap.NewLength)
        {
            return RemapEach(remap);
        }

        int mapping = _mappings.At(_space, remap.Start);
        Errno error = CheckRemap(mapping, ref remap);
        if (error != Errno.None)
        {
            return error;
        }

        if (remap.Has(GivesAddress))
        {
            return ClearAndMove(remap);
        }

        if (remap.Length < remap.NewLength)
        {
            return Grow(mapping, remap);
        }

        error = ShrinkInPlace(remap);
        return error != Errno.None ? error : Outcome.At(remap.Start);
    }

    /// <summary>Moves all mappings of a range, and keeps the gaps between them (remap_move).
    /// Attaches of normal segments are not moved together with anything else.</summary>
    private Outcome RemapEach(in Remap whole)
    {
        ulong end = unchecked(whole.Start + whole.Length);
        ulong target = whole.NewStart;
        ulong lastEnd = 0;
        Outcome result = Errno.EFAULT;
        int mapping = _mappings.FindWithin(_space, whole.Start, end);
        for (; mapping != 0; mapping = NextBehind(lastEnd, end))
        {
            bool isFirst = lastEnd == 0;
            ulong mappingEnd = _mappings[mapping].End;
            ulong start = Math.Max(whole.Start, _mappings[mapping].Start);
            ulong length = Math.Min(end, mappingEnd) - start;
            bool movesAlone = !_mappings.IsPrivate(mapping)
                && !_mappings.Has(mapping, MappingFlags.Huge);
            if ((isFirst && start != whole.Start)
                || (movesAlone && (!isFirst || mappingEnd < end)))
            {
                return Errno.EFAULT;
            }

            target += isFirst ? 0 : start - lastEnd;
            lastEnd = mappingEnd;
            var part = new Remap(start, length, length, whole.Flags, target);
            Errno error = CheckRemap(mapping, ref part);
            Outcome moved = error != Errno.None ? error : ClearAndMove(part);
            if (!moved.Succeeded)
            {
                return moved;
            }

            result = isFirst ? moved : result;
            target = (ulong)moved.Word + part.NewLength;
        }

        return result;
    }

    /// <summary>The search goes on behind what the last mapping was, even where the copy of a part
    /// has been joined to the rest of it since (vma_iter_invalidate).</summary>
    private int NextBehind(ulong lastEnd, ulong end) =>
        lastEnd < end ? _mappings.FindWithin(_space, lastEnd, end) : 0;

    /// <summary>All tests of a remap of one mapping (check_prep_vma).</summary>
    private Errno CheckRemap(int mapping, ref Remap remap)
    {
        if (mapping == 0)
        {
            return Errno.EFAULT;
        }

        if (!TryAlignHuge(mapping, ref remap))
        {
            return Errno.EINVAL;
        }

        if (remap.Length >= remap.NewLength && !remap.Has(GivesAddress))
        {
            return Errno.None;
        }

        return CheckResize(mapping, remap.Length > remap.NewLength
            ? remap with { Length = remap.NewLength } : remap);
    }

    private Outcome ClearAndMove(Remap remap)
    {
        Errno error = remap.Has(MRemapFlags.MREMAP_FIXED)
            ? Unmap(remap.NewStart, remap.NewLength) : Errno.None;

        // The target may have been all that there was of the old mapping (mremap_to).
        error = error == Errno.None && _mappings.At(_space, remap.Start) == 0
            ? Errno.EFAULT : error;
        if (error == Errno.None && remap.Length > remap.NewLength)
        {
            error = ShrinkInPlace(remap);
            remap = remap with { Length = remap.NewLength };
        }

        return error != Errno.None ? error : MoveTo(_mappings.At(_space, remap.Start), remap);
    }

    /// <summary>Rounds the lengths of a huge mapping up to huge pages. Such a mapping does not
    /// grow.</summary>
    private bool TryAlignHuge(int mapping, ref Remap remap)
    {
        if (!_mappings.Has(mapping, MappingFlags.Huge))
        {
            return true;
        }

        ulong mask = (1ul << _segments[_mappings.SegmentOf(mapping)].HugeShift) - 1;
        remap = remap with
        {
            Length = unchecked(remap.Length + mask) & ~mask,
            NewLength = unchecked(remap.NewLength + mask) & ~mask,
        };
        return (remap.Start & mask) == 0 && (remap.NewStart & mask) == 0
            && remap.NewLength <= remap.Length;
    }

    /// <summary>Unmaps what is too much. Nothing to unmap is no error.</summary>
    private Errno ShrinkInPlace(in Remap remap) => remap.Length == remap.NewLength ? Errno.None
        : Unmap(unchecked(remap.Start + remap.NewLength), remap.Length - remap.NewLength);

    /// <summary>Tests that a mapping may be moved, or grow (vma_to_resize).</summary>
    private Errno CheckResize(int mapping, in Remap remap)
    {
        if (mapping == 0)
        {
            return Errno.EFAULT;
        }

        bool huge = _mappings.Has(mapping, MappingFlags.Huge);
        if ((remap.Length == 0 && _mappings.IsPrivate(mapping))
            || (huge && remap.Has(MRemapFlags.MREMAP_DONTUNMAP))
            || (huge && !_rules.HugeMappingsMove))
        {
            return Errno.EINVAL;
        }

        if (remap.Length > _mappings[mapping].End - remap.Start)
        {
            return Errno.EFAULT;
        }

        if (remap.Length == remap.NewLength)
        {
            return Errno.None;
        }

        ulong growth = remap.NewLength - remap.Length;
        if (!MayLock(_mappings.FlagsOf(mapping), growth))
        {
            return Errno.EAGAIN;
        }

        bool charges = !_rules.EveryMoveIsCharged && _mappings.Has(mapping, MappingFlags.Account);
        return _addressSpaces.MayExpand(
                _space, growth >> _pageShift, _groups[_group].AddressLimit)
            && (!charges || _commit.Allows(growth >> _pageShift)) ? Errno.None : Errno.ENOMEM;
    }

    /// <summary>Grows in place if there is room behind, else by a move if that is allowed.
    /// </summary>
    private Outcome Grow(int mapping, in Remap remap)
    {
        ulong end = unchecked(remap.Start + remap.NewLength);
        bool atEnd = remap.Start + remap.Length == _mappings[mapping].End;
        if (atEnd && CanEndAt(mapping, end))
        {
            ulong before = _mappings[mapping].End;
            if (!_addressSpaces.TryGrow(mapping, end))
            {
                return Errno.ENOMEM;
            }

            PopulateGrowth(mapping, before, end);
            return Outcome.At(remap.Start);
        }

        if (!remap.Has(MRemapFlags.MREMAP_MAYMOVE))
        {
            return Errno.ENOMEM;
        }

        ulong place = 0;
        Errno error = FindPlace(
            ref place, remap.NewLength, _mappings.SegmentOf(mapping), fixedPlace: false);
        return error != Errno.None ? error : Move(mapping, remap with { NewStart = place });
    }

    /// <summary>vma_expandable.</summary>
    private bool CanEndAt(int mapping, ulong end) =>
        end >= _mappings[mapping].End && end <= MachineConfig.TaskSize
        && _mappings.FindWithin(_space, _mappings[mapping].End, end) == 0
        && MayMapAt(_mappings[mapping].Start);

    /// <summary>Moves to the address given, or under MREMAP_DONTUNMAP alone, preferably there.
    /// </summary>
    private Outcome MoveTo(int mapping, in Remap remap)
    {
        if (remap.Has(MRemapFlags.MREMAP_DONTUNMAP) && !_addressSpaces.MayExpand(
            _space, remap.Length >> _pageShift, _groups[_group].AddressLimit))
        {
            return Errno.ENOMEM;
        }

        ulong place = remap.NewStart;
        Errno error = FindPlace(ref place, remap.NewLength, _mappings.SegmentOf(mapping),
            fixedPlace: remap.Has(MRemapFlags.MREMAP_FIXED));
        return error != Errno.None ? error : Move(mapping, remap with { NewStart = place });
    }

    private Outcome Move(int mapping, in Remap remap)
    {
        bool locked = _mappings.Has(mapping, MappingFlags.Locked);
        Errno error = _addressSpaces.Move(mapping, remap.Start, remap.Length, remap.NewStart,
            remap.NewLength, keepsOld: remap.Has(MRemapFlags.MREMAP_DONTUNMAP));
        if (error != Errno.None)
        {
            return error;
        }

        if (locked && remap.NewLength > remap.Length)
        {
            _population.Populate(_space, remap.NewStart + remap.Length,
                remap.NewStart + remap.NewLength, ignoreErrors: true);
        }

        return Outcome.At(remap.NewStart);
    }

    private void PopulateGrowth(int mapping, ulong before, ulong end)
    {
        if (_mappings.Has(mapping, MappingFlags.Locked))
        {
            _population.Populate(_space, before, end, ignoreErrors: true);
        }
    }

    /// <summary>Arguments of mremap, lengths in whole pages.</summary>
    private readonly record struct Remap(
        ulong Start, ulong Length, ulong NewLength, MRemapFlags Flags, ulong NewStart)
    {
        public bool Overlaps => unchecked(Start + Length > NewStart
            && NewStart + NewLength > Start);

        public bool Has(MRemapFlags any) => (Flags & any) != 0;
    }
}
