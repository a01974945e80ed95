using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Makes calls and events of lines: joins the two halves of a call, and finds the calls
/// that never return.</summary>
internal sealed class CallAssembler(StraceFormat format)
{
    /// <summary>Stands for the first process of a log that never names it.</summary>
    private const int Unnamed = int.MinValue;

    private readonly Dictionary<int, StraceCall> _open = [];
    private readonly List<StraceEvent> _events = [];
    private readonly List<StraceCall> _calls = [];
    private readonly Dictionary<int, int> _creators = [];

    public List<StraceEvent> Events => _events;

    public List<StraceCall> Calls => _calls;

    public void Assemble(List<LogLine> lines)
    {
        foreach (LogLine line in lines)
        {
            if (line.Call is CallText text)
            {
                Add(line, text);
            }
            else if (line.Event is StraceEvent happened)
            {
                Add(happened with { Where = line.Place });
            }
        }

        format.OpenCalls = _calls.Count(call => call.Completion == CallCompletion.Open);
    }

    private void Add(StraceEvent happened)
    {
        _events.Add(happened);
        switch (happened)
        {
            case TaskExited or TaskKilled:
                _open.Remove(Key(happened.Task));
                break;
            case TaskSuperseded superseded:
                Supersede(Key(superseded.Task), superseded.By);
                break;
            default:
                break;
        }
    }

    /// <summary>The execve of a thread returns under the id of its leader.</summary>
    private void Supersede(int leader, int thread)
    {
        _open.Remove(leader);
        if (_open.Remove(thread, out StraceCall? execve))
        {
            _open[leader] = execve;
        }
    }

    private void Add(LogLine line, CallText text)
    {
        switch (text.Part)
        {
            case CallPart.Entry:
                Enter(line, text);
                break;
            case CallPart.Resumed:
                format.ResumedCalls++;
                Return(line, text, FindResumed(line, text));
                break;
            case CallPart.Continuation:
                Continue(line, text);
                break;
            default:
                throw new InvalidOperationException($"unknown part {text.Part}");
        }
    }

    private void Enter(LogLine line, CallText text)
    {
        int key = Key(line.Task);
        if (_open.Remove(key, out StraceCall? lost))
        {
            format.BrokenPairs++;
            format.FirstBrokenPair ??= lost.Entry;
        }

        StraceCall call = NewCall(line, text);
        call.EntryTime = line.Time;
        call.Append(text.Arguments, PositionOf(line, text));
        if (text.Tail == CallTail.Complete)
        {
            Complete(call, line, text);
            call.ExitTime = unchecked(line.Time + text.Duration);
            _events.Add(new CallMade(call));
            NoteChild(call);
            return;
        }

        _events.Add(new CallEntered(call));
        if (text.Tail == CallTail.Detached)
        {
            call.Completion = CallCompletion.Detached;
            return;
        }

        _open[key] = call;
    }

    /// <summary>The call that a <c>resumed</c> line ends; one without a beginning when there is
    /// none.</summary>
    private StraceCall FindResumed(LogLine line, CallText text)
    {
        int key = Key(line.Task);
        if (_open.TryGetValue(key, out StraceCall? call) && call.Name == text.Name)
        {
            return call;
        }

        if (text.Name is "execve" or "execveat"
            && FindExecOfThread(text.Name, key) is StraceCall execve)
        {
            _open[key] = execve;
            return execve;
        }

        if (_open.Remove(key))
        {
            format.BrokenPairs++;
            format.FirstBrokenPair ??= line.Position;
        }

        format.CallsWithoutEntry++;
        call = NewCall(line, text);
        call.Completion = CallCompletion.EntryMissing;
        _open[key] = call;
        return call;
    }

    /// <summary>An execve of a thread, when the line that tells of the change of ids is left out
    /// (<c>-qqq</c>): of a thread of this leader if possible.</summary>
    private StraceCall? FindExecOfThread(string name, int leader)
    {
        int? found = null;
        foreach ((int task, StraceCall call) in _open)
        {
            if (call.Name == name && (found is null || IsCreatedBy(task, leader)))
            {
                found = task;
            }
        }

        return found is int thread && _open.Remove(thread, out StraceCall? execve)
            ? execve : null;
    }

    private bool IsCreatedBy(int task, int creator)
    {
        // Ids can be used again, so the chain may be a circle.
        for (int i = 0; i < _creators.Count && _creators.TryGetValue(task, out int next); i++)
        {
            if (next == creator)
            {
                return true;
            }

            task = next;
        }

        return false;
    }

    private void NoteChild(StraceCall call)
    {
        if (CallKinds.ChildOf(call) is int child)
        {
            _creators[child] = Key(call.Task);
        }
    }

    private void Continue(LogLine line, CallText text)
    {
        LogLine? first = line.Continues;
        bool found = _open.TryGetValue(Key(line.Task), out StraceCall? call)
            && (call.Entry == first?.Position || first?.Call?.Part == CallPart.Resumed);
        if (found && call is not null)
        {
            Return(line, text, call);
        }
    }

    private void Return(LogLine line, CallText text, StraceCall call)
    {
        if (text.Arguments.Length > 0)
        {
            call.Append(text.Arguments, PositionOf(line, text));
        }

        call.IsIntruded |= text.IsIntruded;
        switch (text.Tail)
        {
            case CallTail.Complete:
                Complete(call, line, text);
                break;
            case CallTail.Detached:
                call.Completion = CallCompletion.Detached;
                _open.Remove(Key(line.Task));
                return;
            default:
                return;
        }

        _open.Remove(Key(line.Task));
        call.IsSplit = true;
        call.ExitTime = line.Time;
        _events.Add(new CallReturned(call, line.Place));
        NoteChild(call);
    }

    private static void Complete(StraceCall call, LogLine line, CallText text)
    {
        call.Result = text.Result;
        call.Duration = text.Duration;
        call.Exit = line.Position;
        call.Completion = call.Completion == CallCompletion.EntryMissing
            ? CallCompletion.EntryMissing : CallCompletion.Returned;
    }

    private StraceCall NewCall(LogLine line, CallText text)
    {
        var call = new StraceCall(text.Name, line.Task, line.Position)
        {
            Index = _calls.Count,
            IsIntruded = text.IsIntruded,
        };
        _calls.Add(call);
        return call;
    }

    private static SourcePosition PositionOf(LogLine line, CallText text) =>
        line.Position with { Column = text.ArgumentsAt + 1 };

    private static int Key(int? task) => task ?? Unnamed;
}
