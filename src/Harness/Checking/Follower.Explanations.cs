using ShmCheck.Abi;
using ShmCheck.Harness.Tolerances;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>What may have happened beside a call that the specification alone does not explain.
/// </summary>
internal sealed partial class Follower
{
    /// <summary>Failing allocations of a call that are tried: no call takes more huge pages.
    /// </summary>
    private const int MostHugePages = 16;

    /// <summary>Looks for pages that reclaim may have taken before or behind the call, so that
    /// all that was seen is right.</summary>
    /// <returns>The step of the first of the states that this leads to; null when there is none.
    /// </returns>
    private Verdict? Explain(Call call, Reply actual)
    {
        if (capabilities.ReclaimSource.Length == 0)
        {
            return null;
        }

        SpecState[] before = [State, .. _others];
        var seen = new HashSet<string>();
        Verdict? first = null;
        var others = new List<SpecState>();
        int pages = 0;
        foreach ((SpecState start, PagePlace[] after) in before.SelectMany(
            state => Explanations(state, call, actual)))
        {
            Verdict verdict = Try(start, call, actual, after);
            if (verdict.Divergence is null
                && seen.Add(Convert.ToHexString(CanonicalBytes(verdict.Result.State))))
            {
                pages = first is null ? after.Length : pages;
                others.Add(verdict.Result.State);
                first ??= verdict;
            }
        }

        if (first is not { } explained)
        {
            return IsUndecided ? Try(State, call, actual) with { Divergence = null } : null;
        }

        _record.Allowances.Add(Tolerance.SpontaneousReclaim, 1);
        _others.Clear();
        _others.AddRange(others.Skip(1));
        Look(explained.Result.State);
        return explained;
    }

    /// <summary>What may have happened beside a call: the state that it met, and the pages that
    /// went behind it.</summary>
    private List<(SpecState Start, PagePlace[] After)> Explanations(
        SpecState state, Call call, Reply actual)
    {
        StepResult plain = Specification.Step(state, call, context);
        Look(plain.State);
        Observation shown = Reconcile(call, plain, actual).Figures;
        IReadOnlyList<PagePlace[]> behind =
            SpontaneousReclaim.Sets(plain.State, Least, shown);
        IReadOnlyList<PagePlace[]> ahead = SpontaneousReclaim.Sets(state, Least, shown);
        IsUndecided |= Math.Max(behind.Count, ahead.Count) > SpontaneousReclaim.MostSets;
        return
        [
            .. behind.Select(pages => (state, pages)),
            .. ahead.Select(pages => (Reclaim(state, pages), (PagePlace[])[])),
        ];
    }

    private SpecState Reclaim(SpecState state, PagePlace[] pages) => pages.Aggregate(
        state, (now, page) => Specification.Reclaim(now, page.Segment, page.Index, _aside));

    /// <summary>A call with a failure that nobody can count: both outcomes are admitted.</summary>
    private Verdict Inject(Call call, Reply actual, Verdict verdict)
    {
        if (call.Injection?.Kind is not (AllocationKind.Bookkeeping or AllocationKind.Id))
        {
            return verdict;
        }

        if (verdict.Divergence is not null)
        {
            choices.InjectionHappened = true;
            Verdict failed = Try(State, call, actual);
            return failed.Divergence is null
                || ReplyComparer.Agree(failed.Result.Reply, actual) ? failed : verdict;
        }

        if (!actual.Succeeded)
        {
            IsUndecided = LeavesOpen(State, verdict.Result.State, call, actual);
            choices.InjectionHappened = false;
            verdict = Try(State, call, actual);
        }

        return verdict;
    }

    /// <summary>Whether a call that failed as it ordinarily does may as well have failed by its
    /// injection, and left another state behind that shows in no figure.</summary>
    private bool LeavesOpen(SpecState before, SpecState after, Call call, Reply actual)
    {
        choices.InjectionHappened = true;
        Verdict failed = Try(before, call, actual);
        return failed.Divergence is null
            && !CanonicalBytes(after).SequenceEqual(CanonicalBytes(failed.Result.State));
    }

    /// <summary>Has an allocation of a huge page fail, where the system says that one has.
    /// </summary>
    private Verdict? Starve(Call call, Reply actual)
    {
        if (capabilities.HugePageShortageSource.Length == 0 || _others.Count > 0
            || call.Injection is not null || _system is not ISharesMemory { LacksHugePages: true })
        {
            return null;
        }

        for (int nth = 1; nth <= MostHugePages; nth++)
        {
            Call starved = call with { Injection = new Injection(AllocationKind.Huge, nth) };
            Verdict verdict = Try(State, starved, actual);
            if (verdict.Divergence is null)
            {
                _record.Allowances.Add(Tolerance.HugePageShortage, 1);
                return verdict;
            }
        }

        return null;
    }
}
