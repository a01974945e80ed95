using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>Processes and threads: how they begin and end (kernel/fork.c, kernel/exit.c,
/// fs/exec.c).</summary>
public sealed partial class ShmMachine
{
    /// <summary>clone(2); without flags, fork(2).</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="flags">The flags.</param>
    /// <returns>Pid of the child, or tid of the thread.</returns>
    public Outcome Clone(int pid, CloneFlags flags) =>
        Enter(pid) ? Leave(Spawn(flags)) : Errno.ESRCH;

    /// <summary>execve(2): an empty address space, no other threads.</summary>
    /// <param name="pid">The caller.</param>
    public Outcome Exec(int pid) => Enter(pid) ? Leave(Execute()) : Errno.ESRCH;

    /// <summary>_exit(2) of a thread.</summary>
    /// <param name="pid">The thread.</param>
    public Outcome Exit(int pid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        End(_task);
        return Leave(Outcome.Zero);
    }

    /// <summary>exit_group(2): all threads of the process end.</summary>
    /// <param name="pid">A thread of the process.</param>
    public Outcome ExitGroup(int pid)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        EndGroup(_group);
        return Leave(Outcome.Zero);
    }

    /// <summary>SIGKILL: all threads of the process end.</summary>
    /// <param name="pid">The process, or a thread of it.</param>
    public Outcome Kill(int pid)
    {
        int task = _tasks.Find(pid);
        int group = task != 0 ? _tasks[task].Group : _groups.Find(pid);
        if (group == 0)
        {
            _plan.Disarm();
            return Errno.ESRCH;
        }

        return ExitGroup(_tasks[_groups[group].FirstTask].Tid);
    }

    /// <summary>setrlimit(2) of a soft limit.</summary>
    /// <param name="pid">The caller.</param>
    /// <param name="resource">Which limit.</param>
    /// <param name="limit">Bytes; <see cref="Abi.SetRLimit.Unlimited"/> for no limit.</param>
    public Outcome SetRLimit(int pid, Resource resource, ulong limit)
    {
        if (!Enter(pid))
        {
            return Errno.ESRCH;
        }

        switch (resource)
        {
            case Resource.RLIMIT_AS: _groups.Change(_group).AddressLimit = limit; break;
            case Resource.RLIMIT_MEMLOCK: _groups.Change(_group).MemLock = limit; break;
            default: return Leave(Errno.EINVAL);
        }

        return Leave(Outcome.Zero);
    }

    private Outcome Spawn(CloneFlags flags)
    {
        bool shares = (flags & CloneFlags.CLONE_VM) != 0;
        bool isThread = (flags & CloneFlags.CLONE_THREAD) != 0;
        if (isThread && !shares)
        {
            return Errno.EINVAL;
        }

        if (_plan.Strikes(AllocationKind.Bookkeeping))
        {
            return Errno.ENOMEM;
        }

        int space = shares ? _space : CopySpace();
        if (space == 0)
        {
            return Errno.ENOMEM;
        }

        Errno error = ChildNamespace(flags, out int ns);
        if (error != Errno.None)
        {
            DropUnused(space);
            return error;
        }

        int tid = (int)++_lastPid.Value;
        int group = isThread ? _group : AddGroup(tid, space);
        int child = _tasks.Add(tid, group, ns);
        _lifetime.Join(ns);
        _tasks.CopyCredentials(_task, child);
        _groupSets.Share(_tasks[child].GroupSet);
        _spaces.Change(space).Users += shares ? 1 : 0;
        if ((flags & CloneFlags.CLONE_VFORK) != 0)
        {
            _tasks.Change(_task).VForkChild = child;
            _tasks.Change(child).VForkParent = _task;
        }

        return new Outcome(tid);
    }

    /// <summary>A copy that was made for a child which does not come to be.</summary>
    private void DropUnused(int space)
    {
        if (space != _space)
        {
            _addressSpaces.Drop(space);
        }
    }

    private int AddGroup(int pid, int space)
    {
        int group = _groups.Add(pid, space);
        _groups.Change(group).MemLock = _groups[_group].MemLock;
        _groups.Change(group).AddressLimit = _groups[_group].AddressLimit;
        return group;
    }

    /// <summary>The address space of a child (dup_mmap). When memory for it may not be promised,
    /// what has been copied is closed again, which leaves its stamps.</summary>
    /// <returns>The address space, or 0.</returns>
    private int CopySpace()
    {
        int copy = _spaces.Add();
        int mapping = _mappings.Find(_space, 0);
        for (; mapping != 0; mapping = _mappings.Following(mapping))
        {
            if (!_mappings.Has(mapping, MappingFlags.DontCopy) && !TryCopy(mapping, copy))
            {
                _addressSpaces.Drop(copy);
                return 0;
            }
        }

        return copy;
    }

    private bool TryCopy(int mapping, int space)
    {
        ulong pages = _mappings.PagesOf(mapping);
        if (_plan.Strikes(AllocationKind.Bookkeeping)
            || (_mappings.Has(mapping, MappingFlags.Account) && !_commit.TryCharge(pages)))
        {
            return false;
        }

        int copy = _addressSpaces.AddLike(mapping, space, _mappings[mapping].Start,
            _mappings[mapping].End, _mappings[mapping].Offset);
        _mappings.Change(copy).Flags &= (int)~MappingFlags.AnyLock;
        _spaces.Change(space).TotalPages += pages;
        if (_mappings.IsPrivate(copy))
        {
            _addressSpaces.ForkOwner(copy);
            CopyBytes(mapping, space);
        }
        else if (_rules.ForkCopiesHugeEntries && _mappings.Has(copy, MappingFlags.Huge))
        {
            _paging.CopyEntries(mapping, copy);
        }

        return true;
    }

    private void CopyBytes(int mapping, int space)
    {
        ByteMap from = _spaces.Bytes(_space);
        ByteMap to = _spaces.Bytes(space);
        ulong page = _mappings.FirstPage(mapping);
        for (; from.Next(ref page, out byte value) && page < _mappings.EndPage(mapping); page++)
        {
            to[page] = value;
        }
    }

    private Errno Execute()
    {
        if (_plan.Strikes(AllocationKind.Bookkeeping))
        {
            return Errno.ENOMEM;
        }

        for (int other; (other = AnotherTask()) != 0;)
        {
            End(other);
        }

        int pid = _groups[_group].Pid;
        if (_tasks[_task].Tid != pid)
        {
            _tasks.Renumber(_task, pid);
        }

        FreeVForkParent(_task);
        DropSpace(_space);
        _groups.Change(_group).Space = _spaces.Add();
        ForgetCaller();
        GainCapabilities();
        return Errno.None;
    }

    private int AnotherTask()
    {
        int first = _groups[_group].FirstTask;
        return first != _task ? first : _tasks[first].NextInGroup;
    }

    private void EndGroup(int group)
    {
        for (bool last = false; !last;)
        {
            int task = _groups[group].FirstTask;
            last = _tasks[task].NextInGroup == 0;
            End(task);
        }
    }

    /// <summary>A thread ends: its address space goes with the last user, its segments become
    /// orphans, it leaves its namespace, and its process goes with the last thread.</summary>
    private void End(int task)
    {
        int group = _tasks[task].Group;
        FreeVForkParent(task);
        _tasks.Change(_tasks[task].VForkChild).VForkParent = 0;
        DropSpace(_groups[group].Space);
        _lifetime.Orphan(task);
        _groupSets.Drop(_tasks[task].GroupSet);
        _lifetime.Leave(_tasks[task].Namespace);
        _tasks.Remove(task);
        ForgetCaller();
        if (_groups[group].FirstTask == 0)
        {
            _groups.Remove(group);
        }
    }

    private void FreeVForkParent(int task)
    {
        _tasks.Change(_tasks[task].VForkParent).VForkChild = 0;
        _tasks.Change(task).VForkParent = 0;
    }

    private void DropSpace(int space)
    {
        if (--_spaces.Change(space).Users == 0)
        {
            _addressSpaces.Drop(space);
        }
    }
}
