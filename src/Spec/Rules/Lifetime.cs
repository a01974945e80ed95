namespace ShmCheck.Spec;

/// <summary>How mappings count as attaches, and when a segment and a namespace end.</summary>
internal static class Lifetime
{
    public static readonly RuleFamily Family = new("lifetime");

    private static readonly Rule Opening = Family.Effect(
        "nattch.open",
        "A mapping of a segment comes into being (shmat, fork, split, mremap to a new place): "
            + "shm_nattch + 1, shm_atime = now, shm_lpid = the process that acts.",
        "ipc/shm.c:shm_open");

    private static readonly Rule Closing = Family.Effect(
        "nattch.close",
        "A mapping of a segment goes: shm_nattch - 1, shm_dtime = now, shm_lpid = the process "
            + "that acts.",
        "ipc/shm.c:shm_close");

    private static readonly Rule LastDetach = Family.Effect(
        "destroy.last-detach",
        "A segment marked for destruction is destroyed when its last attach goes, or a shmat that "
            + "has passed its permission test fails, and it has none.",
        "ipc/shm.c:shm_may_destroy, shm_close, do_shmat");

    private static readonly Rule Forced = Family.Effect(
        "destroy.rmid-forced",
        "With shm_rmid_forced, any segment is destroyed when its last attach goes, when a shmat "
            + "that has passed its permission test fails, when its creator ends or unshares its "
            + "IPC namespace, and it has no attach.",
        "ipc/shm.c:shm_may_destroy, exit_shm");

    private static readonly Rule Destruction = Family.Effect(
        "destroy.free",
        "Destruction takes the segment out of used_ids, shm_tot and its index, and gives back "
            + "its pages, slots, commit charge, reservations and SHM_LOCK charge.",
        "ipc/shm.c:shm_destroy");

    private static readonly Rule Orphan = Family.Effect(
        "orphan.creator-gone",
        "When the creating thread ends or unshares its IPC namespace, its segments have no "
            + "creator any more.",
        "ipc/shm.c:exit_shm; kernel/fork.c:ksys_unshare");

    private static readonly Rule Released = Family.Effect(
        "namespace.release",
        "An IPC namespace ends when no task is in it and nobody maps a segment of it; its "
            + "segments are destroyed.",
        "ipc/namespace.c:put_ipc_ns, free_ipc_ns; ipc/shm.c:do_shmat takes a reference");

    /// <summary>A mapping of a segment comes into being.</summary>
    public static void Open(Run run, Mapping mapping)
    {
        if (mapping.Segment is not null)
        {
            Segment segment = run.SegmentOf(mapping);
            run.Fire(Opening);
            run.Put(segment with
            {
                Attaches = segment.Attaches + 1,
                AttachTime = run.Context.Now,
                LastPid = run.Caller.Tgid,
            });
        }
    }

    /// <summary>A mapping of a segment goes.</summary>
    public static void Close(Run run, Mapping mapping)
    {
        if (mapping.Segment is not null)
        {
            Segment segment = run.SegmentOf(mapping);
            run.Fire(Closing);
            Test(run, segment with
            {
                Attaches = segment.Attaches - 1,
                DetachTime = run.Context.Now,
                LastPid = run.Caller.Tgid,
            });
        }
    }

    /// <summary>A segment has changed: destroys it if its time has come, else keeps it.</summary>
    public static void Test(Run run, Segment segment)
    {
        run.Put(segment);
        bool forced = run.State.Namespaces[(ulong)segment.Namespace].RmidForced;
        if (segment.Attaches == 0 && (segment.Destroyed || forced))
        {
            run.Fire(segment.Destroyed ? LastDetach : Forced);
            Destroy(run, segment);
        }
    }

    /// <summary>Destroys a segment.</summary>
    public static void Destroy(Run run, Segment segment)
    {
        run.Fire(Destruction);
        MemoryObject holder = segment.Object;
        foreach ((_, ObjectPage page) in holder.Pages.All)
        {
            ObjectPages.Release(run, page);
        }

        Commit.Uncharge(run, holder.IsHuge ? 0
            : holder.Promised ? run.Pages(holder.Length) : holder.Charged);
        Pool.Unreserve(run, holder.OpenPromises);
        ShmLock.Uncharge(run, segment);
        IpcNamespace ns = run.State.Namespaces[(ulong)segment.Namespace];
        run.Put(ns with { InUse = ns.InUse - 1, Total = ns.Total - run.Pages(segment.Size) });
        run.State = run.State with
        {
            Segments = run.State.Segments.Remove(segment.Location.Value),
        };
    }

    /// <summary>The segments that a thread created lose their creator; with shm_rmid_forced those
    /// without an attach are destroyed.</summary>
    public static void LoseCreator(Run run, int tid)
    {
        foreach (Segment segment in run.State.Segments.Rows.Where(s => s.Creator == tid))
        {
            run.Fire(Orphan);
            Test(run, segment with { Creator = 0 });
        }
    }

    /// <summary>Ends the namespaces that nobody uses any more.</summary>
    public static void ReleaseNamespaces(Run run)
    {
        foreach (IpcNamespace ns in run.State.Namespaces.Rows)
        {
            SpecState state = run.State;
            if (IsInhabited(state, ns.Number) || state.Segments.Rows.Any(
                segment => segment.Namespace == ns.Number && segment.Attaches > 0))
            {
                continue;
            }

            run.Fire(Released);
            foreach (Segment segment in state.Segments.Rows.Where(s => s.Namespace == ns.Number))
            {
                Destroy(run, segment);
            }

            run.State = run.State with
            {
                Namespaces = run.State.Namespaces.Remove((ulong)ns.Number),
            };
        }
    }

    /// <summary>Whether a task is in a namespace, so that it can be seen.</summary>
    public static bool IsInhabited(SpecState state, int ns)
    {
        foreach (KernelTask task in state.Tasks.Rows)
        {
            if (task.Namespace == ns)
            {
                return true;
            }
        }

        return false;
    }
}
