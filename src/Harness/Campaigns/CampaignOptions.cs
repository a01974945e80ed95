using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Harness.Campaigns;

/// <summary>What a campaign of random checks is to do.</summary>
public sealed record CampaignOptions
{
    /// <summary>How long a campaign runs when no limit is given.</summary>
    public static TimeSpan DefaultTime { get; } = TimeSpan.FromSeconds(40);

    /// <summary>Steps that a campaign compares at least when no limit is given.</summary>
    public const long DefaultLeastSteps = 100_000;

    /// <summary>Calls in a sequence when no length is given.</summary>
    public const int DefaultLength = 100;

    /// <summary>Everything drawn depends on it.</summary>
    public ulong Seed { get; init; }

    /// <summary>Blocks of runs, of all shards together, behind which the campaign ends; none for
    /// no limit. Each block then shrinks what it meets by itself, and the shortest counterexample
    /// of a bug is kept, so that shards add up to what one process finds.</summary>
    public long? Blocks { get; init; }

    /// <summary>Calls compared, at which the campaign ends; none for no limit.</summary>
    public long? Steps { get; init; }

    /// <summary>Time after which the campaign ends, but for what it has found until then, which is
    /// shrunk for as long again at most; none for no limit.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Steps that are compared even if the time is over.</summary>
    public long LeastSteps { get; init; }

    /// <summary>Calls in a sequence.</summary>
    public int Length { get; init; } = DefaultLength;

    /// <summary>Figures are compared behind every so many calls, and at the end of a sequence; 0
    /// at the end only. Replies always are.</summary>
    public int ObserveEvery { get; init; } = 1;

    /// <summary>Threads that run sequences.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Which part of the seeds this process takes, from 1.</summary>
    public int Shard { get; init; } = 1;

    /// <summary>Into how many parts the seeds are cut.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Blocks that this shard takes; none for no limit.</summary>
    internal long? BlocksOfShard => (Blocks - Shard + Shards) / Shards;

    /// <summary>Profiles to draw.</summary>
    public ImmutableArray<KernelProfile> Profiles { get; init; } =
        SystemCapabilities.AllProfiles;

    /// <summary>Bugs that are shrunk; a system that is broken in more ways is worth no more
    /// time, and the rest is kept as it was found.</summary>
    public int MostShrunk { get; init; } = 64;

    /// <summary>Ends the campaign when a bug for which it is true has been found and shrunk.
    /// </summary>
    public Func<Fingerprint, bool>? Goal { get; init; }

    /// <summary>Starts the same system compiled with bounds for its loops, which throws
    /// <see cref="EndlessLoopException"/>: a call that does not come back is shrunk there. None
    /// to leave it as it was found.</summary>
    public Func<ISystemFactory>? Bounded { get; init; }

    /// <summary>Processor time after which a call does not come back any more; 5 s when not
    /// given.</summary>
    public TimeSpan? Patience { get; init; }

    /// <summary>Known divergences, which are counted instead of found; none to find them.
    /// </summary>
    public Ledger? Ledger { get; init; }

    /// <summary>Where findings are written as soon as they are made; none to keep them in memory
    /// only.</summary>
    public string? OutputDirectory { get; init; }
}
