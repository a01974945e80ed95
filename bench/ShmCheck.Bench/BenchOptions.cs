namespace ShmCheck.Bench;

/// <summary>What is asked for on the command line.</summary>
/// <param name="Rounds">Rounds of each measurement; each gives a ratio, of which the table shows
/// the median.</param>
/// <param name="LargestMap">Frames of the largest map measured.</param>
/// <param name="Opponent">A shared library with the functions of <c>bench/twins/twin.h</c>.</param>
internal sealed record BenchOptions(int Rounds, int LargestMap, string? Opponent)
{
    /// <summary>Turns of a round: fewer where memory is far away and each takes longer.</summary>
    public static int TurnsFor(int frames) => frames > 1 << 24 ? 100 : 400;
}
