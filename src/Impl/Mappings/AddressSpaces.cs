using System.Diagnostics;
using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>How mappings are split, joined, changed and removed (mm/vma.c). Every piece of an
/// attach counts in nattch, and no operation makes one disappear by joining it to another; what
/// can happen is that the boundary between two pieces moves.</summary>
internal sealed partial class AddressSpaces
{
    private readonly KernelRules _rules;
    private readonly FailurePlan _plan;
    private readonly SpaceTable _spaces;
    private readonly MappingTable _mappings;
    private readonly AttachTable _attaches;
    private readonly SegmentTable _segments;
    private readonly SegmentLifetime _lifetime;
    private readonly Paging _paging;
    private readonly CommitAccount _commit;
    private readonly Scalar _pageOwners;
    private readonly int _pageShift;

    public AddressSpaces(
        StateStore store, KernelRules rules, FailurePlan plan, SpaceTable spaces,
        MappingTable mappings, AttachTable attaches, SegmentTable segments,
        SegmentLifetime lifetime, Paging paging, CommitAccount commit, int pageShift)
    {
        _rules = rules;
        _plan = plan;
        _spaces = spaces;
        _mappings = mappings;
        _attaches = attaches;
        _segments = segments;
        _lifetime = lifetime;
        _paging = paging;
        _commit = commit;
        _pageOwners = store.NewScalar();
        _pageShift = pageShift;
    }

    /// <summary>Splits a mapping in two; it keeps the lower part.</summary>
    public Errno Split(int mapping, ulong at)
    {
        Debug.Assert(_mappings[mapping].Start < at && at < _mappings[mapping].End, "not inside");
        if (!MaySplit(mapping, at))
        {
            return Errno.EINVAL;
        }

        if (_plan.Strikes(AllocationKind.Bookkeeping))
        {
            return Errno.ENOMEM;
        }

        ulong end = _mappings[mapping].End;
        _mappings.MoveEnd(mapping, at);
        AddLike(mapping, _mappings[mapping].Space, at, end, OffsetAt(mapping, at));
        return Errno.None;
    }

    /// <summary>Huge mappings end only where huge pages do (hugetlb_vm_op_split).</summary>
    public bool MaySplit(int mapping, ulong at) => !_mappings.Has(mapping, MappingFlags.Huge)
        || (at & ((1ul << _segments[_mappings.SegmentOf(mapping)].HugeShift) - 1)) == 0;

    /// <summary>Gives a part of a mapping other flags or another policy: joins it to a neighbour
    /// that has them, or else splits it off (vma_modify).</summary>
    /// <param name="mapping">The mapping; afterwards the one that has the part.</param>
    /// <param name="start">Start of the part.</param>
    /// <param name="end">End of the part.</param>
    /// <param name="flags">New flags.</param>
    /// <param name="policy">New policy.</param>
    public Errno Modify(
        ref int mapping, ulong start, ulong end, MappingFlags flags, int policy)
    {
        int joined = JoinExisting(mapping, start, end, flags, policy);
        if (joined != 0)
        {
            mapping = joined;
            return Errno.None;
        }

        if (_mappings[mapping].Start < start)
        {
            Errno error = Split(mapping, start);
            if (error != Errno.None)
            {
                return error;
            }

            mapping = _mappings.StartingAt(_mappings[mapping].Space, start);
        }

        if (_mappings[mapping].End > end)
        {
            Errno error = Split(mapping, end);
            if (error != Errno.None)
            {
                return error;
            }
        }

        _mappings.Change(mapping).Flags = (int)flags;
        _mappings.Change(mapping).Policy = policy;
        return Errno.None;
    }

    /// <summary>The object page that an address of a mapping shows, in base pages.</summary>
    public ulong OffsetAt(int mapping, ulong address) =>
        _mappings.ObjectPage(mapping, address >> _pageShift);

    /// <summary>Adds a mapping with the flags, policy, owner and attach of another one, and opens
    /// it.</summary>
    public int AddLike(int model, int space, ulong start, ulong end, ulong offset)
    {
        int mapping = _mappings.Add(space, start, end, _mappings[model].Attach);
        _mappings.Change(mapping).Offset = offset;
        _mappings.Change(mapping).Flags = _mappings[model].Flags;
        _mappings.Change(mapping).Policy = _mappings[model].Policy;
        CopyOwner(model, mapping);
        int segment = _mappings.SegmentOf(mapping);
        if (segment != 0)
        {
            _lifetime.Open(segment);
        }

        return mapping;
    }

    /// <summary>Private memory is written to for the first time: its pages get an owner, that of
    /// a neighbour where the two may still be joined one day (anon_vma_prepare).</summary>
    public void PrepareOwner(int mapping)
    {
        if (_mappings[mapping].PageOwner != 0)
        {
            return;
        }

        int space = _mappings[mapping].Space;
        int after = _mappings.StartingAt(space, _mappings[mapping].End);
        int before = _mappings.EndingAt(space, _mappings[mapping].Start);
        int lender = LendsOwner(after, mapping, after) ? after
            : LendsOwner(before, before, mapping) ? before : 0;
        _mappings.Change(mapping).PageOwner =
            lender != 0 ? _mappings[lender].PageOwner : NewOwner();
        _mappings.Change(mapping).ForkChild = 0;
    }

    /// <summary>The pages that a child inherits get an owner of their own (anon_vma_fork).
    /// </summary>
    public void ForkOwner(int mapping)
    {
        if (_mappings[mapping].PageOwner != 0)
        {
            _mappings.Change(mapping).PageOwner = NewOwner();
            _mappings.Change(mapping).ForkChild = 1;
        }
    }

    private int NewOwner() => (int)++_pageOwners.Value;

    private bool LendsOwner(int lender, int lower, int upper)
    {
        const MappingFlags Immaterial = MappingFlags.Access;
        return lender != 0 && _mappings[lender].PageOwner != 0 && _mappings[lender].ForkChild == 0
            && _mappings.IsPrivate(lower) && _mappings.IsPrivate(upper)
            && _mappings[lower].Policy == _mappings[upper].Policy
            && ((_mappings.FlagsOf(lower) ^ _mappings.FlagsOf(upper)) & ~Immaterial) == 0
            && OffsetAt(lower, _mappings[lower].End) == _mappings[upper].Offset;
    }

    private void CopyOwner(int from, int to)
    {
        _mappings.Change(to).PageOwner = _mappings[from].PageOwner;
        _mappings.Change(to).ForkChild = _mappings[from].ForkChild;
    }

    /// <summary>Joins a part of a mapping that is to have other flags to neighbours that have
    /// them (vma_merge_existing_range).</summary>
    /// <returns>The mapping that has the part now, or 0.</returns>
    private int JoinExisting(
        int mapping, ulong start, ulong end, MappingFlags flags, int policy)
    {
        bool low = start == _mappings[mapping].Start;
        bool high = end == _mappings[mapping].End;
        if (low && high && !_mappings.IsPrivate(mapping))
        {
            return 0;
        }

        var part = new Part(_mappings[mapping].Attach, OffsetAt(mapping, start),
            OffsetAt(mapping, end), flags, policy, mapping);
        int space = _mappings[mapping].Space;
        int before = low ? Joining(_mappings.EndingAt(space, start), part, below: true) : 0;
        int after = high ? Joining(_mappings.StartingAt(space, end), part, below: false) : 0;
        if (before != 0 && after != 0 && !HaveLikeOwners(before, after))
        {
            after = 0;
        }

        if (before == 0 && after == 0)
        {
            return 0;
        }

        TakeOwner(before != 0 ? before : after, mapping);
        Shrink(mapping, start, end);
        return Extend(before, after, start, end);
    }

    /// <summary>Joins a range that is not mapped to neighbours like it (vma_merge_new_range).
    /// </summary>
    /// <param name="space">The address space.</param>
    /// <param name="start">Start of the range.</param>
    /// <param name="end">End of the range.</param>
    /// <param name="part">What the range is to show.</param>
    /// <param name="apart">A neighbour to stay apart from, if any.</param>
    /// <param name="afterFirst">Whether the range belongs with what follows before it is compared
    /// with what precedes.</param>
    /// <returns>The mapping that has the range now, or 0.</returns>
    private int JoinNew(int space, ulong start, ulong end, in Part part, int apart = 0,
        bool afterFirst = false)
    {
        int before = Joining(_mappings.EndingAt(space, start), part, below: true);
        before = before == apart ? 0 : before;
        int after = Joining(_mappings.StartingAt(space, end), part, below: false);
        after = after == apart ? 0 : after;
        if (afterFirst && before != 0 && after != 0 && !TakesOwnerOf(before, after))
        {
            before = 0;
        }

        if (before != 0 && after != 0 && (part.Attach != 0 || !HaveLikeOwners(before, after)))
        {
            after = 0;
        }

        if (before == 0 && after == 0)
        {
            return 0;
        }

        TakeOwner(before != 0 ? before : after, part.Source);
        return Extend(before, after, start, end);
    }

    /// <summary>A neighbour, if a part may be joined to it, else 0.</summary>
    private int Joining(int neighbour, in Part part, bool below)
    {
        bool joins = neighbour != 0 && _mappings[neighbour].Attach == part.Attach
            && _mappings.FlagsOf(neighbour) == part.Flags
            && _mappings[neighbour].Policy == part.Policy
            && (part.Flags & MappingFlags.Huge) == 0
            && (part.Attach == 0 || _rules.AttachBoundariesMove)
            && (below ? OffsetAt(neighbour, _mappings[neighbour].End) == part.Offset
                : _mappings[neighbour].Offset == part.EndOffset)
            && TakesOwnerOf(neighbour, part.Source);
        return joins ? neighbour : 0;
    }

    /// <summary>Whether the pages of a source may come to belong to a mapping
    /// (is_mergeable_anon_vma).</summary>
    private bool TakesOwnerOf(int target, int source)
    {
        int theirs = source == 0 ? 0 : _mappings[source].PageOwner;
        int own = _mappings[target].PageOwner;
        if (own != 0 && theirs == 0)
        {
            return _mappings[target].ForkChild == 0;
        }

        return own == theirs
            || (own == 0 && _rules.UnfaultedTakesFaulted && _mappings[source].ForkChild == 0);
    }

    private bool HaveLikeOwners(int first, int second) =>
        _mappings[first].PageOwner == 0 || _mappings[second].PageOwner == 0
        || _mappings[first].PageOwner == _mappings[second].PageOwner;

    /// <summary>Takes a part at one end, or the whole, out of a mapping that neighbours take
    /// over.</summary>
    private void Shrink(int mapping, ulong start, ulong end)
    {
        if (start > _mappings[mapping].Start)
        {
            _mappings.MoveEnd(mapping, start);
        }
        else if (end < _mappings[mapping].End)
        {
            _mappings.MoveStart(mapping, end);
        }
        else
        {
            _mappings.Remove(mapping);
        }
    }

    private int Extend(int before, int after, ulong start, ulong end)
    {
        if (before == 0)
        {
            _mappings.MoveStart(after, start);
            return after;
        }

        if (after != 0)
        {
            end = _mappings[after].End;
            TakeOwner(before, after);
            _mappings.Remove(after);
        }

        _mappings.MoveEnd(before, end);
        return before;
    }

    private void TakeOwner(int target, int source)
    {
        if (source != 0 && _mappings[target].PageOwner == 0)
        {
            CopyOwner(source, target);
        }
    }

    /// <summary>A range that may be joined to neighbours: what it shows, and the mapping whose
    /// pages it has, 0 for none.</summary>
    private readonly record struct Part(
        int Attach, ulong Offset, ulong EndOffset, MappingFlags Flags, int Policy, int Source);
}
