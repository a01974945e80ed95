using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Users, groups and capabilities (kernel/sys.c, security/commoncap.c).</summary>
public sealed partial class ShmMachine
{
    private const int Root = 0;
    private const int Unchanged = -1;
    private const int MaxGroups = 65536;

    /// <summary>setuid(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="uid">The user.</param>
    public Outcome SetUid(int pid, int uid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        bool free = IsCapable(CapabilitySet.CAP_SETUID);
        int real = _tasks[_task].Uid;
        int saved = _tasks[_task].Suid;
        if (uid == -1 || (!free && uid != real && uid != saved))
        {
            return Leave(uid == -1 ? Errno.EINVAL : Errno.EPERM);
        }

        ChangeUsers(free ? uid : real, uid, free ? uid : saved);
        return Leave(Outcome.Zero);
    }

    /// <summary>setgid(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="gid">The group.</param>
    public Outcome SetGid(int pid, int gid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        bool free = IsCapable(CapabilitySet.CAP_SETGID);
        if (gid == -1 || (!free && gid != _tasks[_task].Gid && gid != _tasks[_task].Sgid))
        {
            return Leave(gid == -1 ? Errno.EINVAL : Errno.EPERM);
        }

        _tasks.Change(_task).Egid = gid;
        if (free)
        {
            _tasks.Change(_task).Gid = gid;
            _tasks.Change(_task).Sgid = gid;
        }

        return Leave(Outcome.Zero);
    }

    /// <summary>setresuid(2); -1 leaves an id as it is.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="real">Real user.</param>
    /// <param name="effective">Effective user.</param>
    /// <param name="saved">Saved user.</param>
    public Outcome SetResUid(int pid, int real, int effective, int saved)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        var now = new Ids(_tasks[_task].Uid, _tasks[_task].Euid, _tasks[_task].Suid);
        if (!now.AdmitAll(real, effective, saved) && !IsCapable(CapabilitySet.CAP_SETUID))
        {
            return Leave(Errno.EPERM);
        }

        Ids after = now.With(real, effective, saved);
        ChangeUsers(after.Real, after.Effective, after.Saved);
        return Leave(Outcome.Zero);
    }

    /// <summary>setresgid(2); -1 leaves an id as it is.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="real">Real group.</param>
    /// <param name="effective">Effective group.</param>
    /// <param name="saved">Saved group.</param>
    public Outcome SetResGid(int pid, int real, int effective, int saved)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        var now = new Ids(_tasks[_task].Gid, _tasks[_task].Egid, _tasks[_task].Sgid);
        if (!now.AdmitAll(real, effective, saved) && !IsCapable(CapabilitySet.CAP_SETGID))
        {
            return Leave(Errno.EPERM);
        }

        Ids after = now.With(real, effective, saved);
        _tasks.Change(_task).Gid = after.Real;
        _tasks.Change(_task).Egid = after.Effective;
        _tasks.Change(_task).Sgid = after.Saved;
        return Leave(Outcome.Zero);
    }

    /// <summary>setgroups(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="groups">The supplementary groups.</param>
    public Outcome SetGroups(int pid, ReadOnlySpan<int> groups)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        if (!IsCapable(CapabilitySet.CAP_SETGID))
        {
            return Leave(Errno.EPERM);
        }

        if (groups.Length > MaxGroups || groups.Contains(-1))
        {
            return Leave(Errno.EINVAL);
        }

        _groupSets.Drop(_tasks[_task].GroupSet);
        _tasks.Change(_task).GroupSet = _groupSets.Add(groups);
        return Leave(Outcome.Zero);
    }

    /// <summary>capset(2), of the capabilities that the machine knows.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="effective">New effective set.</param>
    /// <param name="permitted">New permitted set.</param>
    public Outcome CapSet(int pid, CapabilitySet effective, CapabilitySet permitted)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        if (((ulong)permitted & ~_tasks[_task].Permitted) != 0 || (effective & ~permitted) != 0)
        {
            return Leave(Errno.EPERM);
        }

        _tasks.Change(_task).Effective = (ulong)effective;
        _tasks.Change(_task).Permitted = (ulong)permitted;
        return Leave(Outcome.Zero);
    }

    /// <summary>prctl(2) PR_SET_KEEPCAPS.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="keep">On or off.</param>
    public Outcome KeepCaps(int pid, bool keep)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        _tasks.Change(_task).KeepsCaps = keep ? (byte)1 : (byte)0;
        return Leave(Outcome.Zero);
    }

    /// <summary>Changes the users, and the capabilities with them when one of them becomes, or
    /// ceases to be, root (cap_emulate_setxuid).</summary>
    private void ChangeUsers(int real, int effective, int saved)
    {
        ref TaskRow task = ref _tasks.Change(_task);
        bool wasRoot = task.Uid == Root || task.Euid == Root || task.Suid == Root;
        bool staysRoot = real == Root || effective == Root || saved == Root;
        bool wasEffective = task.Euid == Root;
        if (wasRoot && !staysRoot && task.KeepsCaps == 0)
        {
            task.Permitted = 0;
            task.Effective = 0;
        }

        if (wasEffective != (effective == Root))
        {
            task.Effective = wasEffective ? 0 : task.Permitted;
        }

        task.Uid = real;
        task.Euid = effective;
        task.Suid = saved;
    }

    /// <summary>The capabilities after execve of a file that has none: all for root, none for
    /// others (cap_bprm_creds_from_file).</summary>
    private void GainCapabilities()
    {
        ref TaskRow task = ref _tasks.Change(_task);
        bool effectively = task.Euid == Root;
        bool privileged = effectively || task.Uid == Root;
        task.Permitted = privileged ? (ulong)CapabilitySet.All : 0;
        task.Effective = effectively ? (ulong)CapabilitySet.All : 0;
        task.Suid = task.Euid;
        task.Sgid = task.Egid;
        task.KeepsCaps = 0;
    }

    /// <summary>The three users, or groups, of a task.</summary>
    private readonly record struct Ids(int Real, int Effective, int Saved)
    {
        /// <summary>Whether a task without privilege may take these ids, each of which must be
        /// one of those it has.</summary>
        public bool AdmitAll(int real, int effective, int saved) =>
            Admits(real) && Admits(effective) && Admits(saved);

        public Ids With(int real, int effective, int saved) => new(
            real == Unchanged ? Real : real, effective == Unchanged ? Effective : effective,
            saved == Unchanged ? Saved : saved);

        private bool Admits(int id) =>
            id == Unchanged || id == Real || id == Effective || id == Saved;
    }
}
