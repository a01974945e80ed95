using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>IPC namespaces: how tasks come into them (ipc/namespace.c, kernel/nsproxy.c).
/// </summary>
public sealed partial class ShmMachine
{
    /// <summary>unshare(2) with CLONE_NEWIPC: the thread gets a namespace of its own. What it
    /// created loses its creator.</summary>
    /// <param name="pid">The caller.</param>
    public Outcome Unshare(int pid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        Errno error = NewNamespace(out int ns);
        if (error == Errno.None)
        {
            _lifetime.Orphan(_task);
            EnterNamespace(ns);
        }

        return Leave(error);
    }

    /// <summary>setns(2) into the IPC namespace of another task.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="target">The other task.</param>
    public Outcome SetNs(int pid, int target)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        int other = _tasks.Find(target);
        Errno error = other == 0 ? Errno.ESRCH
            : !IsCapable(CapabilitySet.CAP_SYS_ADMIN) ? Errno.EPERM
            : _plan.Strikes(AllocationKind.Bookkeeping) ? Errno.ENOMEM : Errno.None;
        if (error == Errno.None)
        {
            EnterNamespace(_tasks[other].Namespace);
        }

        return Leave(error);
    }

    /// <summary>The namespace of a child: its parent's, or a new one.</summary>
    private Errno ChildNamespace(CloneFlags flags, out int ns)
    {
        ns = _namespace;
        return (flags & CloneFlags.CLONE_NEWIPC) != 0 ? NewNamespace(out ns) : Errno.None;
    }

    private Errno NewNamespace(out int ns)
    {
        ns = 0;
        if (!IsCapable(CapabilitySet.CAP_SYS_ADMIN))
        {
            return Errno.EPERM;
        }

        if (_plan.Strikes(AllocationKind.Bookkeeping) || !_namespaces.HasRoom)
        {
            return _plan.Struck ? Errno.ENOMEM : Errno.ENOSPC;
        }

        ns = AddNamespace();
        return Errno.None;
    }

    private int AddNamespace()
    {
        int ns = _namespaces.Add();
        _ids.Start(ns);
        return ns;
    }

    private void EnterNamespace(int ns)
    {
        _lifetime.Join(ns);
        _tasks.Change(_task).Namespace = ns;
        _lifetime.Leave(_namespace);
        ForgetCaller();
    }
}
