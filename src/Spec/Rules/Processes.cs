using ShmCheck.Abi;
using static ShmCheck.Abi.Errno;

namespace ShmCheck.Spec;

/// <summary>How processes and threads begin and end: fork(2), vfork(2), clone(2), execve(2),
/// exit(2), signals.</summary>
internal static class Processes
{
    public static readonly RuleFamily Family = new("process");

    private static readonly Rule ThreadAlone = Family.Error(EINVAL, "clone.einval.thread",
        "CLONE_THREAD without CLONE_VM.", "kernel/fork.c:copy_process; clone(2)");

    private static readonly Rule NotCommitted = Family.Error(ENOMEM, "fork.enomem.commit",
        "A copied mapping of private memory is charged again, and that is refused under the "
            + "overcommit_memory of the moment; the mappings of segments below it have been "
            + "copied and closed by then, which their stamps show.",
        "mm/mmap.c:dup_mmap; fork(2)");

    private static readonly Rule NoNamespace = Family.Error(EPERM, "clone.eperm.newipc",
        "CLONE_NEWIPC without CAP_SYS_ADMIN; the address space has been copied by then, and is "
            + "given up again, which the stamps of its segments show.",
        "kernel/nsproxy.c:copy_namespaces; clone(2)");

    private static readonly Rule Forked = Family.Effect("fork.ok.fork",
        "A new process with a copy of the caller's address space, and its credentials, limits and "
            + "IPC namespace; it is the creator of no segment.",
        "kernel/fork.c:copy_process; fork(2)");

    private static readonly Rule CopiedMapping = Family.Effect("fork.copy-mapping",
        "Each mapping that is not MADV_DONTFORK is copied without its lock: those of segments "
            + "count as attaches by the parent, without page table entries; private memory is "
            + "copied and charged again.",
        "mm/mmap.c:dup_mmap; mm/memory.c:vma_needs_copy");

    private static readonly Rule CopiedHuge = Family.Effect("fork.copy-huge-entries",
        "Page table entries for huge pages are copied with them.",
        "mm/hugetlb.c:copy_hugetlb_page_range", RuleFamily.UpTo(KernelProfile.Linux5_14));

    private static readonly Rule NotCopied = Family.Effect("fork.dontfork",
        "A mapping that is MADV_DONTFORK is not inherited.", "mm/mmap.c:dup_mmap; madvise(2)");

    private static readonly Rule SharedSpace = Family.Effect("fork.share",
        "CLONE_VM shares the address space: no mapping counts anew.",
        "kernel/fork.c:copy_mm; clone(2)");

    private static readonly Rule NewThread = Family.Effect("clone.ok.thread",
        "CLONE_THREAD: a thread of the caller's process.", "kernel/fork.c:copy_process; clone(2)");

    private static readonly Rule Waits = Family.Effect("vfork.wait",
        "vfork, CLONE_VFORK: the caller waits until the child executes or ends.",
        "kernel/fork.c:kernel_clone; vfork(2)");

    private static readonly Rule Resumed = Family.Effect("vfork.resume",
        "The vfork child executes or ends: the caller goes on.",
        "kernel/fork.c:mm_release");

    private static readonly Rule Executed = Family.Effect("exec.ok",
        "A new, empty address space; the other threads of the process end, and the caller takes "
            + "its pid. MCL_FUTURE ends with the old address space; limits, IPC namespace and "
            + "what the caller created stay.",
        "fs/exec.c:begin_new_exec, de_thread; execve(2)");

    private static readonly Rule Ended = Family.Effect("exit.ok",
        "The thread ends, and with exit_group or SIGKILL all of its process.",
        "kernel/exit.c:do_exit; _exit(2)");

    private static readonly Rule LastUser = Family.Effect("exit.address-space",
        "An address space goes with its last user: all its mappings are closed.",
        "mm/mmap.c:exit_mmap");

    /// <summary>fork, vfork and clone.</summary>
    public static StepResult Spawn(Run run, CloneFlags flags)
    {
        bool shares = (flags & CloneFlags.CLONE_VM) != 0;
        bool isThread = (flags & CloneFlags.CLONE_THREAD) != 0;
        bool entersNew = (flags & CloneFlags.CLONE_NEWIPC) != 0;
        Rule? failure = isThread && !shares ? ThreadAlone
            : run.Lacks(AllocationKind.Bookkeeping) ? Machine.FailBookkeeping : null;
        ulong space = run.Caller.Space;
        if (failure is null && !shares)
        {
            failure = Copy(run, out space);
        }

        if (failure is null && entersNew && !run.Who.Has(CapabilitySet.CAP_SYS_ADMIN))
        {
            failure = NoNamespace;
        }

        if (failure is not null)
        {
            if (space != run.Caller.Space)
            {
                KernelTask parent = run.Caller;
                run.Act(parent with { Space = space });
                DropSpace(run);
                run.Act(parent);
            }

            return run.Fails(failure);
        }

        KernelTask child = Child(run, space, isThread, entersNew);
        if ((flags & CloneFlags.CLONE_VFORK) != 0)
        {
            run.Fire(Waits);
            run.Put(run.Caller with { WaitsFor = child.Tid });
        }

        run.Fire(shares ? SharedSpace : Forked);
        return run.Returns(isThread ? NewThread : Forked, child.Tid);
    }

    public static StepResult Execute(Run run, Exec _)
    {
        if (run.Lacks(AllocationKind.Bookkeeping))
        {
            return run.Fails(Machine.FailBookkeeping);
        }

        KernelTask caller = run.Caller;
        EndGroup(run, caller.Tgid, except: caller.Tid);
        run.Act(caller);
        DropSpaceOf(run, caller);
        ulong space = run.State.NextSpace;
        run.State = run.State with
        {
            NextSpace = space + 1,
            Spaces = run.State.Spaces.Set(space, new AddressSpace()),
            Tasks = run.State.Tasks.Remove((ulong)caller.Tid),
        };
        run.Act(caller with
        {
            Tid = caller.Tgid,
            Space = space,
            Credentials = Capabilities.OfExec(caller.Credentials),
        });
        run.Put(run.Caller);
        Rename(run, caller.Tid, caller.Tgid);
        Resume(run, caller.Tid);
        return run.Returns(Executed);
    }

    public static StepResult Execute(Run run, Exit _)
    {
        End(run, run.Caller);
        return run.Returns(Ended);
    }

    public static StepResult Execute(Run run, ExitGroup _)
    {
        EndGroup(run, run.Caller.Tgid);
        return run.Returns(Ended);
    }

    public static StepResult Execute(Run run, Kill call)
    {
        EndGroup(run, run.State.Tasks[(ulong)run.Resolve(call.Victim)].Tgid);
        return run.Returns(Ended);
    }

    private static KernelTask Child(Run run, ulong space, bool isThread, bool entersNew)
    {
        SpecState state = run.State;
        bool IsFree(int pid) => pid > 0 && !state.Tasks.Contains((ulong)pid)
            && !state.Groups.Contains((ulong)pid);
        int tid = run.Context.Choices.Pid(state.LastPid + 1, IsFree);
        if (!IsFree(tid))
        {
            throw new InvalidOperationException($"pid {tid} is not admissible");
        }

        run.State = state with { LastPid = tid };
        KernelTask child = run.Caller with
        {
            Tid = tid,
            Tgid = isThread ? run.Caller.Tgid : tid,
            Space = space,
            Namespace = entersNew ? Namespaces.Create(run) : run.Caller.Namespace,
            WaitsFor = 0,
        };
        run.Put(child);
        if (!isThread)
        {
            run.Put(run.Group with { Tgid = tid });
        }

        return child;
    }

    /// <summary>Copies the address space of the task that acts.</summary>
    /// <returns>The rule by which that fails; the copy is as far as it got.</returns>
    private static Rule? Copy(Run run, out ulong number)
    {
        KernelTask parent = run.Caller;
        AddressSpace source = run.Space;
        number = run.State.NextSpace;
        run.State = run.State with { NextSpace = number + 1 };
        run.Act(parent with { Space = number });
        run.Space = new AddressSpace();
        Rule? failure = null;
        foreach (Mapping mapping in source.Mappings.Rows)
        {
            failure ??= CopyMapping(run, source, mapping);
        }

        run.Act(parent);
        return failure;
    }

    private static Rule? CopyMapping(Run run, AddressSpace source, Mapping mapping)
    {
        if (mapping.Has(MappingFlags.DontCopy))
        {
            run.Fire(NotCopied);
            return null;
        }

        ulong pages = mapping.Length / run.PageSize;
        if (mapping.Has(MappingFlags.Account) && !Commit.Charge(run, pages))
        {
            return NotCommitted;
        }

        run.Fire(CopiedMapping);
        Mapping copy = mapping with { Flags = mapping.Flags & ~MappingFlags.Lock };
        if (copy.Anon != 0)
        {
            ulong anon = run.State.NextAnon;
            run.State = run.State with { NextAnon = anon + 1 };
            copy = copy with { Anon = anon, Forked = true };
        }

        Lifetime.Open(run, copy);
        run.Put(copy);
        run.Space = run.Space with { TotalPages = run.Space.TotalPages + pages };
        CopyPages(run, source, copy);
        return null;
    }

    private static void CopyPages(Run run, AddressSpace source, Mapping copy)
    {
        (ulong first, ulong end) = (copy.Start / run.PageSize, copy.End / run.PageSize);
        if (copy.Segment is null)
        {
            foreach ((ulong page, byte value) in source.Contents.Between(first, end))
            {
                AddressSpace space = run.Space;
                run.Space = space with { Contents = space.Contents.Set(page, value) };
            }
        }
        else if (copy.IsHuge && run.Profile == KernelProfile.Linux5_14)
        {
            run.Fire(CopiedHuge);
            foreach ((ulong page, _) in source.Pages.Between(first, end))
            {
                Faults.Touch(run, copy, page, write: false);
            }
        }
    }

    private static void EndGroup(Run run, int tgid, int except = 0)
    {
        foreach (KernelTask task in run.State.Tasks.Rows.Where(
            task => task.Tgid == tgid && task.Tid != except))
        {
            End(run, task);
        }
    }

    /// <summary>A task ends: first its address space goes, if it is the last user, then what it
    /// created loses its creator.</summary>
    private static void End(Run run, KernelTask task)
    {
        run.Act(task);
        DropSpaceOf(run, task);
        Lifetime.LoseCreator(run, task.Tid);
        SpecState state = run.State with { Tasks = run.State.Tasks.Remove((ulong)task.Tid) };
        run.State = state.Tasks.Rows.Any(other => other.Tgid == task.Tgid) ? state
            : state with { Groups = state.Groups.Remove((ulong)task.Tgid) };
        Resume(run, task.Tid);
    }

    private static void DropSpaceOf(Run run, KernelTask task)
    {
        if (run.State.Tasks.Rows.Count(other => other.Space == task.Space) == 1)
        {
            run.Fire(LastUser);
            DropSpace(run);
        }
    }

    /// <summary>Closes all mappings of the address space of the task that acts, and ends it.
    /// </summary>
    private static void DropSpace(Run run)
    {
        Mappings.Remove(run, 0, ulong.MaxValue);
        run.State = run.State with { Spaces = run.State.Spaces.Remove(run.Caller.Space) };
    }

    /// <summary>What a thread created stays its own when it takes the pid of its process.
    /// </summary>
    private static void Rename(Run run, int from, int to)
    {
        foreach (Segment segment in run.State.Segments.Rows.Where(s => s.Creator == from))
        {
            run.Put(segment with { Creator = to });
        }
    }

    private static void Resume(Run run, int child)
    {
        foreach (KernelTask task in run.State.Tasks.Rows.Where(t => t.WaitsFor == child))
        {
            run.Fire(Resumed);
            run.Put(task with { WaitsFor = 0 });
        }
    }
}
