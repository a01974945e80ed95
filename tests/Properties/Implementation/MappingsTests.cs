using ShmCheck.Abi;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Claims about splits of attaches, <c>nattch</c> and shmdt.</summary>
public class MappingsTests
{
    [Fact]
    public void Unmapping_a_middle_page_makes_two_attaches_that_one_shmdt_detaches()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        Done(scene.Machine.MUnmap(P1, a + (3 * Page), Page));
        Assert.Equal(2ul, scene.Figure(id, SegmentField.nattch));
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(0ul, scene.Figure(id, SegmentField.nattch));
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmDt(P1, a).Errno);
    }

    [Fact]
    public void Pieces_with_the_same_protection_again_stay_apart()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        Done(scene.Machine.MProtect(P1, a + (2 * Page), 2 * Page, Protection.PROT_READ));
        Assert.Equal(3ul, scene.Figure(id, SegmentField.nattch));
        Done(scene.Machine.MProtect(P1, a + (2 * Page), 2 * Page, ReadWrite));
        Assert.Equal(3ul, scene.Figure(id, SegmentField.nattch));
    }

    [Theory]
    [InlineData(KernelProfile.Linux5_14, 3)]
    [InlineData(KernelProfile.Linux6_1, 3)]
    [InlineData(KernelProfile.Linux6_12, 2)]
    [InlineData(KernelProfile.Linux6_18, 2)]
    public void Newer_kernels_move_the_boundary_between_two_pieces(
        KernelProfile profile, ulong nattch)
    {
        var scene = new Scene(new MachineConfig { Profile = profile });
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        Done(scene.Machine.MProtect(P1, a + (4 * Page), 4 * Page, Protection.PROT_READ));
        Assert.Equal(2ul, scene.Figure(id, SegmentField.nattch));
        Done(scene.Machine.MProtect(P1, a + (4 * Page), Page, ReadWrite));
        Assert.Equal(nattch, scene.Figure(id, SegmentField.nattch));
    }

    [Theory]
    [InlineData(KernelProfile.Linux5_14, 6)]
    [InlineData(KernelProfile.Linux6_1, 1)]
    [InlineData(KernelProfile.Linux6_12, 2)]
    [InlineData(KernelProfile.Linux6_18, 6)]
    public void A_copy_beside_its_original_joins_both_neighbours_or_the_other_one_or_none(
        KernelProfile profile, ulong pages)
    {
        const MapFlags Fixed = MapFlags.MAP_FIXED;
        const MRemapFlags Copy = MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED
            | MRemapFlags.MREMAP_DONTUNMAP;
        var scene = new Scene(new MachineConfig { Profile = profile });
        Done(scene.Machine.MMap(P1, Window, 4 * Page, ReadWrite, Fixed));
        Done(scene.Machine.MMap(P1, Window + (5 * Page), Page, ReadWrite, Fixed));
        Done(scene.Machine.MMap(P1, Window + (6 * Page), Page, Protection.PROT_NONE, Fixed));
        ulong copy = Window + (4 * Page);
        Done(scene.Machine.MRemap(P1, Window + (3 * Page), Page, Page, Copy, copy));
        Assert.Equal(pages, PagesOfMapping(scene, pages > 2 ? Window : copy));
    }

    [Fact]
    public void Locking_a_middle_page_splits_for_good()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        Done(scene.Machine.MLock(P1, a + Page, Page, onFault: false));
        Assert.Equal(4ul, scene.Figure(P1, ProcessField.VmLck));
        Assert.Equal(4ul, scene.Figure(a + Page, MappingField.Locked));
        Done(scene.Machine.MUnlock(P1, a + Page, Page));
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.VmLck));
        Assert.Equal(3ul, scene.Figure(id, SegmentField.nattch));
    }

    [Fact]
    public void Shmdt_finds_an_attach_whose_start_is_gone_and_leaves_strangers_alone()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        Done(scene.Machine.MUnmap(P1, a, 2 * Page));
        Done(scene.Machine.MMap(P1, a, Page, ReadWrite, MapFlags.MAP_FIXED));
        scene.Write(a, 1);
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(0ul, scene.Figure(id, SegmentField.nattch));
        Assert.Equal(1, scene.Machine.Load(P1, a).Word);
    }

    [Fact]
    public void A_page_moved_away_detaches_where_its_attach_would_start()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        ulong q = Window + (64 * Page);
        Done(scene.Machine.MRemap(P1, a + (3 * Page), Page, Page,
            MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED, q));
        Assert.Equal(3ul, scene.Figure(id, SegmentField.nattch));
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmDt(P1, q).Errno);
        Done(scene.Machine.ShmDt(P1, q - (3 * Page)));
        Assert.Equal(2ul, scene.Figure(id, SegmentField.nattch));
    }

    [Fact]
    public void Growing_an_attach_beyond_the_segment_succeeds_and_touching_it_does_not()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id, Window);
        Done(scene.Machine.MRemap(P1, a, 8 * Page, 12 * Page, MRemapFlags.None, 0));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.nattch));
        Assert.Equal(48ul, scene.Figure(P1, ProcessField.VmSize));
        Assert.Equal(Signal.SIGBUS, scene.Machine.Load(P1, a + (9 * Page)).Signal);
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.VmSize));
    }

    [Fact]
    public void Rounding_down_to_address_0_maps_it_for_whoever_may()
    {
        var scene = new Scene();
        int id = scene.Segment(1, flags: 0x1b6);
        Assert.Equal(0ul, scene.Attach(id, address: 1, ShmAtFlags.SHM_RND));
        int other = scene.Fork();
        Done(scene.Machine.ShmDt(other, 0));
        Done(scene.Machine.SetUid(other, 1000));
        Assert.Equal(Errno.EPERM,
            scene.Machine.ShmAt(other, id, 1, ShmAtFlags.SHM_RND).Errno);
    }

    [Fact]
    public void Remapping_the_only_attach_of_a_removed_segment_keeps_it_alive()
    {
        var scene = new Scene();
        int id = scene.Segment(2);
        ulong a = scene.Attach(id, Window);
        scene.Write(a, 2);
        Done(scene.Machine.ShmCtlRmid(P1, id));
        Assert.Equal(a, scene.Attach(id, a, ShmAtFlags.SHM_REMAP));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.nattch));
        Assert.Equal(2, scene.Machine.Load(P1, a + Page).Word);
    }

    [Fact]
    public void A_child_of_fork_shares_pages_but_maps_none_until_it_touches_them()
    {
        var scene = new Scene();
        int id = scene.Segment(4);
        ulong a = scene.Attach(id);
        scene.Write(a, 4);
        int child = scene.Fork();
        Assert.Equal(2ul, scene.Figure(id, SegmentField.nattch));
        Assert.Equal(16ul, scene.Figure(P1, ProcessField.RssShmem));
        Assert.Equal(0ul, scene.Figure(child, ProcessField.RssShmem));
        Assert.Equal(2, scene.Machine.Load(child, a + Page).Word);
        Assert.Equal(4ul, scene.Figure(child, ProcessField.RssShmem));
    }

    [Fact]
    public void Threads_and_vfork_children_share_the_address_space()
    {
        var scene = new Scene();
        int id = scene.Segment(4);
        ulong a = scene.Attach(id);
        int thread = (int)Done(scene.Machine.Clone(
            P1, CloneFlags.CLONE_VM | CloneFlags.CLONE_THREAD));
        int child = (int)Done(scene.Machine.Clone(
            P1, CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK));
        Assert.True(scene.Machine.IsWaiting(P1));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.nattch));
        scene.Write(a, 1, child);
        Assert.Equal(1, scene.Machine.Load(thread, a).Word);
        Done(scene.Machine.Exec(child));
        Assert.False(scene.Machine.IsWaiting(P1));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.nattch));
        Done(scene.Machine.ShmDt(thread, a));
        Assert.Equal(0ul, scene.Figure(id, SegmentField.nattch));
    }

    /// <summary>How far a mapping reaches that has another one behind it: within it mremap finds
    /// no room to grow, and beyond its end it finds that the mapping ends.</summary>
    private static ulong PagesOfMapping(Scene scene, ulong start)
    {
        ulong pages = 1;
        while (scene.Machine.MRemap(P1, start, (pages + 1) * Page, (pages + 2) * Page,
            MRemapFlags.None, 0).Errno == Errno.ENOMEM)
        {
            pages++;
        }

        return pages;
    }
}
