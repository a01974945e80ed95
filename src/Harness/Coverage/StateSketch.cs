using ShmCheck.Abi;

namespace ShmCheck.Harness.Coverage;

/// <summary>A coarse picture of a state: which books are empty, in use or full, and what kinds of
/// segments exist, without numbers. States with the same sketch are alike for the generator.
/// </summary>
internal static class StateSketch
{
    public static ulong Of(Observation observation)
    {
        ulong sketch = OfMachine(observation.Global[0]);
        ulong segments = 0;
        for (int row = 0; row < observation.Segments.Count; row++)
        {
            // A sum does not care for the order of the segments.
            segments += Scramble(OfSegment(observation.Segments[row]));
        }

        return Scramble(sketch) + segments
            + Scramble((ulong)Math.Min(observation.Processes.Count, 4) << 32);
    }

    private static ulong OfMachine(ReadOnlySpan<ulong> row) =>
        Level(row[(int)GlobalField.HugePages_Free])
        | Level(row[(int)GlobalField.HugePages_Rsvd]) << 2
        | Level(row[(int)GlobalField.HugePages_Surp]) << 4
        | Level(row[(int)GlobalField.SwapUsed]) << 6
        | Level(row[(int)GlobalField.SwapCached]) << 8
        | Level(row[(int)GlobalField.Committed_AS]) << 10;

    private static ulong OfSegment(ReadOnlySpan<ulong> row) =>
        Level(row[(int)SegmentField.nattch])
        | Level(row[(int)SegmentField.rss]) << 2
        | Level(row[(int)SegmentField.swp]) << 4
        | (row[(int)SegmentField.mode] >> 9 & 3) << 6
        | (row[(int)SegmentField.key] == 0 ? 0ul : 1ul << 8) | 1ul << 9;

    /// <summary>None, one, or more.</summary>
    private static ulong Level(ulong figure) => Math.Min(figure, 2);

    private static ulong Scramble(ulong value)
    {
        value = (value + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
        return value ^ (value >> 29);
    }
}
