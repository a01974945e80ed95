using ShmCheck.Abi;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Claims about failing allocations.</summary>
public class InjectionTests
{
    [Fact]
    public void A_fault_whose_frame_fails_is_a_bus_error_and_the_next_one_is_not()
    {
        var scene = new Scene();
        ulong a = scene.Attach(scene.Segment(1));
        scene.Machine.FailAllocation(AllocationKind.Frame, 1);
        Assert.Equal(Signal.SIGBUS, scene.Machine.Store(P1, a, 1).Signal);
        Assert.Equal(0ul, scene.Figure(NamespaceField.shm_rss));
        Done(scene.Machine.Store(P1, a, 1));
    }

    [Fact]
    public void Populating_stops_at_the_frame_that_fails()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        scene.Machine.FailAllocation(AllocationKind.Frame, 4);
        Assert.Equal(Errno.EFAULT,
            scene.Machine.MAdvise(P1, a, 8 * Page, Advice.MADV_POPULATE_WRITE).Errno);
        Assert.Equal(3ul, scene.Figure(id, SegmentField.rss));
        scene.Machine.FailAllocation(AllocationKind.Frame, 3);
        Assert.Equal(Errno.ENOMEM, scene.Machine.MLock(P1, a, 8 * Page, onFault: false).Errno);
        Assert.Equal(5ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(32ul, scene.Figure(P1, ProcessField.VmLck));
    }

    [Fact]
    public void A_page_whose_slot_fails_stays_and_the_others_go()
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous));
        int id = scene.Segment(4);
        ulong a = scene.Attach(id);
        scene.Write(a, 4);
        scene.Machine.FailAllocation(AllocationKind.Slot, 2);
        scene.PageOut(a, 4);
        Assert.Equal(3ul, scene.Figure(id, SegmentField.swp));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.RssShmem));
    }

    [Fact]
    public void A_pool_grows_up_to_the_huge_page_that_fails()
    {
        var scene = new Scene(new MachineConfig { Frames = 8 * 512, HugePages = 1 });
        scene.Machine.FailAllocation(AllocationKind.Huge, 3);
        scene.Set(Sysctl.NrHugePages, 6);
        Assert.Equal(3, scene.Figure(GlobalField.HugePages_Total));
        ulong a = scene.Attach(scene.HugeSegment(1));
        scene.Machine.FailAllocation(AllocationKind.Huge, 1);
        Assert.Equal(Signal.SIGBUS, scene.Machine.Load(P1, a).Signal);
        Assert.Equal(1, scene.Figure(GlobalField.HugePages_Rsvd));
        Done(scene.Machine.Load(P1, a));
    }

    [Theory]
    [InlineData(AllocationKind.Id)]
    [InlineData(AllocationKind.Bookkeeping)]
    public void A_segment_that_cannot_be_registered_leaves_nothing_behind(AllocationKind kind)
    {
        var scene = new Scene(new MachineConfig { HugePages = 2 });
        scene.Machine.FailAllocation(kind, 1);
        Assert.Equal(Errno.ENOMEM, scene.Machine.ShmGet(
            P1, 0, 512 * Page, ShmGetFlags.IPC_CREAT | ShmGetFlags.SHM_HUGETLB).Errno);
        Assert.Equal(0, scene.Figure(GlobalField.HugePages_Rsvd));
        Assert.Equal(0ul, scene.Figure(NamespaceField.used_ids));
        Assert.Equal(0, scene.Segment(1));
    }

    [Fact]
    public void An_attach_without_bookkeeping_memory_runs_the_test_for_destruction()
    {
        var scene = new Scene(new MachineConfig { ShmRmidForced = true });
        int id = scene.Segment(1);
        scene.Machine.FailAllocation(AllocationKind.Bookkeeping, 1);
        Assert.Equal(Errno.ENOMEM, scene.Machine.ShmAt(P1, id, 0, 0).Errno);
        Assert.Equal(0ul, scene.Figure(NamespaceField.used_ids));
    }

    [Fact]
    public void Any_call_that_splits_can_fail_and_changes_nothing()
    {
        var scene = new Scene();
        int id = scene.Segment(8);
        ulong a = scene.Attach(id, Window);
        scene.Write(a, 8);
        byte[] before = scene.Machine.Save();
        (string Name, Errno Errno, Func<Errno> Call)[] calls =
        [
            ("munmap", Errno.ENOMEM, () => scene.Machine.MUnmap(P1, a + Page, Page).Errno),
            ("mprotect", Errno.ENOMEM,
                () => scene.Machine.MProtect(P1, a + Page, Page, Protection.PROT_READ).Errno),
            ("mlock", Errno.ENOMEM, () => scene.Machine.MLock(P1, a + Page, Page, true).Errno),
            ("madvise", Errno.EAGAIN,
                () => scene.Machine.MAdvise(P1, a + Page, Page, Advice.MADV_RANDOM).Errno),
            ("mremap", Errno.ENOMEM, () => scene.Machine.MRemap(P1, a + Page, Page, Page,
                MRemapFlags.MREMAP_MAYMOVE | MRemapFlags.MREMAP_FIXED, a + (64 * Page)).Errno),
            ("mmap", Errno.ENOMEM, () => scene.Machine.MMap(
                P1, a + Page, Page, ReadWrite, MapFlags.MAP_FIXED).Errno),
            ("fork", Errno.ENOMEM, () => scene.Machine.Clone(P1, CloneFlags.None).Errno),
        ];
        foreach ((string name, Errno errno, Func<Errno> call) in calls)
        {
            scene.Machine.FailAllocation(AllocationKind.Bookkeeping, 1);
            Assert.Equal((name, errno), (name, call()));
            Assert.True(before.AsSpan().SequenceEqual(scene.Machine.Save()), name);
        }
    }

    [Fact]
    public void A_failure_that_is_not_reached_changes_nothing_and_is_forgotten()
    {
        var scene = new Scene();
        ulong a = scene.Attach(scene.Segment(2));
        scene.Machine.FailAllocation(AllocationKind.Frame, 2);
        Done(scene.Machine.Store(P1, a, 1));
        Done(scene.Machine.Store(P1, a + Page, 1));
    }
}
