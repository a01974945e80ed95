using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Checking;

/// <summary>A page of a segment.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="Index">Index of the page.</param>
internal readonly record struct PagePlace(SegmentKey Segment, ulong Index);

/// <summary>Pages that leave memory by themselves: clean ones are dropped (C to N), dirty ones
/// swapped (D to S or W), copies in the swap cache dropped (W to S). Only pages that nobody maps
/// and, in memory, that SHM_LOCK does not hold.</summary>
internal static class SpontaneousReclaim
{
    /// <summary>Where there are more sets, one more is returned and what happened remains open.
    /// </summary>
    public const int MostSets = 512;

    /// <summary>The sets of pages that account for the differences in rss and swp of every segment
    /// and in the swap cache; none where no set does.</summary>
    /// <param name="state">The state in which the pages are unmapped.</param>
    /// <param name="expected">What the specification shows.</param>
    /// <param name="seen">What the system shows.</param>
    public static IReadOnlyList<PagePlace[]> Sets(
        SpecState state, Observation expected, Observation seen)
    {
        IEnumerable<PagePlace[]> sets = [[]];
        if (expected.Segments.Count != seen.Segments.Count)
        {
            return [];
        }

        for (int at = 0; at < expected.Segments.Count; at++)
        {
            ReadOnlySpan<ulong> right = expected.Segments[at];
            ReadOnlySpan<ulong> shown = seen.Segments[at];
            long gone = Excess(right, shown, SegmentField.rss);
            long swapped = -Excess(right, shown, SegmentField.swp);
            if (gone == 0 && swapped == 0)
            {
                continue;
            }

            var key = SegmentKey.Of(
                (int)right[(int)SegmentField.Namespace],
                new ShmId((int)right[(int)SegmentField.shmid]).Index);
            if (swapped < 0 || gone < swapped
                || !state.Segments.TryGet(key.Value, out Segment? segment) || segment.IsLocked)
            {
                return [];
            }

            sets = Join(sets, Choose(Unmapped(segment, PageState.Dirty), (int)swapped));
            sets = Join(sets, Choose(Unmapped(segment, PageState.Clean), (int)(gone - swapped)));
        }

        return [.. WithCopies(sets, state, expected, seen)
            .Where(set => set.Length > 0).Take(MostSets + 1)];
    }

    /// <summary>On a device that leaves pages in the swap cache, their number says only together
    /// with the pages swapped how many copies went: each is possible.</summary>
    private static IEnumerable<PagePlace[]> WithCopies(
        IEnumerable<PagePlace[]> sets, SpecState state, Observation expected, Observation seen)
    {
        PagePlace[] copies = [.. state.Segments.Rows
            .SelectMany(segment => Unmapped(segment, PageState.SwapCached))];
        ulong kilobytes = state.Config.PageSize >> 10;
        ulong shown = seen.Global[0][(int)GlobalField.SwapCached] / kilobytes;
        ulong right = expected.Global[0][(int)GlobalField.SwapCached] / kilobytes;
        return copies.Length == 0 ? sets : sets.SelectMany(set =>
        {
            bool cached = state.Config.SwapKind == SwapKind.Asynchronous;
            long swapped = cached ? set.Count(page => StateOf(state, page) is PageState.Dirty) : 0;
            long dropped = (long)right + swapped - (long)shown;
            return dropped < 0 ? [] : Join([set], Choose(copies, (int)dropped));
        });
    }

    private static PageState StateOf(SpecState state, PagePlace page) =>
        state.Segments[page.Segment.Value].Object.Pages[page.Index].State;

    private static long Excess(
        ReadOnlySpan<ulong> right, ReadOnlySpan<ulong> shown, SegmentField field) =>
        unchecked((long)(right[(int)field] - shown[(int)field]));

    private static PagePlace[] Unmapped(Segment segment, PageState state) =>
    [
        .. segment.Object.Pages.All
            .Where(page => page.Row.State == state && page.Row.Mappers == 0)
            .Select(page => new PagePlace(segment.Location, page.Page)),
    ];

    private static IEnumerable<PagePlace[]> Join(
        IEnumerable<PagePlace[]> sets, IEnumerable<PagePlace[]> others) =>
        sets.SelectMany(_ => others, (set, other) => (PagePlace[])[.. set, .. other]);

    /// <summary>Every choice of a number of pages.</summary>
    private static IEnumerable<PagePlace[]> Choose(PagePlace[] pages, int count)
    {
        if (count == 0)
        {
            yield return [];
            yield break;
        }

        for (int first = 0; first <= pages.Length - count; first++)
        {
            foreach (PagePlace[] rest in Choose(pages[(first + 1)..], count - 1))
            {
                yield return [pages[first], .. rest];
            }
        }
    }
}
