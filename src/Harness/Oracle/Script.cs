using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>What happens to an operation at an event.</summary>
internal enum StageKind
{
    /// <summary>It begins.</summary>
    Begin,
    /// <summary>It has taken effect by now.</summary>
    End,
    /// <summary>It can take effect no more.</summary>
    Abandon,
    /// <summary>A task is there whose beginning the log does not show.</summary>
    Appear,
}

/// <summary>A stage of an operation.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Operation">To which operation; null when a task appears.</param>
/// <param name="Task">The task that appears.</param>
/// <param name="Event">The event at which it happens.</param>
internal readonly record struct Stage(
    StageKind Kind, Operation? Operation, int Task, StraceEvent Event);

/// <summary>The events of a log as beginnings and ends of operations.</summary>
internal sealed class Script
{
    /// <summary>Stands for the pid of the process that a log never names.</summary>
    public const int Unnamed = 1 << 29;

    private readonly IRecording _log;
    private readonly List<List<Stage>> _stages = [];
    private readonly Dictionary<StraceCall, Operation> _operations = [];
    private readonly Dictionary<int, Operation> _exits = [];
    private readonly Dictionary<int, int> _groups = [];
    private readonly Dictionary<StraceCall, int> _children;
    private readonly Dictionary<int, TaskSpan> _spans = [];
    private int _count;

    public Script(IRecording log)
    {
        _log = log;
        FindSpans();
        _children = FindChildren();
        BuildCalls();
        BuildExits();
        BuildAppearances();
    }

    /// <summary>The first task of the log.</summary>
    public int First { get; private set; } = Unnamed;

    /// <summary>The stages, in order.</summary>
    public IEnumerable<Stage> Stages => _stages.SelectMany(stages => stages);

    /// <summary>Calls of which nothing is modelled.</summary>
    public int NotModelled { get; private set; }

    /// <summary>The task of an event or call.</summary>
    public static int TaskOf(int? task) => task ?? Unnamed;

    private sealed class TaskSpan
    {
        public int First { get; init; }
        public int LastOwn { get; set; }
        public int? End { get; set; }
    }

    private void FindSpans()
    {
        for (int at = 0; at < _log.Events.Count; at++)
        {
            _stages.Add([]);
            StraceEvent shown = _log.Events[at];
            int task = TaskOf(shown.Task);
            if (!_spans.TryGetValue(task, out TaskSpan? span))
            {
                First = _spans.Count == 0 ? task : First;
                _spans[task] = span = new TaskSpan { First = at, LastOwn = at };
            }

            if (shown is TaskExited or TaskKilled)
            {
                span.End = at;
            }
            else if (span.End is null)
            {
                span.LastOwn = at;
            }

            if (shown is TaskSuperseded superseded
                && _spans.TryGetValue(superseded.By, out TaskSpan? thread))
            {
                thread.End ??= at;
            }
        }
    }

    /// <summary>The task that each clone made. Where the caller sees other pids than strace, it
    /// is the first task that appears from nowhere.</summary>
    private Dictionary<StraceCall, int> FindChildren()
    {
        var children = new Dictionary<StraceCall, int>();
        var taken = new HashSet<int> { First };
        List<StraceCall> spawning = [.. _log.Calls.Where(IsSpawn)];
        foreach (StraceCall call in spawning)
        {
            if (call.Result.Succeeded && _spans.ContainsKey((int)call.Result.Value)
                && taken.Add((int)call.Result.Value))
            {
                children[call] = (int)call.Result.Value;
            }
        }

        foreach (StraceCall call in spawning.Where(call => !children.ContainsKey(call)))
        {
            int entry = EventOf(call);
            int? orphan = _spans.Where(span => span.Value.First > entry
                    && !taken.Contains(span.Key))
                .OrderBy(span => span.Value.First).Select(span => (int?)span.Key)
                .FirstOrDefault();
            if (orphan is { } found && taken.Add(found))
            {
                children[call] = found;
            }
            else if (call.Result.Succeeded)
            {
                children[call] = (int)call.Result.Value;
            }
        }

        return children;
    }

    private static bool IsSpawn(StraceCall call) =>
        call.Arguments is ForkArguments or VForkArguments or CloneArguments
        && call.Result.Kind is ResultKind.Value or ResultKind.None or ResultKind.Unavailable
        && (!call.Result.Succeeded || call.Result.Value > 0)
        && (call.Result.Tampering & Tampering.ResultInjected) == 0;

    private Dictionary<StraceCall, int>? _entries;

    private int EventOf(StraceCall call)
    {
        if (_entries is null)
        {
            _entries = [];
            for (int at = 0; at < _log.Events.Count; at++)
            {
                if (_log.Events[at] is CallEvent { Call: { } shown })
                {
                    _entries.TryAdd(shown, at);
                }
            }
        }

        return _entries[call];
    }

    private void BuildCalls()
    {
        foreach (int task in _spans.Keys)
        {
            _groups[task] = task;
        }

        for (int at = 0; at < _log.Events.Count; at++)
        {
            if (_log.Events[at] is not CallEvent shown)
            {
                continue;
            }

            StraceCall call = shown.Call;
            if (shown is CallReturned)
            {
                if (_operations.TryGetValue(call, out Operation? open))
                {
                    _operations[call] = open with { To = at + 1 };
                    Add(at, call.Result.Kind == ResultKind.NoReturn
                        ? StageKind.Abandon : StageKind.End, call);
                }
                else if (call.Completion == CallCompletion.EntryMissing)
                {
                    AddCall(at, call, from: 1);
                }

                continue;
            }

            AddCall(at, call, at + 1);
            if (shown is CallMade && _operations.ContainsKey(call))
            {
                Add(at, StageKind.End, call);
            }
        }

        Resolve();
    }

    private void AddCall(int at, StraceCall call, long from)
    {
        if (!Concerns(call))
        {
            NotModelled++;
            return;
        }

        int child = _children.GetValueOrDefault(call);
        _operations[call] = new Operation(
            _count++, OperationKind.Call, TaskOf(call.Task), call, from, _log.Events.Count + 1)
        {
            Child = child,
        };
        if (child != 0 && call.Arguments is CloneArguments { Flags: var flags }
            && flags.Has(CloneArguments.CLONE_THREAD))
        {
            _groups[child] = GroupOf(TaskOf(call.Task));
        }

        Add(at, StageKind.Begin, call);
        if (from == 1 && call.Completion == CallCompletion.EntryMissing)
        {
            Add(at, StageKind.End, call);
        }
    }

    private int GroupOf(int task) => _groups.GetValueOrDefault(task, task);

    /// <summary>Stages of calls name the operation only when its end is known.</summary>
    private readonly List<(int At, int Slot, StraceCall Call)> _unresolved = [];

    private void Add(int at, StageKind kind, StraceCall call)
    {
        _unresolved.Add((at, _stages[at].Count, call));
        _stages[at].Add(new Stage(kind, null, 0, _log.Events[at]));
    }

    private void Resolve()
    {
        foreach ((int at, int slot, StraceCall call) in _unresolved)
        {
            // One line, one moment: the stages of a call on one line have the same event.
            Operation operation = _operations[call];
            bool isMade = _log.Events[at] is CallMade;
            _operations[call] = operation = isMade
                ? operation with { To = operation.From } : operation;
            _stages[at][slot] = _stages[at][slot] with { Operation = operation };
        }
    }

    /// <summary>Whether a call can change or show what the model is about.</summary>
    private static bool Concerns(StraceCall call)
    {
        if ((call.Result.Tampering & Tampering.ResultInjected) != 0)
        {
            return false;
        }

        bool happened = call.Result.Kind is not (ResultKind.Error or ResultKind.Restarted);
        return call.Arguments switch
        {
            ShmGetArguments or ShmAtArguments or ShmDtArguments or ShmCtlArguments => true,
            ForkArguments or VForkArguments or CloneArguments => IsSpawn(call),
            ExecArguments or UnshareArguments or SetNsArguments or CapSetArguments
                or SetIdArguments or SetGroupsArguments => happened,
            MUnmapArguments or MProtectArguments or MRemapArguments or MLockArguments
                or MUnlockArguments or MAdviseArguments or MBindArguments => true,
            MMapArguments or MLockAllArguments or MUnlockAllArguments => happened,
            RLimitArguments limit => happened && (limit.Change is not null || limit.IsHidden),
            PrctlArguments control => happened && control.Option == PrctlArguments.SetKeepCaps,
            WriteArguments write => KernelSettings.IsSetting(write.Descriptor),
            MemFdCreateArguments file => happened && (file.Flags.Bits & 4) != 0,
            _ => false,
        };
    }

    private void BuildExits()
    {
        var begins = new Dictionary<int, (int At, StraceCall? Call)>();
        for (int at = 0; at < _log.Events.Count; at++)
        {
            if (_log.Events[at] is CallEvent { Call: { Arguments: ExitArguments exit } call }
                and not CallReturned)
            {
                int caller = TaskOf(call.Task);
                foreach (int task in exit.WholeGroup ? Members(caller, at) : [caller])
                {
                    begins.TryAdd(task, (at, call));
                }
            }
        }

        foreach ((int task, TaskSpan span) in _spans)
        {
            if (begins.TryGetValue(task, out (int At, StraceCall? Call) begin)
                || span.End is not null)
            {
                int at = begin.Call is null ? BeginOfDeath(task, span) : begin.At;
                AddExit(task, span, at, begin.Call);
            }
        }
    }

    private IEnumerable<int> Members(int caller, int at) => _spans
        .Where(span => GroupOf(span.Key) == GroupOf(caller) && span.Value.First <= at
            && (span.Value.End is null || span.Value.End > at))
        .Select(span => span.Key);

    /// <summary>Where a task can first be dying of a signal.</summary>
    private int BeginOfDeath(int task, TaskSpan span)
    {
        if (_log.Events[span.End!.Value] is TaskKilled { Signal: "SIGKILL" })
        {
            for (int at = span.LastOwn; at < span.End; at++)
            {
                if (_log.Events[at] is CallEvent
                    {
                        Call.Arguments: KillArguments { Signal: 9 } kill,
                    } && (kill.Thread ?? kill.Group) == task)
                {
                    return at;
                }
            }
        }

        return span.LastOwn;
    }

    private void AddExit(int task, TaskSpan span, int at, StraceCall? call)
    {
        bool isSuperseded = span.End is { } ended && _log.Events[ended] is TaskSuperseded;
        if (isSuperseded)
        {
            return;
        }

        int end = span.End ?? EndByWait(task, at) ?? _log.Events.Count;
        var exit = new Operation(
            _count++, OperationKind.Exit, task, call, at + 1, end + 1);
        _exits[task] = exit;
        _stages[at].Add(new Stage(StageKind.Begin, exit, 0, _log.Events[at]));
        if (end < _log.Events.Count)
        {
            _stages[end].Insert(0, new Stage(StageKind.End, exit, 0, _log.Events[end]));
        }

        foreach (Operation open in _operations.Values.Where(open =>
            open.Task == task && open.To > _log.Events.Count))
        {
            int last = end < _log.Events.Count ? end : at;
            _stages[last].Add(new Stage(StageKind.Abandon, open, 0, _log.Events[last]));
        }
    }

    /// <summary>Where the log shows that somebody has learned of the end of a process.</summary>
    private int? EndByWait(int task, int from)
    {
        for (int at = from; at < _log.Events.Count; at++)
        {
            bool isLearned = _log.Events[at] switch
            {
                CallEvent { Call: { Arguments: WaitArguments, Result: { Succeeded: true } result } }
                    and not CallEntered => result.Value == task,
                SignalDelivered { Signal: "SIGCHLD", Code: "CLD_EXITED" or "CLD_KILLED" } signal =>
                    signal.Sender == task,
                _ => false,
            };
            if (isLearned)
            {
                return at;
            }
        }

        return null;
    }

    private void BuildAppearances()
    {
        Dictionary<int, StraceCall> makers = [];
        foreach ((StraceCall call, int child) in _children)
        {
            makers[child] = call;
        }

        foreach ((int task, TaskSpan span) in _spans)
        {
            if (task == First)
            {
                continue;
            }

            StraceEvent shown = _log.Events[span.First];
            Stage stage = makers.TryGetValue(task, out StraceCall? maker)
                && _operations.TryGetValue(maker, out Operation? spawn)
                && EventOf(maker) < span.First
                    ? new Stage(StageKind.End, spawn, 0, shown)
                    : new Stage(StageKind.Appear, null, task, shown);
            _stages[span.First].Insert(0, stage);
        }
    }
}
