using ShmCheck.Abi;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Claims about the pool of huge pages.</summary>
public class HugePagesTests
{
    private const ulong HugePage = 512 * Page;

    [Fact]
    public void A_segment_of_huge_pages_reserves_whole_ones_and_counts_bytes_asked_for()
    {
        var scene = new Scene(Pool(10));
        int id = (int)Done(scene.Machine.ShmGet(
            P1, 0, (5 << 20) + 1, ShmGetFlags.IPC_CREAT | ShmGetFlags.SHM_HUGETLB | 0x1b0));
        ulong a = scene.Attach(id);
        Assert.Equal(3, scene.Figure(GlobalField.HugePages_Rsvd));
        Assert.Equal(1281ul, scene.Figure(NamespaceField.shm_tot));
        Assert.Equal(5242881ul, scene.Figure(id, SegmentField.segsz));
        Assert.Equal(6144ul, scene.Figure(P1, ProcessField.VmSize));
    }

    [Fact]
    public void A_touched_huge_page_counts_as_its_base_pages()
    {
        foreach (KernelProfile profile in Enum.GetValues<KernelProfile>())
        {
            var scene = new Scene(Pool(4) with { Profile = profile });
            int id = scene.HugeSegment(1);
            ulong a = scene.Attach(id);
            scene.Write(a, 1);
            Assert.Equal(512ul, scene.Figure(NamespaceField.shm_rss));
            Assert.Equal(512ul, scene.Figure(id, SegmentField.rss));
            Assert.Equal(2048ul, scene.Figure(P1, ProcessField.HugetlbPages));
            Assert.Equal(2048ul, scene.Figure(a, MappingField.Private_Hugetlb));
            Assert.Equal(0ul, scene.Figure(a, MappingField.Rss));
            Assert.Equal(0, scene.Figure(GlobalField.HugePages_Rsvd));
            Assert.Equal(3, scene.Figure(GlobalField.HugePages_Free));
        }
    }

    [Fact]
    public void A_punched_huge_page_has_lost_its_reservation()
    {
        var scene = new Scene(Pool(4));
        ulong a = scene.Attach(scene.HugeSegment(2));
        scene.Write(a, 1);
        scene.Advise(a, 512, Advice.MADV_REMOVE);
        Assert.Equal(1, scene.Figure(GlobalField.HugePages_Rsvd));
        scene.HugeSegment(3);
        Assert.Equal(Signal.SIGBUS, scene.Machine.Store(P1, a, 1).Signal);
        Done(scene.Machine.Store(P1, a + HugePage, 1));
    }

    [Fact]
    public void Reserved_pages_are_not_free_for_those_without_a_reservation()
    {
        var scene = new Scene(Pool(10));
        scene.HugeSegment(10);
        ulong b = scene.Attach(scene.HugeSegment(1, ShmGetFlags.SHM_NORESERVE));
        Assert.Equal(Signal.SIGBUS, scene.Machine.Store(P1, b, 1).Signal);
        Assert.Equal(10, scene.Figure(GlobalField.HugePages_Free));
        Assert.Equal(10, scene.Figure(GlobalField.HugePages_Rsvd));
    }

    [Fact]
    public void A_pool_set_to_0_keeps_what_is_used_or_promised_as_surplus()
    {
        var scene = new Scene(Pool(10));
        int id = scene.HugeSegment(5);
        ulong a = scene.Attach(id);
        scene.Write(a, 1);
        scene.Write(a + HugePage, 1);
        scene.Set(Sysctl.NrHugePages, 0);
        Assert.Equal(5, scene.Figure(GlobalField.HugePages_Total));
        Assert.Equal(3, scene.Figure(GlobalField.HugePages_Free));
        Assert.Equal(3, scene.Figure(GlobalField.HugePages_Rsvd));
        Assert.Equal(5, scene.Figure(GlobalField.HugePages_Surp));
        Done(scene.Machine.ShmDt(P1, a));
        Done(scene.Machine.ShmCtlRmid(P1, id));
        Assert.Equal(0, scene.Figure(GlobalField.HugePages_Total));
        Assert.Equal(0, scene.Figure(GlobalField.HugePages_Surp));
    }

    [Fact]
    public void A_forked_child_maps_huge_pages_only_when_it_touches_them()
    {
        var scene = new Scene(Pool(2));
        ulong a = scene.Attach(scene.HugeSegment(1));
        scene.Write(a, 1);
        int child = scene.Fork();
        Assert.Equal(0ul, scene.Figure(child, ProcessField.HugetlbPages));
        scene.Read(a, 1, child);
        Assert.Equal(2048ul, scene.Figure(child, ProcessField.HugetlbPages));
        Assert.Equal(2048ul, scene.Figure(a, MappingField.Shared_Hugetlb));
    }

    [Fact]
    public void Members_of_the_huge_page_group_need_no_capability()
    {
        var scene = new Scene(Pool(2) with { HugetlbShmGroup = 50 });
        int other = scene.Fork();
        int third = scene.Fork();
        Done(scene.Machine.SetGid(other, 50));
        Done(scene.Machine.SetUid(other, 1000));
        Done(scene.Machine.SetUid(third, 1000));
        const int Flags = ShmGetFlags.IPC_CREAT | ShmGetFlags.SHM_HUGETLB | 0x1b0;
        Done(scene.Machine.ShmGet(other, 0, HugePage, Flags));
        Assert.Equal(Errno.EPERM, scene.Machine.ShmGet(third, 0, HugePage, Flags).Errno);
    }

    [Fact]
    public void SHM_LOCK_of_huge_pages_succeeds_and_does_nothing()
    {
        var scene = new Scene(Pool(2));
        int id = scene.HugeSegment(1);
        Done(scene.Machine.ShmCtlLock(P1, id, locks: true));
        Assert.Equal(0x1b0ul, scene.Figure(id, SegmentField.mode));
    }

    [Fact]
    public void The_pool_grows_whenever_as_many_frames_are_free_wherever_they_are()
    {
        var scene = new Scene(new MachineConfig { Frames = 8 * 512, SwapSlots = 64 });
        int id = scene.Segment(8 * 512);
        ulong a = scene.Attach(id);
        scene.Write(a, 8 * 512);
        for (ulong page = 0; page < 8 * 512; page += 2)
        {
            scene.Advise(a + (page * Page), 1, Advice.MADV_REMOVE);
        }

        scene.Set(Sysctl.NrHugePages, 100);
        Assert.Equal(4, scene.Figure(GlobalField.HugePages_Total));
        Assert.Equal(4ul * 512, scene.Figure(id, SegmentField.rss));
        scene.Machine.CheckConsistency();
        for (ulong page = 0; page < 8 * 512; page++)
        {
            long expected = page % 2 == 0 ? 0 : (byte)(page + 1);
            if (expected != 0)
            {
                Assert.Equal(expected, scene.Machine.Load(P1, a + (page * Page)).Word);
            }
        }

        Assert.Equal(Signal.SIGBUS, scene.Machine.Load(P1, a).Signal);
    }

    private static MachineConfig Pool(ulong hugePages) =>
        new() { Frames = 1024, HugePages = hugePages };
}
