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

    /// <summary>Whether the system broke down.</summary>
    private bool _lost;

    private void RunForeseen(
        MachineConfig machine, ICallSource source, RunRecord record, bool endProcesses)
    {
        _refusedLate = false;
        var drawing = Task.Run(
            () => _foresight.Draw(machine, source, endProcesses, _substitutes));
        List<ForeseenCall> calls;
        record.Start(machine, _ledger);
        ISystemUnderTest system = SystemLostException.Start(_factory, machine);
        try
        {
            calls = drawing.GetAwaiter().GetResult();
            if (HasRoomFor(calls) && RunAhead(system, machine, calls, record))
            {
                return;
            }
        }
        finally
        {
            End(system, record);
        }

        RunRecord? ahead = record.Divergence is null ? null : record.Copy();
        RunStepByStep(
            machine,
            new CallList([.. calls.Where(call => !call.Closing).Select(call => call.Call)]),
            record, endProcesses);
        record.Allowances.Add(Tolerance.LateUnlock, _refusedLate ? 1 : 0);
        if (ahead is not { Divergence: { } divergence })
        {
            return;
        }

        bool isLoss = divergence.Fingerprint.Rule is LostOnce or LostAfter;
        bool endedEarlier = record.Divergence is not null || _follower.IsUndecided;
        if (isLoss && (_lost || (endedEarlier && MayBeKnown(ahead))))
        {
            return;
        }

        if (record.Divergence is not null)
        {
            record.LostAhead = isLoss ? ahead : null;
        }
        else if (_follower.IsOnlyLate(divergence))
        {
            // Where the same calls made one by one show the figures right.
            record.Allowances.Add(Tolerance.LateAhead, divergence.Differences.Length);
        }
        else
        {
            record.CopyFrom(ahead);
        }
    }

    /// <summary>Whether a system may have been lost in calls ahead by one that a ledger knows to do
    /// that: when they are made one by one, what is known may end the sequence before it.
    /// </summary>
    private bool MayBeKnown(RunRecord ahead) => Known(ahead.Machine)
        .SelectMany(row => row.Others.Prepend(row.Fingerprint))
        .Any(known => known.Rule == Breakdown.Threw
            && ahead.Calls.TakeLast(1).Concat(ahead.Sent).Any(call => call.Kind == known.Call));

    /// <summary>Runs calls that were drawn.</summary>
    /// <returns>Whether the record says what happened.</returns>
    private bool RunAhead(
        ISystemUnderTest system, MachineConfig machine, List<ForeseenCall> calls,
        RunRecord record)
    {
        _unforeseen = false;
        _lost = false;
        if (system is not IPipelinedSystem pipelined)
        {
            return false;
        }

        Begin(system, machine, record);
        for (int at = 0, handedOver = 0; IsFollowed(record) && at < calls.Count; at++)
        {
            List<SubmittedCall>? piece = null;
            if (at == handedOver)
            {
                handedOver = EndOfPiece(calls, at);
                piece = Piece(calls, at, handedOver);
            }

            _follower.IsAhead = at + 1 < handedOver;
            _follower.SeesFigures = IsObserved(calls, at, handedOver);
            ExecuteAhead(pipelined, piece, calls[at], record);
            if (_lost)
            {
                record.AddSent(calls[(at + 1)..handedOver]
                    .Where(call => call.Made).Select(call => call.Call));
            }

            if (_unforeseen || _follower.MustWait)
            {
                return false;
            }

            if (!IsFollowed(record))
            {
                return true;
            }
        }

        return !calls.Exists(call => call.Closing) || !IsAnybodyAlive();
    }

    /// <summary>The place behind the piece that is handed over next: up to a call behind which
    /// figures may be late.</summary>
    private int EndOfPiece(List<ForeseenCall> calls, int from)
    {
        int most = _factory.Capabilities.MostCallsAhead;
        int end = from;
        while (end < calls.Count && end - from < most && (end == from || !calls[end - 1].Ends))
        {
            end++;
        }

        return end;
    }

    private List<SubmittedCall> Piece(List<ForeseenCall> calls, int from, int end)
    {
        var piece = new List<SubmittedCall>(end - from);
        for (int at = from; at < end; at++)
        {
            if (calls[at].Made)
            {
                piece.Add(new SubmittedCall(calls[at].Call, IsObserved(calls, at, end)));
            }
        }

        return piece;
    }

    /// <summary>Figures are looked at behind every so many calls, and always behind the last one
    /// of a piece.</summary>
    private bool IsObserved(List<ForeseenCall> calls, int at, int end) =>
        at + 1 == end || calls[at].Closing || IsObserved(at);

    private void ExecuteAhead(
        IPipelinedSystem system, List<SubmittedCall>? due, ForeseenCall foreseen,
        RunRecord record)
    {
        bool possible = CanExecute(foreseen.Call);
        long before = system.Clock;
        Reply? actual = null;
        try
        {
            if (due is not null)
            {
                system.Submit(due);
            }

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
            Lose(
                Fingerprint.Of(LostOnce, [problem.GetType().Name], foreseen.Call.Kind),
                foreseen.Call, record, problem, NotAgain);
            return;
        }

        if (actual is null || _unforeseen)
        {
            PassOver(foreseen.Call, record);
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
