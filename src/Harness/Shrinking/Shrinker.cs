using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace ShmCheck.Harness.Shrinking;

/// <summary>What a shrink cost and reached.</summary>
/// <param name="Machine">The simplest machine found.</param>
/// <param name="Calls">The calls; the last one diverges.</param>
/// <param name="Record">The run of those calls.</param>
/// <param name="Executions">Runs that it took.</param>
/// <param name="Certificate">How short the sequence is known to be; none when shrinking was
/// interrupted, or took too many runs.</param>
/// <param name="LowerBound">No sequence of calls like these with fewer calls than this has the
/// fingerprint; 0 when that was not looked for.</param>
public sealed record ShrinkResult(
    MachineConfig Machine, ImmutableArray<Call> Calls, RunRecord Record, int Executions,
    Certificate Certificate, int LowerBound)
{
    /// <summary>Whether no single removal and no single simplification keeps the fingerprint.
    /// </summary>
    public bool Minimal => Certificate != Certificate.None;
}

/// <summary>Makes a diverging sequence as short and as plain as it can be, keeping its
/// fingerprint. The contract of the passes is in README.md beside this file.</summary>
public sealed class Shrinker
{
    /// <summary>Runs that a shrink may take; what it has then is the result.</summary>
    private const int MostExecutions = 4_000;

    /// <summary>Time that slow runs may take in all, such as those that hang. Others are limited
    /// by their number, so that what comes out does not depend on the machine.</summary>
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(20);

    /// <summary>A run is slow if it takes longer than this, or this share of the patience.
    /// </summary>
    private static readonly TimeSpan SlowRun = TimeSpan.FromSeconds(0.5);
    private const double SlowShare = 1.0 / 40;

    /// <summary>Sequences up to this length are tried with every two calls removed at once:
    /// pairs such as attach and detach can only go together.</summary>
    private const int MostCallsForPairs = 16;

    private readonly SequenceRunner _runner;
    private readonly Fingerprint _fingerprint;
    private readonly Action<RunRecord>? _onOther;
    private readonly TimeSpan _patience;
    private readonly CancellationToken _cancelled;
    private readonly HashSet<string> _tried = [];
    private RunRecord _record = new();
    private RunRecord _spare = new();
    private MachineConfig _machine;
    private ImmutableArray<Call> _calls;
    private int _executions;
    private TimeSpan _slowTime;

    private Shrinker(
        SequenceRunner runner, RunRecord found, Action<RunRecord>? onOther,
        TimeSpan patience, CancellationToken cancelled)
    {
        _runner = runner;
        _fingerprint = found.Divergence?.Fingerprint
            ?? throw new ArgumentException("The run did not diverge.", nameof(found));
        _onOther = onOther;
        _patience = patience;
        _cancelled = cancelled;
        _machine = found.Machine;
        _calls = [.. found.Calls];
    }

    /// <summary>Shrinks a run that diverged.</summary>
    /// <param name="runner">Runs candidates.</param>
    /// <param name="found">The run.</param>
    /// <param name="onOther">Told of every candidate that diverges with another fingerprint; the
    /// record is used again as soon as it returns.</param>
    /// <param name="patience">Time that slow runs may take in all; 20 s when not given.</param>
    /// <param name="cancelled">Stops shrinking; the best so far is the result.</param>
    /// <returns>The result; null when the divergence does not happen again.</returns>
    public static ShrinkResult? Shrink(
        SequenceRunner runner, RunRecord found, Action<RunRecord>? onOther = null,
        TimeSpan? patience = null, CancellationToken cancelled = default)
    {
        var shrinker = new Shrinker(
            runner, found, onOther, patience ?? UsualPatience, cancelled);
        return shrinker.Accepts(shrinker._machine, shrinker._calls) ? shrinker.Run() : null;
    }

    private ShrinkResult Run()
    {
        bool minimal = false;
        int lowerBound = 0;
        if (!_calls.IsEmpty)
        {
            KeepRelated();
        }

        while (!IsStopped && !minimal)
        {
            minimal = !MakeSimpler() && !SimplifyTogether() && !FindShorter(out lowerBound);
        }

        var renumbering = new HandleRenumbering();
        Accepts(_machine, [.. _calls.Select(renumbering.Apply)]);
        Certificate certificate = !minimal || IsStopped ? Certificate.None
            : lowerBound >= _calls.Length ? Certificate.Shortest : Certificate.OneMinimal;
        return new ShrinkResult(
            _machine, _calls, _record, _executions, certificate, lowerBound);
    }

    /// <summary>One round of the passes: one that changes something makes the earlier ones worth
    /// a try.</summary>
    private bool MakeSimpler() => NameSegments() | DeleteChunks() | DeletePairs() | MergeHandles()
        | MergePages() | SimplifyCalls() | SimplifyMachine();

    /// <summary>Looks for a shorter sequence of calls like these.</summary>
    private bool FindShorter(out int lowerBound)
    {
        ShortestResult result = ShortestSearch.Run(
            _runner.Factory, _machine, _calls, _fingerprint, _cancelled);
        lowerBound = result.LowerBound;
        return result.Shorter is { } shorter && Accepts(_machine, shorter);
    }

    private bool IsStopped =>
        _cancelled.IsCancellationRequested || _executions >= MostExecutions
        || _slowTime >= _patience;

    /// <summary>Runs a candidate; when it diverges as it should, it becomes the best so far,
    /// without the calls behind the divergence and without those that were skipped.</summary>
    private bool Accepts(MachineConfig machine, ImmutableArray<Call> calls)
    {
        if ((IsStopped && _executions > 0)
            || !_tried.Add(TracePrinter.Print(Trace.Of(machine, calls))))
        {
            return false;
        }

        _executions++;
        long start = Stopwatch.GetTimestamp();
        _runner.Run(machine, new CallList(calls), _spare, endProcesses: false);
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        _slowTime += taken > SlowRun || taken > _patience * SlowShare ? taken : TimeSpan.Zero;
        if (_spare.Divergence is not { } divergence)
        {
            return false;
        }

        if (!divergence.Fingerprint.Equals(_fingerprint))
        {
            _onOther?.Invoke(_spare);
            return false;
        }

        (_record, _spare) = (_spare, _record);
        _machine = machine;
        _calls = [.. _record.Calls.Where((_, at) => _record.Replies[at] is not null)];
        return true;
    }

    /// <summary>Keeps only what the last call depends on: first the calls that bind its handles,
    /// then also those that use one of them, or a segment whose figures are wrong.</summary>
    private void KeepRelated()
    {
        if (!Accepts(_machine, Dependencies.Binders(_calls)))
        {
            IEnumerable<AnyHandle> subjects = _record.Divergence!.Differences
                .Select(difference => AnyHandle.OfSubject(difference.Subject)).OfType<AnyHandle>();
            Accepts(_machine, Dependencies.Sharers(_calls, subjects));
        }
    }

    /// <summary>Writes handles where a call has the identifier of a segment as a number: the
    /// number would change with every segment that is removed before it.</summary>
    private bool NameSegments()
    {
        bool changed = false;
        for (int at = 0; at < _calls.Length; at++)
        {
            if (_calls[at] is SegmentCall { Segment: { Kind: SegmentRefKind.Literal } } call
                && _record.Bindings.FindSegment(call.Segment.Value) is { } handle)
            {
                changed |= Accepts(
                    _machine, _calls.SetItem(at, call with { Segment = handle }));
            }
        }

        return changed;
    }

    /// <summary>Deletes runs of calls, long ones first, from the end to the start.</summary>
    private bool DeleteChunks()
    {
        bool changed = false;
        for (int size = Math.Max(_calls.Length / 2, 1); size >= 1; size /= 2)
        {
            for (int end = _calls.Length - 1; end > 0; end -= size)
            {
                end = Math.Min(end, _calls.Length - 1);
                int start = Math.Max(end - size, 0);
                changed |= end > start
                    && Accepts(_machine, _calls.RemoveRange(start, end - start));
            }
        }

        return changed;
    }

    private bool DeletePairs()
    {
        if (_calls.Length > MostCallsForPairs)
        {
            return false;
        }

        for (int second = _calls.Length - 2; second > 0; second--)
        {
            for (int first = second - 1; first >= 0; first--)
            {
                if (Accepts(_machine, _calls.RemoveAt(second).RemoveAt(first)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Uses an earlier handle in place of a later one, and does without the call that
    /// binds the later one.</summary>
    private bool MergeHandles()
    {
        bool changed = false;
        foreach ((AnyHandle from, AnyHandle to) in Dependencies.HandlePairs(_calls))
        {
            var replacement = new HandleReplacement(from, to);
            ImmutableArray<Call> replaced =
            [
                .. _calls.Where(c => !HandleCollector.Of(c).Bound.Contains(from))
                    .Select(replacement.Apply),
            ];
            changed |= replaced.Length > 0 && (Accepts(_machine, replaced)
                || (from.Kind == 'p' && AcceptsWithoutEnd(from, replacement)));
        }

        return changed;
    }

    /// <summary>Whoever takes the place of a process does not end where that one ended.</summary>
    private bool AcceptsWithoutEnd(AnyHandle process, HandleReplacement replacement) => Accepts(
        _machine,
        [
            .. _calls.Where(call => !HandleCollector.Of(call).Bound.Contains(process)
                    && !(call is Exit or ExitGroup or Exec or Kill
                        && HandleCollector.Of(call).Used.Contains(process)))
                .Select(replacement.Apply),
        ]);

    /// <summary>Uses page 0 in place of another one, in all calls that touch that one.</summary>
    private bool MergePages()
    {
        bool changed = false;
        ulong[] pages = [.. _calls.Select(PageOf).OfType<ulong>().Where(p => p > 0).Distinct()];
        foreach (ulong page in pages)
        {
            changed |= Accepts(_machine, [.. _calls.Select(call => PageOf(call) != page ? call
                : call switch
                {
                    Load load => load with { Page = load.Page with { Index = 0 } },
                    Store store => store with { Page = store.Page with { Index = 0 } },
                    Reclaim reclaim => reclaim with { Pages = new PageRange(0, 0) },
                    _ => call,
                })]);
        }

        return changed;
    }

    /// <summary>The one page that a call touches, if it is one.</summary>
    private static ulong? PageOf(Call call) => call switch
    {
        Load load => load.Page.Index,
        Store store => store.Page.Index,
        Reclaim { Pages: var pages } when pages.First == pages.Last => pages.First,
        _ => null,
    };

    private bool SimplifyCalls()
    {
        bool changed = false;
        for (int at = _calls.Length - 1; at >= 0; at--)
        {
            while (at < _calls.Length && SimplifyCall(at))
            {
                changed = true;
            }
        }

        return changed;
    }

    private bool SimplifyCall(int at)
    {
        foreach (Call simpler in CallSimplifier.Simplify(_calls[at], _machine))
        {
            if (Accepts(_machine, _calls.SetItem(at, simpler)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Simplifies numbers that mean the same thing in one go.</summary>
    private bool SimplifyTogether()
    {
        bool changed = false;
        bool progress = true;
        while (progress)
        {
            progress = JointSimplifier.Simplify(_machine, _calls)
                .Any(simpler => Accepts(simpler.Machine, simpler.Calls));
            changed |= progress;
        }

        return changed;
    }

    private bool SimplifyMachine()
    {
        bool changed = false;
        bool progress = true;
        while (progress)
        {
            progress = MachineSimplifier.Simplify(_machine).Any(m => Accepts(m, _calls));
            changed |= progress;
        }

        return changed;
    }
}
