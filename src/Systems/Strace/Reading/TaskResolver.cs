using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Finds the task of lines without <c>[pid N]</c>: strace leaves it out while it traces
/// one task only.</summary>
internal sealed class TaskResolver
{
    private readonly List<LogLine> _lines;
    private readonly HashSet<int> _children = [];
    private readonly HashSet<int> _dead = [];
    private readonly List<int> _live = [];
    private readonly bool _announcesTasks;
    private readonly bool _announcesEnds;
    private readonly int? _root;
    private int? _last;

    private TaskResolver(List<LogLine> lines)
    {
        _lines = lines;
        foreach (LogLine line in lines)
        {
            _announcesTasks |= line.Event is TaskAttached;
            _announcesEnds |= line.Event is TaskExited or TaskKilled;
            if (ChildOf(line) is int child)
            {
                _children.Add(child);
            }
        }

        _root = FindRoot();
        _last = _root;
        if (_root is int root)
        {
            _live.Add(root);
        }
    }

    /// <summary>Gives every line its task.</summary>
    public static void Resolve(List<LogLine> lines)
    {
        var resolver = new TaskResolver(lines);
        foreach (LogLine line in lines)
        {
            resolver.Visit(line);
        }
    }

    private int? FindRoot()
    {
        bool started = false;
        var attachedLater = new HashSet<int>();
        foreach (LogLine line in _lines)
        {
            if (line.Event is TaskAttached && !started)
            {
                return line.Task;
            }

            started |= line.Call is not null;
            if (line.Event is TaskAttached)
            {
                attachedLater.Add(line.Task ?? 0);
            }
        }

        return _lines.Find(line => line.Task is int task
            && !_children.Contains(task) && !attachedLater.Contains(task))?.Task;
    }

    private void Visit(LogLine line)
    {
        if (line.Continues is LogLine first)
        {
            line.Task = first.Task;
        }
        else if (line.Task is null)
        {
            line.Task = OnlyTask();
            _last = line.Task;
        }

        if (line.Task is int task && !_live.Contains(task) && line.Event is not TaskDetached)
        {
            _live.Add(task);
        }

        if (!_announcesTasks && ChildOf(line) is int child && !_dead.Contains(child)
            && !_live.Contains(child))
        {
            _live.Add(child);
        }

        if (EndedBy(line) is int ended)
        {
            _live.Remove(ended);
            _dead.Add(ended);
        }
    }

    /// <summary>The first process is named as soon as it and another one are traced and it does
    /// something: while the log never names it, it is still there.</summary>
    private int? OnlyTask() => _live.Count switch
    {
        _ when _root is null => null,
        1 => _live[0],
        _ when _last is int last && _live.Contains(last) => last,
        0 => _last,
        _ => _live[^1],
    };

    private int? EndedBy(LogLine line) => line.Event switch
    {
        TaskExited or TaskKilled or TaskDetached => line.Task,
        TaskSuperseded superseded => superseded.By,
        null when !_announcesEnds && line.Call is { Name: "exit_group" or "exit" } => line.Task,
        _ => null,
    };

    /// <summary>The task that a line says was created.</summary>
    private static int? ChildOf(LogLine line)
    {
        CallText? call = line.Call;
        string name = call?.Part == CallPart.Continuation
            ? line.Continues?.Call?.Name ?? "" : call?.Name ?? "";
        return call is not null && CallKinds.IsSpawn(name)
            ? CallKinds.ChildOf(call.Result) : null;
    }
}
