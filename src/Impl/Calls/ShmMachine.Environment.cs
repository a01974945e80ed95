using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>What happens to the machine from outside, and the swap device (mm/swapfile.c).
/// </summary>
public sealed partial class ShmMachine
{
    /// <summary>swapon(2) of the machine's swap device.</summary>
    /// <param name="pid">The caller.</param>
    public Outcome SwapOn(int pid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        Errno error = !IsCapable(CapabilitySet.CAP_SYS_ADMIN) ? Errno.EPERM
            : !_swap.HasDevice ? Errno.ENOENT : _swap.InUse ? Errno.EBUSY : Errno.None;
        if (error == Errno.None)
        {
            _swap.InUse = true;
        }

        return Leave(error);
    }

    /// <summary>swapoff(2) of the machine's swap device: all swapped pages come back.</summary>
    /// <param name="pid">The caller.</param>
    public Outcome SwapOff(int pid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        Errno error = !IsCapable(CapabilitySet.CAP_SYS_ADMIN) ? Errno.EPERM
            : !_swap.HasDevice ? Errno.ENOENT : !_swap.InUse ? Errno.EINVAL
            : !_commit.Allows(_swap.Capacity) || !TryReserveFrames() ? Errno.ENOMEM : Errno.None;
        if (error == Errno.None)
        {
            EmptySwap();
        }

        return Leave(error);
    }

    /// <summary>A write to a sysctl by root.</summary>
    /// <param name="name">The knob.</param>
    /// <param name="value">Its new value; all but shmmax and shmall are signed integers.</param>
    /// <param name="pid">For a knob of the IPC namespace: a task in it; 0 for the namespace that
    /// the machine started with.</param>
    public Outcome SetSysctl(Sysctl name, ulong value, int pid = 0)
    {
        BeginUndo();

        // The knobs of a namespace that has gone turn in row 0, where nobody looks.
        int ns = pid == 0 ? _namespaces.Initial : _tasks[_tasks.Find(pid)].Namespace;
        return Leave(IsAdmissible(name, (long)value) ? Turn(name, value, ns) : Errno.EINVAL);
    }

    /// <summary>Background reclaim of pages of a segment, whoever maps them; of a segment that is
    /// gone, nothing. Where several namespaces have the identifier, it means the oldest's.
    /// </summary>
    /// <param name="id">Identifier of the segment.</param>
    /// <param name="first">First page of the object.</param>
    /// <param name="last">Last page.</param>
    public Outcome Reclaim(int id, ulong first, ulong last)
    {
        BeginUndo();
        int segment;
        int ns = _namespaces.First;
        while ((segment = FindId(ns, id)) == 0 && ns != 0)
        {
            ns = _namespaces[ns].Next;
        }

        if (segment != 0)
        {
            _paging.Reclaim(segment, first, last);
        }

        return Leave(Outcome.Zero);
    }

    /// <summary>Makes sure of a frame for each swapped page that has none. When the calls of this
    /// are over, none of them can fail any more.</summary>
    private bool TryReserveFrames()
    {
        ulong needed = _swap.Used - _swap.Cached;
        bool suffices = needed <= _frames.Free && !_plan.Strikes(AllocationKind.Frame, needed);
        _plan.Disarm();
        return suffices;
    }

    private void EmptySwap()
    {
        for (int segment = 0; (segment = _pages.NextSwapped(segment + 1)) > 0;)
        {
            if (_swap.Used == 0)
            {
                break;
            }

            _pages.SwapInAll(segment);
        }

        _swap.InUse = false;
    }

    private static bool IsAdmissible(Sysctl name, long value) => name switch
    {
        Sysctl.ShmMax or Sysctl.ShmAll => true,
        Sysctl.NrHugePages or Sysctl.NrOvercommitHugePages => value >= 0,
        Sysctl.OvercommitMemory => value is >= 0 and <= 2,
        Sysctl.ShmMni => value is >= 0 and <= ShmId.IndexLimit,
        Sysctl.ShmRmidForced => value is 0 or 1,
        Sysctl.ShmNextId => value is >= 0 and <= int.MaxValue,
        Sysctl.HugetlbShmGroup or Sysctl.OvercommitRatio =>
            value is >= int.MinValue and <= int.MaxValue,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "unknown sysctl"),
    };

    private Errno Turn(Sysctl name, ulong value, int ns)
    {
        switch (name)
        {
            case Sysctl.NrHugePages: _pool.Resize(value, _pages); break;
            case Sysctl.NrOvercommitHugePages: _pool.Overcommit = value; break;
            case Sysctl.HugetlbShmGroup: _hugeGroup.Value = value; break;
            case Sysctl.OvercommitMemory: _commit.Mode = (OvercommitMode)value; break;
            case Sysctl.OvercommitRatio: _commit.Ratio = (int)value; break;
            case Sysctl.ShmMax: _namespaces.Change(ns).MaxSize = value; break;
            case Sysctl.ShmAll: _namespaces.Change(ns).MaxPages = value; break;
            case Sysctl.ShmMni: _namespaces.Change(ns).MaxSegments = value; break;
            case Sysctl.ShmNextId: _ids.Want(ns, (int)value); break;
            default: SetRmidForced(ns, value != 0); break;
        }

        return Errno.None;
    }

    private void SetRmidForced(int ns, bool forced)
    {
        _namespaces.Change(ns).DestroysOrphans = forced ? (byte)1 : (byte)0;
        if (forced)
        {
            _lifetime.DestroyOrphans(ns);
        }
    }
}
