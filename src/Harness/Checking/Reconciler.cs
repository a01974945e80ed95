using System.Diagnostics;
using ShmCheck.Abi;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>Puts the right figures where a system shows wrong ones that a ledger knows, exactly as
/// wrong as the ledger says. All others are left as they are seen.</summary>
internal sealed class Reconciler(IReadOnlyList<LedgerRow> rows)
{
    private readonly Observation _right = new();
    private readonly ShownSoFar _soFar = new();

    /// <summary>Whether any row speaks of earlier calls: else nothing is kept of them.</summary>
    private readonly bool _looksBack = rows.SelectMany(row => row.Figures)
        .OfType<WrongFigure.Single>().Any(f => f.Value is WrongValue.Stays or WrongValue.Counts);

    private readonly Seams _seams = new(rows);
    private readonly List<LedgerRow> _met = [];
    private readonly HashSet<string> _fired = [];
    private readonly string[] _awaited =
    [
        .. rows.SelectMany(row => row.Figures).Select(figure => figure switch
        {
            WrongFigure.Everything everything => everything.After,
            WrongFigure.Rights rights => rights.After,
            WrongFigure.Limit limit => limit.After,
            WrongFigure.Death death => death.After,
            _ => null,
        }).OfType<string>().Distinct(),
    ];

    /// <summary>The rows that were met since the last <see cref="Forget"/>.</summary>
    public IReadOnlyList<LedgerRow> Met => _met;

    /// <summary>Nothing was met by the present call so far.</summary>
    public void Forget() => _met.Clear();

    /// <summary>What the system shows before the first call.</summary>
    public void Begin(Observation shown)
    {
        Look(shown);
        _soFar.Settle(null, 0);
    }

    /// <summary>What the system shows behind the present call.</summary>
    public void Look(Observation shown)
    {
        if (_looksBack)
        {
            _soFar.Look(shown);
        }
    }

    /// <summary>The present call agrees with the specification, or with what is known.</summary>
    public void Settle(Call call, SpecState before, in StepResult result, Bindings bindings)
    {
        _seams.Note(call, before, result.State, bindings);
        if (_looksBack)
        {
            PresentCall present = Present(call, result, bindings);
            _soFar.Settle(present.Made, present.Namespace);
        }
    }

    /// <summary>What was seen, with the figures that are wrong in a known way put right.</summary>
    /// <param name="call">The call.</param>
    /// <param name="result">What the specification says of it.</param>
    /// <param name="expected">The figures that the specification admits after it, the least
    /// values: only time stamps have others.</param>
    /// <param name="seen">What was seen; left alone.</param>
    /// <param name="bindings">What the handles stand for.</param>
    public Seen Reconcile(
        Call call, in StepResult result, Observation expected, in Seen seen, Bindings bindings)
    {
        Reply reply = seen.Reply;
        PresentCall present = Present(call, result, bindings);
        Observation figures = Reconcile(result.State, expected, seen.Figures, present);
        foreach (LedgerRow row in rows)
        {
            var under = new RowUnderWay(
                row, result.State, expected, figures, _soFar, present);
            foreach (WrongFigure figure in row.Figures)
            {
                if (TryReply(call, result, under, figure, reply, bindings) is { } right)
                {
                    reply = right;
                    Meet(row);
                }
            }
        }

        return new Seen(reply, figures);
    }

    /// <summary>Whether a call that diverges is known to fail so, and to change nothing, where
    /// it should have succeeded, or should have changed something before it failed.</summary>
    public bool IsRefused(Call call, in StepResult result, Reply seen)
    {
        if (seen is not Reply.Error error)
        {
            return false;
        }

        var refusal = new WrongFigure.Refusal(result.Rule.Id, error.Errno);
        if (rows.FirstOrDefault(row => row.Figures.Contains(refusal)
            || row.Figures.OfType<WrongFigure.RefusedCalls>().Any(calls =>
                calls.Errno == error.Errno && calls.Calls.Matches(call))) is not { } known)
        {
            return false;
        }

        Meet(known);
        return true;
    }

    /// <summary>Takes note of the rules of a step that rows may speak of.</summary>
    public void Note(StepLog log)
    {
        foreach (string awaited in _awaited)
        {
            foreach (Rule rule in log.Rules)
            {
                if (rule.Id == awaited)
                {
                    _fired.Add(awaited);
                }
            }
        }
    }

    /// <summary>The row that a divergence is known by, whatever it shows.</summary>
    public LedgerRow? RowOf(Departure seen) => rows.FirstOrDefault(
        row => row.Ends(seen.Divergence.Fingerprint, seen.After, _fired)
            || row.Figures.Any(figure => Explains(figure, seen)));

    private bool Explains(WrongFigure figure, in Departure seen) => figure switch
    {
        WrongFigure.Rights rights => _fired.Contains(rights.After)
            && (IsOfRights(seen.Divergence) || LockLimit.Explains(seen)),
        WrongFigure.Limit limit => _fired.Contains(limit.After) && LockLimit.Explains(seen),
        WrongFigure.Death death =>
            _fired.Contains(death.After) && seen.Divergence.Replied is Reply.Lost,
        WrongFigure.DeathAt death =>
            death.Rule == seen.Divergence.Rule?.Id && seen.Divergence.Replied is Reply.Lost,
        WrongFigure.Divided divided =>
            divided.But != seen.Divergence.Rule?.Id && Division.Explains(seen),
        WrongFigure.DividedMemory => Division.IsOfMemory(seen),
        WrongFigure.DividedAt divided => _seams.Explain(divided, seen),
        WrongFigure.Replaced replaced => Replacement.Explains(replaced, seen),
        _ => false,
    };

    /// <summary>Whether a call is refused for want of a right, or should have been; a limit on
    /// locked memory binds only who has no right to lock more.</summary>
    private static bool IsOfRights(Divergence divergence) =>
        divergence is { Rule: { } rule, Differences: [{ Field: "reply" }] }
        && (rule.Id.Contains("memlock", StringComparison.Ordinal)
            || IsOfRight(rule.Errno)
            || (divergence.Replied is Reply.Error error && IsOfRight(error.Errno)));

    private static bool IsOfRight(Errno errno) => errno is Errno.EPERM or Errno.EACCES;

    /// <summary>The figures that were seen, with those put right that are wrong in a known way.
    /// </summary>
    private Observation Reconcile(
        SpecState state, Observation expected, Observation seen, PresentCall present)
    {
        Copy(seen);
        foreach (LedgerRow row in rows)
        {
            var under = new RowUnderWay(row, state, expected, _right, _soFar, present);
            foreach (WrongFigure figure in row.Figures)
            {
                if (under.TryFigures(figure))
                {
                    Meet(row);
                }
            }
        }

        return _right;
    }

    /// <summary>The present call has met a row.</summary>
    public void Meet(LedgerRow row)
    {
        if (!_met.Contains(row))
        {
            _met.Add(row);
        }
    }

    private void Copy(Observation seen)
    {
        _right.Clear();
        CopyRows(seen.Global, _right.Global);
        CopyRows(seen.Namespaces, _right.Namespaces);
        CopyRows(seen.Segments, _right.Segments);
        CopyRows(seen.Processes, _right.Processes);
        CopyRows(seen.Mappings, _right.Mappings);
        CopyRows(seen.Frames, _right.Frames);
    }

    private static void CopyRows<TField>(
        ObservationRows<TField> from, ObservationRows<TField> to)
        where TField : struct, Enum
    {
        for (int at = 0; at < from.Count; at++)
        {
            from[at].CopyTo(to.Add());
        }
    }

    /// <summary>The right reply where the one seen is wrong in a known way; else null.</summary>
    private static Reply? TryReply(
        Call call, in StepResult result, RowUnderWay row, WrongFigure figure, Reply seen,
        Bindings bindings) =>
        (figure, result.Reply, seen) switch
        {
            (WrongFigure.Answer answer, Reply.Error right, Reply.Error wrong) =>
                answer.Rule == result.Rule.Id && right.Errno == answer.Right
                    && wrong.Errno == answer.Wrong ? right : null,
            (WrongFigure.Order order, Reply.Error right, Reply.Error wrong) =>
                right != wrong && order.Calls.Matches(call) && CanFail(call, wrong.Errno)
                    ? right : null,
            (WrongFigure.Returned returned, Reply.Value right, Reply.Value wrong) =>
                returned.Rule == result.Rule.Id && right.Result != wrong.Result
                    && returned.Value.Explains((ulong)right.Result, (ulong)wrong.Result)
                        ? wrong with { Result = right.Result } : null,
            ({ } total, Reply.Value { Data: ShmTotals right }, Reply.Value
            { Data: ShmTotals wrong } value) when call is ShmCtlShmInfo info =>
                row.TryTotals(total, right, wrong, NamespaceOf(info, result.State, bindings))
                    is { } mended ? value with { Data = mended } : null,
            (WrongFigure.Acceptance { Rule: var rule }, Reply.Error right, Reply.Value) =>
                rule == result.Rule.Id ? right : null,
            (WrongFigure.Single { Subject: FigureSubject.Segment } field,
                Reply.Value { Data: SegmentStat right },
                Reply.Value { Data: SegmentStat wrong } value) =>
                row.TryStat(field, right, wrong, SegmentOf(call, result.Reply, bindings))
                    is { } mended
                    ? value with { Data = mended } : null,
            _ => null,
        };

    private static bool CanFail(Call call, Errno errno)
    {
        var outcome = new CallErrno(CallErrno.NameOf(call.Kind), errno);
        return ErrnoCoverage.Possible.Any(possible => possible.Outcome == outcome);
    }

    private static PresentCall Present(Call call, in StepResult result, Bindings bindings) => new(
        result.Rule.Id, result.Reply.Succeeded ? result.Rule.Id : null,
        Caller.Of(call, result.State, bindings)?.Namespace ?? -1);

    private static int? SegmentOf(Call call, Reply right, Bindings bindings) => call switch
    {
        ShmCtlStat stat => bindings.TryResolve(stat.Segment, out int id) ? id : null,
        ShmCtlStatIndex => (int)((Reply.Value)right).Result,
        _ => null,
    };

    private static int NamespaceOf(ShmCtlShmInfo call, SpecState state, Bindings bindings)
    {
        bool bound = bindings.TryResolve(call.Caller, out int tid);
        Debug.Assert(bound, "A call that was made has a caller.");
        return state.Tasks[(ulong)tid].Namespace;
    }
}
