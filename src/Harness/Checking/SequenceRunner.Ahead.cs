using ShmCheck.Abi;
using ShmCheck.Harness.Tolerances;

namespace ShmCheck.Harness.Checking;

/// <summary>The way of a sequence through a system that takes calls ahead: it is drawn on the
/// specification alone, handed over in pieces, and judged while the system makes the calls. Where
/// the system does not do what was foreseen, nothing is concluded: the calls are run again, one by
/// one.</summary>
public sealed partial class SequenceRunner
{
    /// <summary>Whether a call was made that was not to be, or the other way round.</summary>
    private bool _unforeseen;

    /// <summary>Whether that was a lock refused that may be refused for a while.</summary>
    private bool _refusedLate;

    private void RunForeseen(
        MachineConfig machine, ICallSource source, RunRecord record, bool endProcesses)
    {
        _refusedLate = false;
        var drawing = Task.Run(() => _foresight.Draw(machine, source, endProcesses));
        List<ForeseenCall> calls;
        record.Start(machine, _ledger);
        using (ISystemUnderTest system = Start(machine))
        {
            calls = drawing.GetAwaiter().GetResult();
            if (HasRoomFor(calls) && RunAhead(system, machine, calls, record))
            {
                return;
            }
        }

        RunRecord? ahead = record.Divergence is null ? null : record.Copy();
        RunStepByStep(
            machine,
            new CallList([.. calls.Where(call => !call.Closing).Select(call => call.Call)]),
            record, endProcesses);
        record.Allowances.Add(Tolerance.LateUnlock, _refusedLate ? 1 : 0);
        if (record.Divergence is not null || ahead is not { Divergence: { } divergence })
        {
            return;
        }

        // Where the same calls made one by one show the figures right.
        if (_follower.IsOnlyLate(divergence))
        {
            record.Allowances.Add(Tolerance.LateAhead, divergence.Differences.Length);
        }
        else
        {
            record.CopyFrom(ahead);
        }
    }

    /// <summary>Runs calls that were drawn.</summary>
    /// <returns>Whether the record says what happened.</returns>
    private bool RunAhead(
        ISystemUnderTest system, MachineConfig machine, List<ForeseenCall> calls,
        RunRecord record)
    {
        _unforeseen = false;
        if (system is not IPipelinedSystem pipelined)
        {
            return false;
        }

        Begin(system, machine, record);
        for (int at = 0, handedOver = 0; at < calls.Count; at++)
        {
            if (at == handedOver)
            {
                handedOver = HandOver(pipelined, calls, at);
            }

            _follower.IsAhead = at + 1 < handedOver;
            _follower.SeesFigures = IsObserved(calls, at, handedOver);
            ExecuteAhead(pipelined, calls[at], record);
            if (_unforeseen || _follower.MustWait)
            {
                return false;
            }

            if (!IsFollowed(record))
            {
                return true;
            }
        }

        record.Bindings.CopyFrom(_bindings);
        return !calls.Exists(call => call.Closing) || !IsAnybodyAlive();
    }

    /// <summary>Hands over the next piece: up to a call behind which figures may be late.</summary>
    /// <returns>The place behind it.</returns>
    private int HandOver(IPipelinedSystem system, List<ForeseenCall> calls, int from)
    {
        int most = _factory.Capabilities.MostCallsAhead;
        int end = from;
        while (end < calls.Count && end - from < most && (end == from || !calls[end - 1].Ends))
        {
            end++;
        }

        var piece = new List<SubmittedCall>(end - from);
        for (int at = from; at < end; at++)
        {
            if (calls[at].Made)
            {
                piece.Add(new SubmittedCall(calls[at].Call, IsObserved(calls, at, end)));
            }
        }

        system.Submit(piece);
        return end;
    }

    /// <summary>Figures are looked at behind every so many calls, and always behind the last one
    /// of a piece.</summary>
    private bool IsObserved(List<ForeseenCall> calls, int at, int end) =>
        at + 1 == end || calls[at].Closing || IsObserved(at);

    private void ExecuteAhead(
        IPipelinedSystem system, ForeseenCall foreseen, RunRecord record)
    {
        bool possible = CanExecute(foreseen.Call);
        long before = system.Clock;
        Reply? actual = null;
        try
        {
            actual = foreseen.Made ? system.Take(foreseen.Call) : null;
            _refusedLate = actual is not null && _follower.IsRefusedLate(foreseen.Call, actual);
            _unforeseen = possible != (actual is not null) || _refusedLate;
            if (actual is not null)
            {
                Observe(system, record);
            }
        }
        catch (CallNotPossibleException)
        {
            _unforeseen = !possible;
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            _unforeseen = true;
        }

        if (actual is null || _unforeseen)
        {
            record.Add(foreseen.Call, null);
        }
        else
        {
            Judge(system, before, foreseen.Call, actual, record);
        }
    }

    private bool IsAnybodyAlive() =>
        Enumerable.Range(1, _bindings.ProcessCount)
            .Any(number => CanExecute(new Kill(new ProcessHandle(number))));

    /// <summary>Whether registers of a system can stand for the handles of calls.</summary>
    private bool HasRoomFor(List<ForeseenCall> calls) =>
        calls.TrueForAll(call => HighestHandle(call.Call) < _factory.Capabilities.MostHandlesAhead);

    private static int HighestHandle(Call call) => call switch
    {
        ShmGet get => get.Result.Number,
        ShmAt at => at.Result.Number,
        MMap map => map.Result.Number,
        MRemap remap => remap.Result.Number,
        SpawnCall spawn => spawn.Result.Number,
        _ => 0,
    };
}
