using ShmCheck.Abi;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Claims about the life of segments: identifiers, removal, stamps, orphans, locks.
/// </summary>
public class SegmentsTests
{
    private const int Create = ShmGetFlags.IPC_CREAT | 0x1b0;

    [Fact]
    public void Indices_advance_and_the_sequence_number_rises_when_they_wrap()
    {
        var scene = new Scene();
        int[] ids = new int[130];
        for (int n = 0; n < ids.Length; n++)
        {
            ids[n] = scene.Segment(1);
            Done(scene.Machine.ShmCtlRmid(P1, ids[n]));
        }

        Assert.Equal([0, 1, 2], ids[..3]);
        Assert.Equal([63, 32768, 32769], ids[63..66]);
        Assert.Equal([32831, 65536, 65537], ids[127..]);
    }

    [Fact]
    public void A_wanted_identifier_is_used_once_and_moves_no_cursor()
    {
        var scene = new Scene();
        scene.Set(Sysctl.ShmNextId, 100);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmGet(P1, 0, 0, Create).Errno);
        int[] ids = [scene.Segment(1), scene.Segment(1), scene.Segment(1)];
        Assert.Equal([100, 0, 1], ids);
    }

    [Fact]
    public void A_stale_identifier_is_invalid_except_as_an_index()
    {
        var scene = new Scene();
        int stale = scene.Segment(1);
        Done(scene.Machine.ShmCtlRmid(P1, stale));
        int id = scene.Segment(1);
        while (id % 32768 != stale)
        {
            Done(scene.Machine.ShmCtlRmid(P1, id));
            id = scene.Segment(1);
        }

        Assert.NotEqual(stale, id);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmAt(P1, stale, 0, 0).Errno);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmCtlStat(P1, stale, false, out _).Errno);
        Assert.Equal(id, scene.Machine.ShmCtlStatIndex(P1, stale, false, false, out _).Word);
    }

    [Fact]
    public void A_removed_segment_lives_on_without_its_key_until_the_last_detach()
    {
        var scene = new Scene();
        int id = scene.Segment(4, key: 7);
        ulong a = scene.Attach(id);
        Done(scene.Machine.ShmCtlRmid(P1, id));
        Assert.Equal(1ul, scene.Figure(NamespaceField.used_ids));
        Assert.Equal(4ul, scene.Figure(NamespaceField.shm_tot));
        Assert.Equal(0x1b0ul | SegmentMode.SHM_DEST, scene.Figure(id, SegmentField.mode));
        Assert.Equal(0ul, scene.Figure(id, SegmentField.key));
        Assert.NotEqual(id, scene.Segment(1, key: 7));
        ulong b = scene.Attach(id);
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.nattch));
        Done(scene.Machine.ShmDt(P1, b));
        Assert.Equal(1ul, scene.Figure(NamespaceField.used_ids));
        Assert.Equal(1ul, scene.Figure(NamespaceField.shm_tot));
    }

    [Fact]
    public void Stamps_tell_attach_detach_and_change_apart()
    {
        var scene = new Scene();
        scene.Machine.Clock = 10;
        int id = scene.Segment(4);
        scene.Machine.Clock = 20;
        ulong a = scene.Attach(id);
        Assert.Equal([10ul, 20, 0], Stamps(scene, id));
        Assert.Equal((ulong)P1, scene.Figure(id, SegmentField.lpid));
        scene.Machine.Clock = 30;
        Done(scene.Machine.MUnmap(P1, a, Page));
        Assert.Equal([10ul, 30, 30], Stamps(scene, id));
        Assert.Equal(1ul, scene.Figure(id, SegmentField.nattch));
        scene.Machine.Clock = 40;
        int child = scene.Fork();
        Assert.Equal([10ul, 40, 30], Stamps(scene, id));
        Assert.Equal((ulong)P1, scene.Figure(id, SegmentField.lpid));
        scene.Machine.Clock = 50;
        Done(scene.Machine.Kill(child));
        Assert.Equal([10ul, 40, 50], Stamps(scene, id));
        Assert.Equal((ulong)child, scene.Figure(id, SegmentField.lpid));
        scene.Machine.Clock = 60;
        Done(scene.Machine.ShmCtlSet(P1, id, 1, 1, 0x1ff, badBuffer: false));
        Assert.Equal([60ul, 40, 50], Stamps(scene, id));
    }

    [Fact]
    public void With_shm_rmid_forced_an_attach_that_fails_late_destroys_the_segment()
    {
        var scene = new Scene(new MachineConfig { ShmRmidForced = true });
        ulong taken = (ulong)Done(scene.Machine.MMap(P1, Window, Page, ReadWrite, default));
        int id = scene.Segment(1);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmAt(P1, id, taken + 1, 0).Errno);
        Assert.Equal(1ul, scene.Figure(NamespaceField.used_ids));
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmAt(P1, id, taken, 0).Errno);
        Assert.Equal(0ul, scene.Figure(NamespaceField.used_ids));
    }

    [Fact]
    public void Orphans_without_attaches_go_when_shm_rmid_forced_is_set()
    {
        var scene = new Scene();
        int child = scene.Fork();
        int orphan = scene.Segment(1, pid: child);
        int used = scene.Segment(1, pid: child);
        int own = scene.Segment(1);
        ulong a = scene.Attach(used);
        Done(scene.Machine.ExitGroup(child));
        Assert.Equal(3ul, scene.Figure(NamespaceField.used_ids));
        scene.Set(Sysctl.ShmRmidForced, 1);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmAt(P1, orphan, 0, 0).Errno);
        Assert.Equal(2ul, scene.Figure(NamespaceField.used_ids));
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(0ul, scene.Figure(own, SegmentField.nattch));
        Assert.Equal(1ul, scene.Figure(NamespaceField.used_ids));
    }

    [Fact]
    public void With_shm_rmid_forced_the_end_of_the_creator_destroys_what_nobody_has_attached()
    {
        var scene = new Scene(new MachineConfig { ShmRmidForced = true });
        int child = scene.Fork();
        scene.Segment(1, pid: child);
        int used = scene.Segment(1, pid: child);
        scene.Attach(used);
        Done(scene.Machine.Kill(child));
        Assert.Equal(1ul, scene.Figure(NamespaceField.used_ids));
        Assert.Equal(1ul, scene.Figure(used, SegmentField.nattch));
    }

    [Fact]
    public void The_last_process_takes_everything_with_it()
    {
        var scene = new Scene(new MachineConfig { SwapSlots = 64, HugePages = 4 });
        long[] before = [.. Enum.GetValues<GlobalField>().Select(scene.Figure)];
        ulong a = scene.Attach(scene.Segment(8));
        scene.Write(a, 8);
        scene.PageOut(a, 4);
        ulong huge = scene.Attach(scene.HugeSegment(2));
        scene.Write(huge, 1);
        Done(scene.Machine.ExitGroup(P1));
        Assert.Equal(before, Enum.GetValues<GlobalField>().Select(scene.Figure));
        scene.Machine.CheckConsistency();
    }

    [Fact]
    public void Size_is_judged_before_the_number_of_segments()
    {
        var scene = new Scene(new MachineConfig { ShmMni = 1, Frames = 64 });
        scene.Segment(1);
        Assert.Equal(Errno.ENOMEM, scene.Machine.ShmGet(P1, 0, 1 << 30, Create).Errno);
        Assert.Equal(Errno.ENOSPC, scene.Machine.ShmGet(P1, 0, 4096, Create).Errno);
    }

    [Fact]
    public void A_stranger_who_asks_for_nothing_gets_the_identifier()
    {
        var scene = new Scene();
        int id = (int)Done(scene.Machine.ShmGet(P1, 9, 4096, ShmGetFlags.IPC_CREAT | 0x1a0));
        int stranger = scene.Fork();
        Done(scene.Machine.SetGid(stranger, 1000));
        Done(scene.Machine.SetUid(stranger, 1000));
        Assert.Equal(id, scene.Machine.ShmGet(stranger, 9, 0, 0).Word);
        Assert.Equal(Errno.EACCES, scene.Machine.ShmGet(stranger, 9, 0, 0x100).Errno);
        Assert.Equal(Errno.EACCES, scene.Machine.ShmAt(stranger, id, 0, 0).Errno);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmAt(stranger, id, 1, 0).Errno);
    }

    [Fact]
    public void Bad_buffers_are_found_first_by_IPC_SET_and_last_by_IPC_STAT()
    {
        var scene = new Scene();
        Assert.Equal(Errno.EFAULT, scene.Machine.ShmCtlSet(P1, 5, 0, 0, 0, badBuffer: true).Errno);
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmCtlStat(P1, 5, badBuffer: true, out _).Errno);
        int id = scene.Segment(1);
        Assert.Equal(Errno.EFAULT, scene.Machine.ShmCtlStat(P1, id, badBuffer: true, out _).Errno);
    }

    [Fact]
    public void SHM_LOCK_and_mlock_have_separate_budgets()
    {
        var scene = new Scene();
        Done(scene.Machine.SetRLimit(P1, Resource.RLIMIT_MEMLOCK, 8 * Page));
        Done(scene.Machine.SetUid(P1, 1000));
        int five = scene.Segment(5);
        int four = scene.Segment(4);
        Done(scene.Machine.ShmCtlLock(P1, five, locks: true));
        Done(scene.Machine.MLock(P1, scene.Attach(four), 4 * Page, onFault: false));
        Assert.Equal(Errno.ENOMEM, scene.Machine.ShmCtlLock(P1, four, locks: true).Errno);
        Assert.Equal(16ul, scene.Figure(P1, ProcessField.VmLck));
        Done(scene.Machine.ShmCtlRmid(P1, five));
        Done(scene.Machine.ShmCtlLock(P1, four, locks: true));
    }

    [Fact]
    public void A_locked_segment_keeps_resident_pages_and_leaves_swapped_ones_where_they_are()
    {
        var scene = new Scene(Swapping(SwapKind.Synchronous));
        int id = scene.Segment(8);
        ulong a = scene.Attach(id);
        scene.Write(a, 8);
        scene.PageOut(a, 4);
        Done(scene.Machine.ShmCtlLock(P1, id, locks: true));
        scene.PageOut(a, 8);
        Assert.Equal(4ul, scene.Figure(id, SegmentField.rss));
        Assert.Equal(4ul, scene.Figure(id, SegmentField.swp));
        Assert.Equal(0ul, scene.Figure(P1, ProcessField.VmLck));
        Assert.Equal(0x1b0ul | SegmentMode.SHM_LOCKED, scene.Figure(id, SegmentField.mode));
    }

    private static ulong[] Stamps(Scene scene, int id) =>
    [
        scene.Figure(id, SegmentField.ctime),
        scene.Figure(id, SegmentField.atime),
        scene.Figure(id, SegmentField.dtime),
    ];
}
