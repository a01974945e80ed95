using ShmCheck.Abi;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Claims about IPC namespaces.</summary>
public class NamespacesTests
{
    [Fact]
    public void An_identifier_means_another_segment_in_another_namespace()
    {
        var scene = new Scene();
        int first = scene.Segment(1, key: 7);
        int child = (int)Done(scene.Machine.Clone(P1, CloneFlags.CLONE_NEWIPC));
        Assert.Equal(Errno.EINVAL, scene.Machine.ShmAt(child, first, 0, 0).Errno);
        Assert.Equal(first, scene.Segment(3, pid: child, key: 7));
        Done(scene.Machine.ShmCtlStat(P1, first, false, out var own));
        Done(scene.Machine.ShmCtlStat(child, first, false, out var others));
        Assert.Equal((Page, 3 * Page), (own.Size, others.Size));
    }

    [Fact]
    public void A_namespace_starts_with_the_default_limits_and_counts_for_itself()
    {
        var scene = new Scene(new MachineConfig { ShmMni = 1, ShmMax = 2 * Page, Frames = 64 });
        scene.Write(scene.Attach(scene.Segment(2)), 2);
        Done(scene.Machine.Unshare(P1));
        int id = scene.Segment(4);
        scene.Segment(1);
        scene.Write(scene.Attach(id), 3);
        Done(scene.Machine.ShmCtlShmInfo(P1, 0, false, out var usage));
        Assert.Equal((2ul, 5ul, 3ul), (usage.UsedIds, usage.Total, usage.Resident));
        Assert.Equal(20, scene.Figure(GlobalField.Shmem));
    }

    [Fact]
    public void An_attach_keeps_its_namespace_until_it_goes()
    {
        var scene = new Scene(new MachineConfig { Frames = 64 });
        ulong a = scene.Attach(scene.Segment(2));
        scene.Write(scene.Attach(scene.Segment(3)), 3);
        scene.Write(a, 2);
        int child = (int)Done(scene.Machine.Clone(P1, CloneFlags.None));
        Done(scene.Machine.Exec(child));
        Done(scene.Machine.Unshare(P1));
        Done(scene.Machine.Kill(child));
        Assert.Equal(20, scene.Figure(GlobalField.Shmem));
        Done(scene.Machine.ShmDt(P1, a));
        Assert.Equal(20, scene.Figure(GlobalField.Shmem));
        scene.Machine.CheckConsistency();
        Done(scene.Machine.Exec(P1));
        Assert.Equal(0, scene.Figure(GlobalField.Shmem));
        scene.Machine.CheckConsistency();
    }

    [Fact]
    public void Without_CAP_SYS_ADMIN_no_namespace_is_left()
    {
        var scene = new Scene();
        int child = scene.Fork();
        Done(scene.Machine.SetUid(child, 1000));
        Assert.Equal(Errno.EPERM, scene.Machine.Unshare(child).Errno);
        Assert.Equal(Errno.EPERM, scene.Machine.SetNs(child, P1).Errno);
        Assert.Equal(Errno.EPERM,
            scene.Machine.Clone(child, CloneFlags.CLONE_NEWIPC).Errno);
        scene.Machine.CheckConsistency();
    }

    [Fact]
    public void Whoever_unshares_is_no_creator_any_more_and_whoever_joins_stays_one()
    {
        var scene = new Scene(new MachineConfig { ShmRmidForced = true });
        int child = scene.Fork();
        scene.Segment(1, pid: child);
        Done(scene.Machine.Unshare(child));
        Assert.Equal(0ul, scene.Figure(NamespaceField.used_ids));
        Done(scene.Machine.SetNs(child, P1));
        scene.Segment(1, pid: child);
        Done(scene.Machine.SetNs(child, child));
        Assert.Equal(1ul, scene.Figure(NamespaceField.used_ids));
    }

    [Fact]
    public void A_knob_is_that_of_the_namespace_of_the_task_named()
    {
        var scene = new Scene();
        int child = (int)Done(scene.Machine.Clone(P1, CloneFlags.CLONE_NEWIPC));
        Done(scene.Machine.SetSysctl(Sysctl.ShmMni, 0, child));
        Done(scene.Machine.SetSysctl(Sysctl.ShmMax, Page));
        Assert.Equal(Errno.ENOSPC,
            scene.Machine.ShmGet(child, 0, 2 * Page, ShmGetFlags.IPC_CREAT).Errno);
        Assert.Equal(Errno.EINVAL,
            scene.Machine.ShmGet(P1, 0, 2 * Page, ShmGetFlags.IPC_CREAT).Errno);
        scene.Segment(1);
    }
}
