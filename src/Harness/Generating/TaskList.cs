using ShmCheck.Abi;

namespace ShmCheck.Harness.Generating;

/// <summary>The processes and threads of a sequence, as far as the generator must know them so as
/// not to draw calls of the dead and of those who wait for a vfork child.</summary>
internal sealed class TaskList
{
    /// <summary>A task, the group it belongs to, and the parent that waits for it, if any.
    /// </summary>
    private readonly record struct KnownTask(
        ProcessHandle Handle, ProcessHandle Group, ProcessHandle? Waiting);

    private readonly List<KnownTask> _tasks =
        [new(ProcessHandle.First, ProcessHandle.First, null)];

    private readonly List<ProcessHandle> _able = [ProcessHandle.First];

    /// <summary>Those that live and do not wait.</summary>
    public IReadOnlyList<ProcessHandle> Able => _able;

    /// <summary>Takes note of a call that succeeded.</summary>
    public void Done(Call call)
    {
        switch (call)
        {
            case SpawnCall spawn:
                Add(spawn);
                break;
            case Exec exec:
                Exec(exec.Caller);
                break;
            case Exit exit:
                _tasks.RemoveAll(task => task.Handle == exit.Caller);
                break;
            case ExitGroup exit:
                RemoveGroup(exit.Caller);
                break;
            case Kill kill:
                RemoveGroup(kill.Victim);
                break;
            default:
                return;
        }

        _able.Clear();
        _able.AddRange(_tasks.Select(task => task.Handle)
            .Where(handle => !_tasks.Exists(task => task.Waiting == handle)));
    }

    private void Add(SpawnCall spawn)
    {
        CloneFlags flags = spawn switch
        {
            VFork => CloneFlags.CLONE_VM | CloneFlags.CLONE_VFORK,
            Clone clone => clone.Flags,
            _ => CloneFlags.None,
        };
        _tasks.Add(new KnownTask(
            spawn.Result,
            (flags & CloneFlags.CLONE_THREAD) != 0 ? GroupOf(spawn.Caller) : spawn.Result,
            (flags & CloneFlags.CLONE_VFORK) != 0 ? spawn.Caller : null));
    }

    /// <summary>The other threads of the group end, and the caller is its leader from now on; a
    /// waiting parent goes on.</summary>
    private void Exec(ProcessHandle caller)
    {
        ProcessHandle group = GroupOf(caller);
        _tasks.RemoveAll(task => task.Group == group);
        _tasks.Add(new KnownTask(group, group, null));
    }

    private void RemoveGroup(ProcessHandle member)
    {
        ProcessHandle group = GroupOf(member);
        _tasks.RemoveAll(task => task.Group == group);
    }

    private ProcessHandle GroupOf(ProcessHandle handle)
    {
        int at = _tasks.FindIndex(task => task.Handle == handle);
        return at < 0 ? handle : _tasks[at].Group;
    }
}
