namespace ShmCheck.Faults.Hunting;

/// <summary>How hard a fault is hunted.</summary>
/// <param name="Time">Time for each campaign.</param>
/// <param name="Seed">What the campaigns' seeds depend on.</param>
/// <param name="Campaigns">Campaigns, each with a seed of its own; figures are their medians.
/// </param>
public sealed record HuntOptions(TimeSpan Time, ulong Seed, int Campaigns = 3)
{
    /// <summary>Time for each campaign unless told otherwise.</summary>
    public static TimeSpan DefaultTime { get; } = TimeSpan.FromSeconds(10);
}
