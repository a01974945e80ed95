using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>How the figures of one observation hang together, and with the state they show.
/// </summary>
internal static class Sums
{
    public static void Check(SpecState state, string step)
    {
        var (least, most) = (new Observation(), new Observation());
        Spec.Specification.Observe(state, least, most);
        CheckSpans(least, most, step);
        CheckNamespaces(least, step);
        CheckMappings(least, step);
        Spec.Specification.ObserveFrames(state, least);
        CheckFrames(state, least, step);
        CheckProcesses(least, step);
        CheckMachine(state, least.Global[0], step);
    }

    /// <summary>Time stamps alone have a span; everything else is one figure.</summary>
    private static void CheckSpans(Observation least, Observation most, string step)
    {
        Assert.Equal(least.Global[0].ToArray(), most.Global[0].ToArray());
        for (int row = 0; row < least.Segments.Count; row++)
        {
            foreach (SegmentField field in Enum.GetValues<SegmentField>())
            {
                (ulong low, ulong high) =
                    (least.Segments[row][(int)field], most.Segments[row][(int)field]);
                bool isStamp =
                    field is SegmentField.atime or SegmentField.dtime or SegmentField.ctime;
                Assert.True(isStamp ? low <= high : low == high, $"{step}: {field}");
            }
        }
    }

    private static void CheckNamespaces(Observation seen, string step)
    {
        for (int row = 0; row < seen.Namespaces.Count; row++)
        {
            ulong[] ns = seen.Namespaces[row].ToArray();
            ulong[][] segments = [.. Rows(seen.Segments).Where(
                segment => segment[(int)SegmentField.Namespace] == ns[0])];
            Same(step, "used_ids", ns[(int)NamespaceField.used_ids], (ulong)segments.Length);
            Same(step, "shm_rss", ns[(int)NamespaceField.shm_rss],
                Sum(segments, (int)SegmentField.rss));
            Same(step, "shm_swp", ns[(int)NamespaceField.shm_swp],
                Sum(segments, (int)SegmentField.swp));
            Same(step, "max_index", ns[(int)NamespaceField.max_index], segments.Length == 0 ? 0
                : segments.Max(s => s[(int)SegmentField.shmid] % ShmId.IndexLimit));
        }
    }

    private static void CheckMappings(Observation seen, string step)
    {
        foreach (ulong[] mapping in Rows(seen.Mappings))
        {
            ulong resident = mapping[(int)MappingField.Rss];
            Same(step, "Rss", resident,
                mapping[(int)MappingField.Shared_Clean] + mapping[(int)MappingField.Shared_Dirty]
                    + mapping[(int)MappingField.Private_Clean]
                    + mapping[(int)MappingField.Private_Dirty]);
            Assert.True(mapping[(int)MappingField.Pss] <= resident, $"{step}: Pss");
            Assert.True(
                mapping[(int)MappingField.Locked] <= mapping[(int)MappingField.Pss],
                $"{step}: Locked");
        }
    }

    private static void CheckFrames(SpecState state, Observation seen, string step)
    {
        Assert.Equal(seen.Mappings.Count, seen.Frames.Count);
        for (int row = 0; row < seen.Frames.Count; row++)
        {
            ReadOnlySpan<ulong> mapping = seen.Mappings[row];
            ReadOnlySpan<ulong> frames = seen.Frames[row];
            (ulong present, ulong mapcount) =
                (frames[(int)FrameField.Present], frames[(int)FrameField.Mapcount]);
            Same(step, "Present", present,
                frames[(int)FrameField.Huge] + frames[(int)FrameField.SwapBacked]);
            Same(step, "SwapCache", frames[(int)FrameField.SwapCache], 0);
            ulong pages = (mapping[(int)MappingField.End] - mapping[(int)MappingField.Start])
                / state.Config.PageSize;
            if (pages <= Observation.MostPagesOfFrames)
            {
                ulong shared = mapping[(int)MappingField.Shared_Clean]
                    + mapping[(int)MappingField.Shared_Dirty]
                    + mapping[(int)MappingField.Shared_Hugetlb];
                Same(step, "SwapBacked", frames[(int)FrameField.SwapBacked],
                    mapping[(int)MappingField.Rss] / (state.Config.PageSize >> 10));
                Assert.True(
                    shared > 0 ? mapcount > present : mapcount == present, $"{step}: Mapcount");
            }
        }
    }

    private static void CheckProcesses(Observation seen, string step)
    {
        foreach (ulong[] process in Rows(seen.Processes))
        {
            ulong[][] own = [.. Rows(seen.Mappings).Where(
                mapping => mapping[(int)MappingField.Pid] == process[(int)ProcessField.Pid])];
            Same(step, "RssShmem", process[(int)ProcessField.RssShmem],
                Sum(own, (int)MappingField.Rss));
            Same(step, "HugetlbPages", process[(int)ProcessField.HugetlbPages],
                Sum(own, (int)MappingField.Shared_Hugetlb)
                    + Sum(own, (int)MappingField.Private_Hugetlb));
            Assert.True(
                process[(int)ProcessField.VmLck] <= process[(int)ProcessField.VmSize],
                $"{step}: VmLck");
            Same(step, "VmSwap", process[(int)ProcessField.VmSwap], 0);
        }
    }

    private static void CheckMachine(SpecState state, ReadOnlySpan<ulong> machine, string step)
    {
        ulong page = state.Config.PageSize >> 10;
        Same(step, "SwapUsed", machine[(int)GlobalField.SwapUsed],
            Total(state, segment => segment.Object.Swapped));
        Same(step, "Shmem", machine[(int)GlobalField.Shmem],
            page * Total(state, s => s.Object.IsHuge ? 0 : s.Object.Resident));
        Same(step, "HugePages_Rsvd", machine[(int)GlobalField.HugePages_Rsvd],
            Total(state, segment => segment.Object.OpenPromises));
        Assert.True(
            machine[(int)GlobalField.SwapCached] <= page * machine[(int)GlobalField.SwapUsed],
            $"{step}: SwapCached");
    }

    private static ulong Total(SpecState state, Func<Segment, ulong> figure) =>
        state.Segments.Rows.Aggregate(0ul, (sum, segment) => sum + figure(segment));

    private static void Same(string step, string figure, ulong read, ulong counted) =>
        Assert.True(read == counted, $"{step}: {figure} is {read}, counted {counted}");

    private static ulong Sum(IEnumerable<ulong[]> rows, int column) =>
        rows.Aggregate(0ul, (sum, row) => sum + row[column]);

    private static IEnumerable<ulong[]> Rows<TField>(ObservationRows<TField> rows)
        where TField : struct, Enum =>
        Enumerable.Range(0, rows.Count).Select(row => rows[row].ToArray());
}
