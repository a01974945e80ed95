using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>What differs between the kernel versions, each named for what the version that sets
/// it does.</summary>
internal sealed class KernelRules
{
    public KernelRules(KernelProfile profile)
    {
        bool since6_1 = profile >= KernelProfile.Linux6_1;
        bool since6_12 = profile >= KernelProfile.Linux6_12;
        bool since6_18 = profile >= KernelProfile.Linux6_18;
        LastPolicy = since6_12 ? 6 : since6_1 ? 5 : 4;
        HugeSegmentsNeedRight = since6_1;
        ForkCopiesHugeEntries = !since6_1;
        HugeMappingsMove = since6_1;
        HugeEntriesDrop = since6_1;
        PunchNeedsWriteAccess = !since6_1;
        PunchZeroesParts = since6_1;
        LockOnFaultNeedsAccess = !since6_1;
        RemapNeedsMapping = since6_1;
        GrowthMerges = since6_1;
        EveryMoveIsCharged = since6_1;
        LockedCopiesSplitFirst = since6_1 && !since6_18;
        CopiesStayApart = since6_1 && !since6_18;
        AdjacentCopiesStandAlone = since6_1 && !since6_12;
        NewMappingsJoinAfterFirst = since6_1 && !since6_12;
        AttachBoundariesMove = since6_12;
        ReadOnlyReturnsCommit = since6_12;
        FixedMapUndoesOnFailure = since6_12;
        PopulateStopsAtGap = since6_12;
        UnfaultedTakesFaulted = since6_18;
        RemapChecksFirst = since6_18;
    }

    /// <summary>The highest number of a memory policy: MPOL_LOCAL, and then
    /// MPOL_PREFERRED_MANY and MPOL_WEIGHTED_INTERLEAVE (enum in mempolicy.h).</summary>
    public int LastPolicy { get; }

    /// <summary>Without the right, SHM_HUGETLB fails however little it asks for
    /// (hugetlb_file_setup).</summary>
    public bool HugeSegmentsNeedRight { get; }

    /// <summary>fork gives the child the page table entries of shared huge pages
    /// (copy_page_range).</summary>
    public bool ForkCopiesHugeEntries { get; }

    /// <summary>mremap moves huge mappings (vma_to_resize refused them before).</summary>
    public bool HugeMappingsMove { get; }

    /// <summary>MADV_DONTNEED works on huge mappings.</summary>
    public bool HugeEntriesDrop { get; }

    /// <summary>MADV_REMOVE asks for present write access, not for the right to get it.</summary>
    public bool PunchNeedsWriteAccess { get; }

    /// <summary>MADV_REMOVE of a part of a huge page zeroes the bytes (hugetlbfs_punch_hole); it
    /// did nothing before.</summary>
    public bool PunchZeroesParts { get; }

    /// <summary>MLOCK_ONFAULT on PROT_NONE fails like mlock does.</summary>
    public bool LockOnFaultNeedsAccess { get; }

    /// <summary>mremap to no larger a size fails where nothing is mapped.</summary>
    public bool RemapNeedsMapping { get; }

    /// <summary>A mapping that mremap grew joins a matching neighbour.</summary>
    public bool GrowthMerges { get; }

    /// <summary>The overcommit rule is asked when a mapping moves (move_vma), even if it does not
    /// grow; before, when it grows, ahead of the tests of the new address (vma_to_resize).
    /// </summary>
    public bool EveryMoveIsCharged { get; }

    /// <summary>MREMAP_DONTUNMAP of a part of a locked mapping splits it first, so that the rest
    /// stays locked.</summary>
    public bool LockedCopiesSplitFirst { get; }

    /// <summary>A copy that MREMAP_DONTUNMAP makes never joins what it is a copy of, which counts
    /// its offsets from its address again (copy_vma).</summary>
    public bool CopiesStayApart { get; }

    /// <summary>Such a copy next to what it is a copy of does not join its other neighbour
    /// either (copy_vma).</summary>
    public bool AdjacentCopiesStandAlone { get; }

    /// <summary>What is mapped between two mappings joins the one behind it first, so that the
    /// one in front must match the pages of that (mmap_region).</summary>
    public bool NewMappingsJoinAfterFirst { get; }

    /// <summary>The boundary between two mappings of one attach moves when a part of one takes
    /// the flags of the other; nothing of an attach merged before (is_mergeable_vma).</summary>
    public bool AttachBoundariesMove { get; }

    /// <summary>A private mapping that was never written to gives its commit charge back when it
    /// becomes read-only (mprotect_fixup).</summary>
    public bool ReadOnlyReturnsCommit { get; }

    /// <summary>A mapping at a fixed place that fails for want of memory leaves what was mapped
    /// there, although split; before, it was unmapped unless the address space limit stood in
    /// the way (mmap_region).</summary>
    public bool FixedMapUndoesOnFailure { get; }

    /// <summary>MADV_POPULATE_* ends at the first page that is not mapped; before, it went on
    /// behind the gap (madvise_populate).</summary>
    public bool PopulateStopsAtGap { get; }

    /// <summary>A private mapping without pages takes in a neighbour that has some
    /// (is_mergeable_anon_vma).</summary>
    public bool UnfaultedTakesFaulted { get; }

    /// <summary>mremap makes all its tests before it unmaps the target, and moves ranges of
    /// several mappings (remap_move).</summary>
    public bool RemapChecksFirst { get; }
}
