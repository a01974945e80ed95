using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Shrinking;

/// <summary>Which calls of a sequence have to do with its last one.</summary>
internal static class Dependencies
{
    /// <summary>The last call and the calls that bind the handles it needs, directly or not.
    /// </summary>
    public static ImmutableArray<Call> Binders(ImmutableArray<Call> calls)
    {
        var needed = new HashSet<AnyHandle>(HandleCollector.Of(calls[^1]).Used);
        var kept = new List<Call> { calls[^1] };
        for (int at = calls.Length - 2; at >= 0; at--)
        {
            HandleCollector handles = HandleCollector.Of(calls[at]);
            if (handles.Bound.Overlaps(needed))
            {
                needed.UnionWith(handles.Used);
                kept.Add(calls[at]);
            }
        }

        kept.Reverse();
        return [.. kept];
    }

    /// <summary>The calls that bind what the last call needs, and those that use a segment or
    /// an address of them, or turn a knob of the machine.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="subjects">What else counts as needed: what the wrong figures are of.</param>
    public static ImmutableArray<Call> Sharers(
        ImmutableArray<Call> calls, IEnumerable<AnyHandle> subjects)
    {
        var related = new HashSet<AnyHandle>(HandleCollector.Of(calls[^1]).Used.Union(subjects));
        bool grown = true;
        while (grown)
        {
            int before = related.Count;
            foreach (HandleCollector handles in calls.Select(HandleCollector.Of))
            {
                if (handles.Bound.Overlaps(related))
                {
                    related.UnionWith(handles.Used);
                }
                else if (handles.Used.Any(h => h.Kind != 'p' && related.Contains(h)))
                {
                    related.UnionWith(handles.Bound);
                    related.UnionWith(handles.Used);
                }
            }

            grown = related.Count > before;
        }

        return
        [
            .. calls.Where((call, at) => at == calls.Length - 1
                || call is SetSysctl or SwapOn or SwapOff or SetRLimit
                || HandleCollector.Of(call) is var handles
                    && (handles.Bound.Overlaps(related)
                        || handles.Used.Any(h => h.Kind != 'p' && related.Contains(h)))),
        ];
    }

    /// <summary>Every pair of handles of one kind, the later bound first.</summary>
    public static IEnumerable<(AnyHandle From, AnyHandle To)> HandlePairs(
        ImmutableArray<Call> calls)
    {
        AnyHandle[] handles =
        [
            AnyHandle.Of(ProcessHandle.First),
            .. calls.SelectMany(c => HandleCollector.Of(c).Bound),
        ];
        for (int from = handles.Length - 1; from > 0; from--)
        {
            for (int to = 0; to < from; to++)
            {
                if (handles[from].Kind == handles[to].Kind)
                {
                    yield return (handles[from], handles[to]);
                }
            }
        }
    }
}
