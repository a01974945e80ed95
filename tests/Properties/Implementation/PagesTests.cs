using ShmCheck.Abi;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Claims about resident pages, swap and the figures of mappings.</summary>
public class PagesTests
{
    [Fact]
    public void Reading_a_hole_makes_a_clean_page_that_all_readers_share()
    {
        var scene = new Scene();
        ulong a = scene.Attach(scene.Segment(4));
        scene.Read(a, 1);
        Assert.Equal(1ul, scene.Figure(NamespaceField.shm_rss));
        Assert.Equal(4ul, scene.Figure(P1, ProcessField.RssShmem));
        Assert.Equal(4ul, scene.Figure(a, MappingField.Private_Clean));

        int child = scene.Fork();
        scene.Read(a, 1, child);
        Assert.Equal(1ul, scene.Figure(NamespaceField.shm_rss));
        Assert.Equal(4ul, scene.Figure(a, MappingField.Shared_Clean));
        Assert.Equal(2ul, scene.Figure(a, MappingField.Pss, child));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    public void A_clean_page_is_dropped_by_pageout_whether_there_is_swap_or_not(ulong slots)
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous, slots));
        ulong a = scene.Attach(scene.Segment(4));
        scene.Read(a, 1);
        scene.PageOut(a, 1);
        Assert.Equal(0ul, scene.Figure(NamespaceField.shm_rss));
        Assert.Equal(0ul, scene.Figure(NamespaceField.shm_swp));
        Assert.Equal(0, scene.Machine.Load(P1, a).Word);
    }

    [Fact]
    public void A_dirty_page_without_swap_loses_its_entry_but_stays()
    {
        var scene = new Scene();
        ulong a = scene.Attach(scene.Segment(4));
        scene.Write(a, 1);
        scene.PageOut(a, 1);
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.RssShmem));
        Assert.Equal(1ul, scene.Figure(NamespaceField.shm_rss));
    }

    [Fact]
    public void On_a_slow_device_pages_swapped_out_stay_in_the_swap_cache()
    {
        var scene = new Scene(Swapping(SwapKind.Asynchronous));
        int id = scene.Segment(16);
        ulong a = scene.Attach(id);
        scene.Write(a, 16);
        scene.PageOut(a, 16);
        Assert.Equal(0ul, scene.Figure(NamespaceField.shm_rss));
        Assert.Equal(16ul, scene.Figure(NamespaceField.shm_swp));
        Assert.Equal(64, scene.Figure(GlobalField.SwapCached));
        Assert.Equal(16, scene.Figure(GlobalField.SwapUsed));
        Assert.Equal(0, scene.Figure(GlobalField.Shmem));

        Assert.Equal(1, scene.Machine.Load(P1, a).Word);
        Assert.Equal(15, scene.Figure(GlobalField.SwapUsed));
        Assert.Equal(60, scene.Figure(GlobalField.SwapCached));

        Done(scene.Machine.Reclaim(id, 0, 15));
        Assert.Equal(4, scene.Figure(GlobalField.SwapCached));
        Assert.Equal(16ul, scene.Figure(id, SegmentField.swp));
    }

    [Fact]
    public void A_page_swapped_in_gives_its_slot_back_and_is_written_again()
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous));
        ulong a = scene.Attach(scene.Segment(1));
        scene.Write(a, 1);
        scene.PageOut(a, 1);
        Assert.Equal(1, scene.Figure(GlobalField.SwapUsed));
        scene.Read(a, 1);
        Assert.Equal(0, scene.Figure(GlobalField.SwapUsed));
        Assert.Equal(4ul, scene.Figure(a, MappingField.Private_Dirty));
        scene.PageOut(a, 1);
        Assert.Equal(1, scene.Figure(GlobalField.SwapUsed));
    }

    [Fact]
    public void Pageout_passes_over_pages_mapped_twice_and_pages_without_an_entry()
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous));
        int id = scene.Segment(2);
        ulong a = scene.Attach(id);
        ulong b = scene.Attach(id);
        scene.Write(a, 2);
        scene.Read(b, 1);
        scene.Advise(a + Page, 1, Advice.MADV_DONTNEED);
        scene.PageOut(a, 2);
        Assert.Equal(2ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(8ul, scene.Figure(P1, ProcessField.RssShmem));
    }

    [Fact]
    public void Swapped_pages_show_in_every_mapping_of_them_but_in_no_process()
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous));
        int id = scene.Segment(16);
        ulong a = scene.Attach(id);
        ulong b = scene.Attach(id);
        scene.Write(a, 16);
        scene.PageOut(a, 8);
        int child = scene.Fork();
        Assert.Equal(32ul, scene.Figure(a, MappingField.Swap));
        Assert.Equal(32ul, scene.Figure(b, MappingField.Swap));
        Assert.Equal(32ul, scene.Figure(a, MappingField.Swap, child));
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.VmSwap));
    }

    [Fact]
    public void Dontneed_drops_entries_and_keeps_pages()
    {
        var scene = new Scene();
        int id = scene.Segment(4);
        ulong a = scene.Attach(id);
        scene.Write(a, 4);
        scene.Advise(a, 4, Advice.MADV_DONTNEED);
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.RssShmem));
        Assert.Equal(4ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(3, scene.Machine.Load(P1, a + (2 * Page)).Word);
    }

    [Fact]
    public void Charges_of_dropped_pages_are_returned_late()
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous));
        ulong a = scene.Attach(scene.Segment(4096, ShmGetFlags.SHM_NORESERVE));
        scene.Read(a, 4096);
        Assert.Equal(16384, scene.Figure(GlobalField.Committed_AS));
        scene.PageOut(a, 4096);
        Assert.Equal(0ul, scene.Figure(NamespaceField.shm_rss));
        Assert.Equal(16384, scene.Figure(GlobalField.Committed_AS));
        scene.Read(a, 1);
        Assert.Equal(4, scene.Figure(GlobalField.Committed_AS));
    }

    [Fact]
    public void Populating_a_read_only_attach_allocates_pages()
    {
        var scene = new Scene();
        int id = scene.Segment(4);
        ulong a = scene.Attach(id, flags: ShmAtFlags.SHM_RDONLY);
        scene.Advise(a, 4, Advice.MADV_POPULATE_READ);
        Assert.Equal(4ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(16ul, scene.Figure(a, MappingField.Private_Clean));
        Assert.Equal(Errno.EINVAL,
            scene.Machine.MAdvise(P1, a, Page, Advice.MADV_POPULATE_WRITE).Errno);
    }

    [Fact]
    public void A_write_fault_dirties_the_page_for_all_who_map_it()
    {
        var scene = new Scene();
        int id = scene.Segment(1);
        ulong a = scene.Attach(id);
        ulong b = scene.Attach(id);
        scene.Write(a, 1);
        scene.Read(b, 1);
        Assert.Equal(4ul, scene.Figure(a, MappingField.Shared_Dirty));
        Assert.Equal(4ul, scene.Figure(b, MappingField.Shared_Dirty));
    }

    [Fact]
    public void A_write_through_an_entry_that_a_read_made_dirties_only_that_entry()
    {
        var scene = new Scene();
        int id = scene.Segment(1);
        ulong a = scene.Attach(id);
        ulong b = scene.Attach(id);
        scene.Read(a, 1);
        scene.Read(b, 1);
        scene.Write(a, 1);
        Assert.Equal(4ul, scene.Figure(a, MappingField.Shared_Dirty));
        Assert.Equal(4ul, scene.Figure(b, MappingField.Shared_Clean));
    }

    [Fact]
    public void Destroying_a_segment_frees_its_slots_and_its_swap_cache()
    {
        var scene = new Scene(Swapping(SwapKind.Asynchronous));
        int id = scene.Segment(64);
        ulong a = scene.Attach(id);
        scene.Write(a, 64);
        scene.PageOut(a, 64);
        Done(scene.Machine.ShmCtlRmid(P1, id));
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(0, scene.Figure(GlobalField.SwapUsed));
        Assert.Equal(0, scene.Figure(GlobalField.SwapCached));
        Assert.Equal(0, scene.Figure(GlobalField.Committed_AS));
        Assert.Equal(0ul, scene.Figure(NamespaceField.used_ids));
    }

    [Fact]
    public void Swapoff_brings_back_pages_without_entries_and_refuses_what_does_not_fit()
    {
        var scene = new Scene(new MachineConfig { Frames = 8, SwapSlots = 64 });
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        scene.Write(a, 8);
        scene.PageOut(a, 8);
        ulong b = scene.Attach(scene.Segment(1));
        scene.Write(b, 1);
        Assert.Equal(Errno.ENOMEM, scene.Machine.SwapOff(P1).Errno);
        Assert.Equal(8, scene.Figure(GlobalField.SwapUsed));
        scene.Advise(b, 1, Advice.MADV_REMOVE);
        Done(scene.Machine.SwapOff(P1));
        Assert.Equal(0, scene.Figure(GlobalField.SwapUsed));
        Assert.Equal(8ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.RssShmem));
        Assert.Equal(8, scene.Machine.Load(P1, a + (7 * Page)).Word);
    }
}
