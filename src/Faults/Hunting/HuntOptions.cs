namespace ShmCheck.Faults.Hunting;

/// <summary>How hard a fault is hunted.</summary>
/// <param name="Seed">Seed of the first campaign; each other one has the next.</param>
/// <param name="Campaigns">Campaigns, at least 1.</param>
/// <param name="Within">Steps after which a campaign gives up: calls compared, so that a hunt
/// ends alike on every machine.</param>
public sealed record HuntOptions(
    ulong Seed = HuntOptions.FirstSeed, int Campaigns = HuntOptions.DefaultCampaigns,
    long Within = HuntOptions.DefaultWithin)
{
    /// <summary>The first seed of the recorded matrix.</summary>
    public const ulong FirstSeed = 1;

    /// <summary>Campaigns unless told otherwise.</summary>
    public const int DefaultCampaigns = 10;

    /// <summary>Steps unless told otherwise: some seconds on one core.</summary>
    public const long DefaultWithin = 200_000;
}
