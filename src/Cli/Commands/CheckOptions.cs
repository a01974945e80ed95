using System.CommandLine;

namespace ShmCheck.Cli.Commands;

/// <summary>The options of <c>check</c>.</summary>
/// <param name="systems">What there is to check.</param>
internal sealed class CheckOptions(SystemRegistry systems)
{
    /// <summary>More calls than this are no sequence that anybody shrinks.</summary>
    private const int MostLength = 1_000_000;

    /// <summary>More threads than this help no machine.</summary>
    private const int MostJobs = 1024;

    /// <summary>In the order of the help text.</summary>
    public IEnumerable<Option> All =>
    [
        System, Fault, Profile, Blocks, Steps, Time, Length, Observe, Seed, Jobs, Shard, NoLedger,
        Coverage, Output, Json,
    ];

    public Option<string> System { get; } = new("--system")
    {
        Description = $"the system to check: {systems.Names}",
        DefaultValueFactory = _ => systems.Default,
    };

    public Option<string[]> Fault { get; } = FaultOption.Create();

    public Option<string?> Profile { get; } = new("--profile")
    {
        Description = "check only this kernel's behaviour, for instance 6.18",
    };

    public Option<long?> Blocks { get; } = NumberOption.Optional<long>(
        "--blocks", "stop behind this many blocks of 64 runs, counted over all shards: then "
        + "shards find together what one process finds", 1, long.MaxValue);

    public Option<long?> Steps { get; } = NumberOption.Optional<long>(
        "--steps", "stop when this many calls have been compared", 1, long.MaxValue);

    public Option<string?> Time { get; } = new("--time")
    {
        Description = "stop after this time, for instance 40s or 10m (the default is about "
            + "40s, and never under 100,000 steps); what was found by then is shrunk first, for "
            + "as long again at most",
    };

    public Option<int?> Length { get; } = NumberOption.Optional<int>(
        "--length", "calls in a sequence; 100 when not given", 1, MostLength);

    public Option<ulong?> Seed { get; } = NumberOption.Optional<ulong>(
        "--seed", "what everything random depends on; drawn when not given", 0, ulong.MaxValue);

    public Option<string> Observe { get; } = new("--observe")
    {
        Description = "compare all figures behind all calls, behind every N-th, or only at "
            + "the end of each sequence; replies always are",
        DefaultValueFactory = _ => "all",
        HelpName = "all|N|end",
    };

    public Option<int?> Jobs { get; } = NumberOption.Optional<int>(
        "--jobs", "threads; one for each processor when not given", 1, MostJobs);

    public Option<string> Shard { get; } = new("--shard")
    {
        Description = "take part K of N of the seeds",
        DefaultValueFactory = _ => "1/1",
        HelpName = "K/N",
    };

    /// <summary>Where findings go; git ignores the default.</summary>
    public Option<string> Output { get; } = new("--out")
    {
        Description = "directory for findings",
        DefaultValueFactory = _ => "findings",
    };

    public Option<string?> Coverage { get; } = new("--coverage")
    {
        Description = "write all that was and was not exercised to this file",
        HelpName = "FILE",
    };

    public Option<bool> NoLedger { get; } = LedgerOption.Create();

    public Option<bool> Json { get; } = new("--json") { Description = "print one JSON object" };
}
